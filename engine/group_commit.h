// Stores the submissions of many calls in one transaction: what costs most is a
// commit, and a hundred callers can share one. Where this process decides too,
// what a group brings in is decided and settled in the same transaction.
//
//   GroupCommit groups(&db, &policies, &executors, &worker, &waiters);
//   groups.StartDeciding();
//   std::vector<GroupCommit::Member> members;
//   members.push_back({.scope = scope, .intent = intent, .done = done});
//   groups.Submit(std::move(members));
//
// There is no thread of its own and nobody waits for a group to fill. Who finds
// nobody at work stores what is queued, group after group, until the queue is
// empty; whoever comes meanwhile leaves its members in the queue. So a call by
// itself costs no change of threads, and groups grow with the load.

#ifndef ENGINE_GROUP_COMMIT_H_
#define ENGINE_GROUP_COMMIT_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/call_scope.h"
#include "engine/decider.h"
#include "engine/executors.h"
#include "engine/policies.h"
#include "engine/waiters.h"
#include "engine/worker.h"
#include "storage/database.h"
#include "storage/submissions.h"

namespace sgl::engine {

// Thread-safe. Owned by the intake; borrows what it is made of.
class GroupCommit {
 public:
  // Transactions at once: while one waits for the disk another uses the
  // processor. More would only make the groups smaller.
  static constexpr int kLeadersMax = 2;
  // Members of a transaction, and the bytes of their payloads: one group's
  // time is what the next one waits.
  static constexpr size_t kGroupMax = 200;
  static constexpr size_t kGroupBytesMax = 4 * 1024 * 1024;
  // Members that wait for a transaction, and the bytes of their payloads. At
  // some thousand a second this is a wait of about a second, and room for the
  // largest batch that a call may bring.
  static constexpr size_t kQueueMax = 4096;
  static constexpr size_t kQueueBytesMax = 64 * 1024 * 1024;
  // Of one tenant, so that it leaves places for all others.
  static constexpr size_t kTenantQueueMax = 2048;

  struct Member {
    CallScope scope;
    storage::NewIntent intent;
    // Zero: answer once it is stored.
    absl::Duration wait = absl::ZeroDuration();
    // Called once: with the intent as it is stored, or once it is decided where
    // it waits. Never before the commit.
    Waiters::Done done;
  };

  GroupCommit(storage::Database* db, Policies* policies,
              const ExecutorRegistry* executors, Worker* worker,
              Waiters* waiters);

  // From here on what comes in is decided here as well. Before that, and after
  // StopDeciding, it is left to whichever engine claims it.
  void StartDeciding() { decides_ = true; }
  void StopDeciding() { decides_ = false; }

  // Stores the members, on this thread or on that of another call. Statuses for
  // the callers: ALREADY_EXISTS, INVALID_ARGUMENT, RESOURCE_EXHAUSTED where the
  // queue has no room for all of them. REQUIRES: they are of one tenant.
  void Submit(std::vector<Member> members);

 private:
  // A member on its way through a transaction.
  struct Entry;

  // How a transaction is tried.
  struct Way {
    // Others wait with its members, or for them.
    bool is_group = false;
    bool decides = false;
  };

  size_t QueuedOf(const std::string& tenant_id) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Lead();
  std::vector<Entry> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Stores the group, and its members one by one where it can't be stored.
  void Commit(std::vector<Entry> entries);
  static std::vector<std::string> TenantsOf(const std::vector<Entry>& entries);
  absl::Status CommitTogether(std::vector<Entry>& entries, Way way);
  absl::Status TryCommit(std::vector<Entry>& entries, Way way);
  // Returns the budgets that they would draw on.
  std::vector<storage::SpendKey> SpendKeysOf(
      const std::vector<Entry>& entries) const;
  // Fills in the settlements of those that can be decided in this transaction.
  absl::Status Decide(storage::Transaction& tx, std::vector<Entry>& entries);
  // Returns where the entry keeps it; null where a worker is to decide.
  storage::Settlement* Settle(const storage::IntentRow& row,
                              const Deliberation& deliberation,
                              Entry* entry) const;
  absl::Status Insert(storage::Transaction& tx, std::vector<Entry>& entries);
  // Settles those that have an effect or a job, now that they are known to be
  // no repeats.
  absl::Status Execute(storage::Transaction& tx, std::vector<Entry>& entries);
  // Lets those that are not decided wait, before they are visible to whoever
  // decides them.
  void AwaitUndecided(std::vector<Entry>& entries);
  // The commit is in doubt; the request ids say whether it happened.
  absl::Status FindAgain(std::vector<Entry>& entries);
  void Answer(const absl::Status& status, std::vector<Entry>& entries);

  storage::Database* const db_;
  Policies* const policies_;
  const ExecutorRegistry* const executors_;
  Worker* const worker_;
  Waiters* const waiters_;
  std::atomic<bool> decides_ = false;
  Mutex mutex_;
  std::deque<Member> queue_ ABSL_GUARDED_BY(mutex_);
  size_t queue_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  // Members in the queue, by tenant.
  absl::flat_hash_map<std::string, size_t> by_tenant_ ABSL_GUARDED_BY(mutex_);
  int leaders_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sgl::engine

#endif  // ENGINE_GROUP_COMMIT_H_
