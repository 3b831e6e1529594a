// Workers' calls that wait for jobs, without asking the database over and over.
//
//   waits.Add(call_id, {.keys = ..., .until = ..., .wake = ...});
//   ... nothing could be leased ...
//   waits.Park(call_id);      // `wake` is called, once, when to try again.
//
// News of a job wakes one call that asks for its type, the one that waits
// longest, and no crowd; a call that got something passes the news on, since
// more may be there. A call is added before it first looks, so that news which
// comes while it looks are not lost. Once a second one statement looks for what
// no notification told of: retries whose time has come, jobs of engines whose
// notification got lost.

#ifndef ENGINE_LEASE_WAITS_H_
#define ENGINE_LEASE_WAITS_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "storage/jobs.h"

namespace sgl::engine {

// Thread-safe. Owned by the engine; has one thread, between Start and Stop.
class LeaseWaits {
 public:
  // Each is a few kilobytes and a suspended call.
  static constexpr size_t kWaitsMax = 4000;
  // So that no tenant takes the places of all others.
  static constexpr size_t kTenantWaitsMax = 500;
  // Looks for jobs that no notification told of.
  static constexpr absl::Duration kPollInterval = absl::Seconds(1);

  enum class Cause {
    // There may be jobs: look, then Park again or Remove.
    kNews,
    // These end the wait, which is forgotten already.
    kTimeUp,
    kCanceled,
    kDraining,
  };

  // Called once for each Park, on the waits' thread or on that of whoever
  // parks, notes, cancels or stops; not while a lock of ours is held. Must not
  // block.
  using Wake = std::function<void(Cause)>;
  // Returns those of the keys of which jobs are due.
  using Reader = std::function<absl::StatusOr<std::vector<storage::JobKey>>(
      const std::vector<storage::JobKey>&)>;

  struct Wait {
    // Of one tenant; at least one.
    std::vector<storage::JobKey> keys;
    absl::Time until;
    Wake wake;
  };

  // What callers read where the engine is stopping.
  static absl::Status Draining();

  explicit LeaseWaits(Reader reader);
  LeaseWaits(const LeaseWaits&) = delete;
  LeaseWaits& operator=(const LeaseWaits&) = delete;
  // Stops.
  ~LeaseWaits();

  void Start();
  // Ends every wait with kDraining, at once where it is parked, and joins the
  // thread. Calling it again does nothing.
  void Stop();

  // Adds a call, which looks next. Drops it where it fails: RESOURCE_EXHAUSTED
  // (TOO_MANY_WAITS), UNAVAILABLE (DRAINING).
  // REQUIRES: the call was not added before.
  absl::Status Add(uint64_t call_id, Wait wait);
  // The call found nothing. REQUIRES: it was added, and is not parked.
  void Park(uint64_t call_id);
  // The call is over; news that woke it, if any, is passed on where it found
  // something. Does nothing where it isn't known (any more).
  void Remove(uint64_t call_id, bool has_found);
  // Ends a call's wait with kCanceled. Does nothing where it isn't known.
  void Cancel(uint64_t call_id);

  // Says that jobs of these may be due.
  void Note(std::span<const storage::JobKey> keys);
  // Says that any may be.
  void NoteAny();

 private:
  struct Entry {
    Wait wait;
    bool is_parked = false;
    // Came while it looked.
    bool has_news = false;
    bool is_canceled = false;
  };
  using Deadline = std::pair<absl::Time, uint64_t>;
  // What to call once the lock is given back.
  using Woken = std::vector<std::pair<Wake, Cause>>;

  void Run();
  // Returns the keys that anybody waits for.
  std::vector<storage::JobKey> AwaitedKeys()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteLocked(const storage::JobKey& key, Woken* woken)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Takes the call out and returns what it waited by.
  Wait Take(uint64_t call_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndLate(Woken* woken) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Looks which of the keys have jobs and wakes a call each.
  void Poll(const std::vector<storage::JobKey>& keys);

  const Reader reader_;
  Mutex mutex_;
  absl::flat_hash_map<uint64_t, Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // The calls of a key; their ids grow, so the first waits longest.
  absl::flat_hash_map<storage::JobKey, absl::btree_set<uint64_t>> by_key_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, size_t> by_tenant_ ABSL_GUARDED_BY(mutex_);
  // Of those that are parked.
  absl::btree_set<Deadline> deadlines_ ABSL_GUARDED_BY(mutex_);
  bool is_any_due_ ABSL_GUARDED_BY(mutex_) = false;
  // Set with each earlier deadline, so that the thread sleeps anew.
  bool is_earlier_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace sgl::engine

#endif  // ENGINE_LEASE_WAITS_H_
