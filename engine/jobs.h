// Jobs: what a decision hands to workers. They lease them, keep them, and say
// how it went; the intent ends with its job, in the same transaction.
//
//   jobs.Lease(scope, request, tools, done);   // may wait for jobs
//   jobs.Complete(scope, {.job_id = id, .lease_token = token}, output);
//
// What a worker says counts only under a lease that is in force, by the
// database's clock: else LEASE_LOST, and nothing changed. Kill switches keep
// jobs from being leased, and nothing from being ended.
//
// Which entries account for what (entities of kind `job`, beside the intent's
// own of settlement.h):
//
//   enqueued by a settlement   JOB_ENQUEUED
//   leased                     JOB_LEASED
//   done                       JOB_SUCCEEDED
//   a try failed               JOB_FAILED; after the last JOB_EXHAUSTED_RETRIES
//   canceled                   JOB_CANCELED

#ifndef ENGINE_JOBS_H_
#define ENGINE_JOBS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/executors.h"
#include "engine/integration_tokens.h"
#include "engine/lease_waits.h"
#include "engine/secret_keys.h"
#include "storage/database.h"
#include "storage/jobs.h"

namespace sgl::engine {

// A worker does a few kinds of work; each costs a lease some statements.
inline constexpr size_t kLeasedTypesMax = 50;
// Inputs and tokens that one call hands out: clients refuse answers over 4 MiB
// where nobody told them otherwise, and what was leased so would lose a try.
inline constexpr size_t kLeasedBytesMax = 3 * 1024 * 1024;
static_assert(storage::kLeasedJobsMax * kTokenBytesMax < kLeasedBytesMax);
// A lease shorter than the first could end before its answer arrives; after one
// longer than the last nobody would still wait for what a dead worker held.
inline constexpr absl::Duration kLeaseMin = absl::Seconds(1);
inline constexpr absl::Duration kLeaseMax = absl::Hours(1);
inline constexpr absl::Duration kLeaseDefault = absl::Minutes(1);
// As long as a submission may wait.
inline constexpr absl::Duration kLeaseWaitMax = absl::Seconds(60);
// What went wrong, in characters.
inline constexpr size_t kJobErrorMax = 5000;

// What a worker asks for. Zero stands for the default.
struct LeaseRequest {
  std::vector<std::string> job_types = {};
  int jobs_max = 0;
  absl::Duration lease = absl::ZeroDuration();
  absl::Duration wait = absl::ZeroDuration();
};

// What a call that waits goes on by.
struct LeaseTools {
  // Runs a task on a thread that may ask the database; false where it can't.
  std::function<bool(std::function<void()>)> post;
  // Says whether the caller may still call: a token may end while it waits.
  std::function<absl::Status()> admit_again;
};

// What a worker says of a try that went wrong.
struct WorkerFailure {
  std::string error = {};
  bool retryable = false;
};

// A job and its intent as they stand after a call.
struct JobOutcome {
  storage::JobRow job;
  storage::IntentRow intent;
};

// Thread-safe. Owned by the engine; borrows what it is made of.
class Jobs {
 public:
  using LeaseDone =
      std::function<void(absl::StatusOr<std::vector<LeasedWork>>)>;

  // `keys_or_null` open tokens of integrations.
  Jobs(storage::Database* db, const ExecutorRegistry* executors,
       const SecretKeys* keys_or_null, LeaseWaits* waits);

  // Leases what is due; where nothing is, waits for it, and answers nothing at
  // the end of the wait. Calls `done` exactly once, from any thread. For the
  // caller: INVALID_ARGUMENT, RESOURCE_EXHAUSTED (TOO_MANY_WAITS, OVERLOADED),
  // UNAVAILABLE (DRAINING), FAILED_PRECONDITION (TOKEN_SEALED; nothing was
  // leased).
  // REQUIRES: the principal is a worker.
  void Lease(const CallScope& scope, const LeaseRequest& request,
             LeaseTools tools, LeaseDone done);

  // Makes the lease end that long from now (zero: the default); returns when.
  // For the caller, here and below: NOT_FOUND (JOB_NOT_FOUND),
  // FAILED_PRECONDITION (LEASE_LOST).
  absl::StatusOr<absl::Time> Heartbeat(const CallScope& scope,
                                       const storage::LeaseKey& key,
                                       absl::Duration lease);

  // The job went well: its intent is EXECUTED with this output. A repeat is
  // answered as it stands.
  absl::StatusOr<storage::JobRow> Complete(const CallScope& scope,
                                           const storage::LeaseKey& key,
                                           const std::string& output);

  // A try went wrong: the job waits for the next, or fails with its intent.
  absl::StatusOr<storage::JobRow> Fail(const CallScope& scope,
                                       const storage::LeaseKey& key,
                                       const WorkerFailure& failure);

  // Ends a job that isn't over, and its intent. Also PERMISSION_DENIED
  // (NOT_YOUR_INTENT) for an agent that did not submit that, and
  // FAILED_PRECONDITION (JOB_OVER).
  // REQUIRES: the principal is an agent or an operator.
  absl::StatusOr<JobOutcome> Cancel(const CallScope& scope,
                                    const std::string& job_id);

 private:
  struct LeaseCall;

  absl::StatusOr<storage::LeaseWish> CheckRequest(const CallScope& scope,
                                                  const LeaseRequest& request);
  void TryLease(const std::shared_ptr<LeaseCall>& call);
  void Wake(const std::shared_ptr<LeaseCall>& call, LeaseWaits::Cause cause);

  storage::Database* const db_;
  const ExecutorRegistry* const executors_;
  const SecretKeys* const keys_or_null_;
  LeaseWaits* const waits_;
};

// Counts the leases that ended as failed tries, of any tenant, up to `limit`.
// Returns how many.
absl::StatusOr<int> ExpireLeases(storage::Database& db, int limit);

}  // namespace sgl::engine

#endif  // ENGINE_JOBS_H_
