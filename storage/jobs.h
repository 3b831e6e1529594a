// Jobs: what workers do for intents. A settlement enqueues one (settlement.h);
// here it is leased, kept, ended and looked at. Its intent ends with it, which
// the caller settles in the same transaction.
//
// A lease is named by a token that is new for each: what a worker says under
// one counts only while it is in force, by the database's clock. So a worker
// that lost its lease changes nothing, whoever holds the job by now.
//
// LOCK ORDER: an intent before its job, always. LockJob and ExpiredJobs keep
// it; leases and heartbeats lock the job alone.
//
// Jobs without an intent are other writers' own: not shown here, nor leased.

#ifndef STORAGE_JOBS_H_
#define STORAGE_JOBS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/database.h"
#include "storage/intents.h"

namespace sgl::storage {

// One lease call hands out at most this many.
inline constexpr int kLeasedJobsMax = 100;

enum class JobStatus : uint8_t {
  kQueued,
  kRunning,
  kSucceeded,
  kFailed,
  kCanceled,
};

// Returns `queued` and so on, as the column holds it.
absl::string_view JobStatusName(JobStatus status);
std::optional<JobStatus> JobStatusFromName(absl::string_view name);

// One row of jobs, with what belongs to it of its intent. Texts that are null
// in the row are empty here.
struct JobRow {
  std::string id;
  std::string tenant_id;
  std::string intent_id;
  // Who submitted the intent. Empty for a row inserted by SQL that names none.
  std::string agent_id;
  std::string job_type;
  JobStatus status = JobStatus::kQueued;
  int32_t priority = 0;
  // The intent's payload, exactly.
  std::string input;
  // JSON text. Set where it succeeded and said anything.
  std::string output;
  // A JSON object about the last try that failed.
  std::string error;
  // Tries beyond the first: those begun, and those allowed.
  int32_t retry_count = 0;
  int32_t max_retries = 0;
  // Where it waits for its next try.
  std::optional<absl::Time> next_retry_at;
  // `worker:<token id>` of the last lease.
  std::string leased_by;
  // Where it is running.
  std::optional<absl::Time> lease_expires_at;
  absl::Time created_at;
  absl::Time updated_at;
};

absl::StatusOr<JobRow> GetJob(Transaction& tx, const std::string& id) noexcept;

// Unset fields do not restrict.
struct JobFilter {
  std::optional<JobStatus> status = {};
  std::string job_type = {};
  std::string intent_id = {};
};

// Like ListIntents.
absl::StatusOr<std::vector<JobRow>> ListJobs(
    Transaction& tx, const JobFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

// A job type to lease, with how many the tenant may have running of it at once.
struct LeasedType {
  std::string job_type = {};
  // Unset: no limit.
  std::optional<int32_t> running_max = {};
};

// What one worker asks for.
struct LeaseWish {
  std::vector<LeasedType> types = {};
  // 1 to kLeasedJobsMax.
  int jobs_max = 1;
  // Of all inputs together, unless the first alone is larger.
  size_t input_bytes_max = 0;
  absl::Duration lease = absl::ZeroDuration();
  // `worker:<token id>`.
  std::string worker = {};
};

struct LeasedJob {
  JobRow job;
  std::string lease_token;
};

// Leases jobs of the transaction's tenant that are due, with their JOB_LEASED
// entries: the highest priority first, then the oldest. Nothing where a kill
// switch is set; what is let through is waited for by AwaitSettlements
// (switches.h).
absl::StatusOr<std::vector<LeasedJob>> LeaseJobs(
    Transaction& tx, const LeaseWish& wish) noexcept;

// A lease, as a worker names it.
struct LeaseKey {
  std::string job_id = {};
  std::string lease_token = {};
};

// Makes the lease end that long from now; returns when. NOT_FOUND: no such job.
// FAILED_PRECONDITION: the lease is not in force.
absl::StatusOr<absl::Time> ExtendLease(Transaction& tx, const LeaseKey& key,
                                       absl::Duration lease) noexcept;

// A job and its intent, locked in the order of locks.
struct LockedJob {
  JobRow job;
  IntentRow intent;
};

absl::StatusOr<LockedJob> LockJob(Transaction& tx,
                                  const std::string& id) noexcept;

// Returns whether the job succeeded by this very lease.
absl::StatusOr<bool> IsRepeat(Transaction& tx, const LeaseKey& key) noexcept;

// Each ends a try and needs LockJob or ExpiredJobs in this transaction.

// The job succeeded. FAILED_PRECONDITION: the lease is not in force.
// INVALID_ARGUMENT: an output that jsonb can't hold; empty is none.
absl::Status CompleteJob(Transaction& tx, const LeaseKey& key,
                         const std::string& output) noexcept;

// A try that went wrong.
struct FailedTry {
  // Of the worker that says so. An empty token: the lease ended, which the
  // statement makes sure of.
  LeaseKey key = {};
  // JSON object. The number of the try is added.
  std::string error = {};
  // Whether another may go better.
  bool retryable = false;
};

// Has the job wait for its next try, or fail where there is none. Returns it as
// it stands then. FAILED_PRECONDITION: the lease is not in force (any more, or
// still).
absl::StatusOr<JobRow> FailTry(Transaction& tx,
                               const FailedTry& failed) noexcept;

// FAILED_PRECONDITION: the job is over.
absl::Status CancelJob(Transaction& tx, const std::string& id) noexcept;

// Locks up to `limit` jobs of any tenant whose lease has ended, and their
// intents, skipping what others hold. Sets the transaction's tenants to theirs.
absl::StatusOr<std::vector<LockedJob>> ExpiredJobs(Transaction& tx,
                                                   int limit) noexcept;

// What a worker waits for.
struct JobKey {
  std::string tenant_id = {};
  std::string job_type = {};

  bool operator==(const JobKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H state, const JobKey& key) {
    return H::combine(std::move(state), key.tenant_id, key.job_type);
  }
};

// Returns those of the keys that have jobs which are due, at most
// kBatchIntentsMax keys; the transaction's tenants are theirs. Whether any may
// be leased (kill switch, cap) is not asked.
absl::StatusOr<std::vector<JobKey>> LeasableJobs(
    Transaction& tx, const std::vector<JobKey>& keys) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_JOBS_H_
