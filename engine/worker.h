// The loop that moves intents on: claims DRAFTs in batches, decides them,
// settles them, in one transaction; and ends memos whose time is up.
//
//   Worker worker(&db, &policies, &executors, &waiters);
//   worker.Start();
//   worker.Wake();   // An intent came in: don't wait for the next poll.
//   worker.Stop();   // Finishes the batch in hand; claims nothing more.
//
// One tick does all of it, so one thread does. Other engines on the same
// database do the same: a claim skips what another holds.

#ifndef ENGINE_WORKER_H_
#define ENGINE_WORKER_H_

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/batch_size.h"
#include "engine/executors.h"
#include "engine/policies.h"
#include "engine/waiters.h"
#include "engine/wake_signal.h"
#include "storage/database.h"
#include "storage/facts.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::engine {

// Start, Wake and Stop are thread-safe against each other; Tick is for the
// worker's thread, and for tests that have none. Owned by the engine; borrows
// what it is made of.
class Worker {
 public:
  struct Options {
    // How much one transaction claims.
    BatchSize::Options batch = {};
    // The database is asked what there is to do by the clock this often; with
    // nothing to do that is all it is asked.
    absl::Duration poll_interval = absl::Seconds(1);
    // Called where audit entries wait to be sealed.
    std::function<void()> on_unsealed = [] {};
  };

  Worker(storage::Database* db, Policies* policies,
         const ExecutorRegistry* executors, Waiters* waiters,
         const Options& options);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  // Stops.
  ~Worker();

  void Start();
  // Returns when the thread ended. Calling it again does nothing.
  void Stop();
  // Says that there may be DRAFTs.
  void Wake();

  // Claims, decides and settles until no DRAFT is left. Returns how many
  // intents it settled.
  absl::StatusOr<int> SettleDrafts();
  // Ends the memos that are past their expiry, and their intents. Returns how
  // many.
  absl::StatusOr<int> ExpireMemos();

 private:
  void Run();
  // Does one turn; returns how the turn went. `has_news`: there may be DRAFTs.
  absl::Status Turn(bool has_news);
  absl::Status SettleWhileThereAre();
  bool IsSweepDue() const;
  // What is done by the clock, where it is due: escalates memos that nobody
  // voted on, ends overdue ones and leases, makes partitions, prunes limits,
  // forgets old request ids.
  absl::Status Sweep(const storage::WaitingWork& work);
  void EscalateMemos();
  void EndLeases();
  void MakePartitions();
  void ForgetRequests();
  void PruneLimits();
  void ForgetLimits();
  // Settles a batch, once more where another policy set is active by now.
  absl::StatusOr<int> SettleAgainstActive();
  absl::StatusOr<int> SettleBatch();
  // What a transaction claimed, and what it is decided by.
  struct Batch;
  // Decides some of a batch.
  absl::StatusOr<std::vector<storage::Settlement>> DecideBatch(
      storage::Transaction& tx, const Batch& batch,
      std::span<const storage::IntentRow> rows) const;
  // Each of the two decides and settles a batch, effects included, and returns
  // the ids of those settled. All at once, or not at all:
  absl::StatusOr<std::vector<std::string>> SettleTogether(
      storage::Transaction& tx, const Batch& batch);
  // Each decided and settled by itself, after those before it: one that the
  // database refuses is FAILED alone, or passed over where it refuses that too.
  absl::StatusOr<std::vector<std::string>> SettleSingly(
      storage::Transaction& tx, const Batch& batch);
  // Leaves an intent alone for a while: the database refuses to change it.
  void PassOver(const std::string& intent_id, const absl::Status& status);
  void NotePassedOver(const std::string& intent_id, absl::Duration duration);
  // Returns whether one of them has an effect, should it be allowed.
  bool HasEffects(std::span<const storage::IntentRow> rows) const;
  // Returns those that are passed over still.
  std::vector<std::string> PassedOver();

  storage::Database* const db_;
  Policies* const policies_;
  const ExecutorRegistry* const executors_;
  Waiters* const waiters_;
  const Options options_;
  WakeSignal signal_;
  // Of the next batch. Confined to the thread that ticks.
  BatchSize batch_size_;
  // The next batch is settled member by member: the one before it was
  // refused. Confined likewise.
  bool is_careful_ = false;
  // Intents that the database refuses to change at all, and until when they
  // are passed over, so that they don't stand in the others' way. Confined
  // likewise.
  absl::flat_hash_map<std::string, absl::Time> passed_over_;
  // When the last sweep began. Confined likewise.
  absl::Time swept_ = absl::InfinitePast();
  absl::Time partitions_made_ = absl::InfinitePast();
  absl::Time requests_forgotten_ = absl::InfinitePast();
  absl::Time limits_forgotten_ = absl::InfinitePast();
  std::jthread thread_;
};

}  // namespace sgl::engine

#endif  // ENGINE_WORKER_H_
