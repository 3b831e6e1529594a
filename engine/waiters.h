// Calls that wait until their intent is decided, without asking the database
// over and over.
//
// A waiter is added before its intent's insert commits, so that no settlement
// can come between. Settlements of this process name the intents they
// decided; those of other engines come as a notification without names, upon
// which all that wait are looked up. Either way one batched read answers
// many.

#ifndef ENGINE_WAITERS_H_
#define ENGINE_WAITERS_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "storage/intents.h"

namespace sgl::engine {

// Names an intent together with whose it is.
struct IntentKey {
  std::string tenant_id;
  std::string intent_id;
};

// Thread-safe. Owned by the engine; has one thread, between Start and Stop.
class Waiters {
 public:
  // Each is a few hundred bytes and a suspended call.
  static constexpr size_t kWaitersMax = 20'000;
  // So that no tenant takes the places of all others. At a principal's 5,000
  // calls a second and the 50 ms that a busy engine takes it has 250.
  static constexpr size_t kTenantWaitersMax = 2000;
  // Intents that one read looks up.
  static constexpr size_t kReadMax = 500;

  // Called exactly once, on the waiters' thread or on that of whoever cancels
  // or stops; not while a lock of ours is held.
  using Done = std::function<void(absl::StatusOr<storage::IntentRow>)>;
  // Returns the intents of these keys that exist, in any order.
  using Reader = std::function<absl::StatusOr<std::vector<storage::IntentRow>>(
      const std::vector<IntentKey>&)>;

  explicit Waiters(Reader reader);
  Waiters(const Waiters&) = delete;
  Waiters& operator=(const Waiters&) = delete;
  // Stops.
  ~Waiters();

  void Start();
  // Ends every wait with UNAVAILABLE `DRAINING`, those added later too, and
  // joins the thread. Calling it again does nothing.
  void Stop();

  // Waits for the intent on behalf of a call, without an end until SetUntil
  // gives it one. Drops `done` where it fails. RESOURCE_EXHAUSTED
  // (TOO_MANY_WAITS): there are kWaitersMax already, or kTenantWaitersMax of
  // its tenant. UNAVAILABLE (DRAINING): the waiters were stopped.
  // REQUIRES: `call_id` waits for nothing yet.
  absl::Status Add(uint64_t call_id, const IntentKey& key, Done done);

  // Says until when the call waits; then its `done` gets the intent as it
  // stands. Called once the insert is committed, so that there is an intent to
  // give. Does nothing where the wait ended already.
  void SetUntil(uint64_t call_id, absl::Time until);

  // Drops a call's wait without calling its `done`. Returns whether there was
  // one; where not, `done` was called already or is about to be.
  bool Forget(uint64_t call_id);

  // Ends a call's wait with CANCELLED. Does nothing where it waits for
  // nothing (any more).
  void Cancel(uint64_t call_id);

  // Says that these intents may have been decided.
  void NoteSettled(std::span<const std::string> intent_ids);
  // Says that any intent may have been.
  void NoteAnySettled();

 private:
  struct Waiter {
    IntentKey key;
    Done done;
    absl::Time until = absl::InfiniteFuture();
  };
  // A waiter's deadline and call.
  using Deadline = std::pair<absl::Time, uint64_t>;

  void Run();
  // Returns whether the thread has something to do.
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Time NextDeadline() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Moves the intents to look up out of the guarded fields.
  std::vector<IntentKey> TakeDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Reads the intents and ends the waits that the rows, or time, end.
  void Answer(const std::vector<IntentKey>& keys);
  Done Remove(uint64_t call_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Reader reader_;
  Mutex mutex_;
  absl::flat_hash_map<uint64_t, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, absl::flat_hash_set<uint64_t>> by_intent_
      ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, size_t> by_tenant_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<Deadline> deadlines_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<std::string> due_ ABSL_GUARDED_BY(mutex_);
  bool is_all_due_ ABSL_GUARDED_BY(mutex_) = false;
  // Set with each earlier deadline, so that the thread sleeps anew.
  bool is_earlier_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

// Returns whether the rules have spoken: every status but DRAFT. VALIDATING is
// seen only while a job runs, that is after the decision.
bool IsDecided(const storage::IntentRow& row);

}  // namespace sgl::engine

#endif  // ENGINE_WAITERS_H_
