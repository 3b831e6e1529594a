#include "engine/jobs.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/log.h"
#include "engine/error.h"
#include "engine/intent_body.h"
#include "engine/memo_checks.h"
#include "engine/settlement.h"
#include "storage/audit.h"
#include "storage/identity.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::engine {
namespace {

using ::nlohmann::ordered_json;
using storage::AuditEntry;
using storage::AuditLevel;
using storage::IntentRow;
using storage::JobRow;
using storage::JobStatus;
using storage::LeaseKey;
using storage::LockedJob;

// The answer to a wait that ends with the call's deadline leaves this much
// earlier, so that it still arrives.
constexpr absl::Duration kAnswerMargin = absl::Milliseconds(50);

std::string Dump(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

absl::Status JobNotFound(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kNotFound) return status;
  return Refusal(absl::StatusCode::kNotFound, "JOB_NOT_FOUND",
                 "there is no job with this id");
}

// What storage says where no row was under a lease in force.
absl::Status LeaseLost(const absl::Status& status) {
  if (status.code() != absl::StatusCode::kFailedPrecondition) return status;
  return Refusal(absl::StatusCode::kFailedPrecondition, "LEASE_LOST",
                 "this lease is not in force: it ended, the job was canceled, "
                 "or it is over; stop the work, nothing was changed");
}

// Sets a duration that was left out; appends what is wrong with another.
void CheckLease(absl::Duration* lease, std::vector<FieldError>* errors) {
  if (*lease == absl::ZeroDuration()) *lease = kLeaseDefault;
  if (*lease >= kLeaseMin && *lease <= kLeaseMax) return;
  errors->push_back(
      {"lease", absl::StrCat("it must be ", absl::FormatDuration(kLeaseMin),
                             " to ", absl::FormatDuration(kLeaseMax))});
}

absl::StatusOr<storage::Transaction> Begin(storage::Database* db,
                                           const CallScope& scope) {
  return db->Begin({.tenants = {scope.principal().tenant_id},
                    .statement_timeout = scope.StatementTimeout()});
}

absl::Status Append(storage::Transaction& tx, const JobRow& job,
                    const AuditEntry& entry) {
  return storage::AppendAudit(
      tx,
      {.tenant_id = job.tenant_id, .entity_type = "job", .entity_id = job.id},
      entry);
}

absl::Status Settle(storage::Transaction& tx,
                    const storage::Settlement& settlement) {
  // The decision stands: no policy is asked again, and no switch either.
  return storage::SettleIntents(tx, "", {&settlement, 1});
}

// Commits, unless the caller left.
absl::Status CommitFor(storage::Transaction& tx, const CallScope& scope) {
  const absl::Status alive = scope.CheckAlive();
  return alive.ok() ? tx.Commit() : alive;
}

storage::Settlement Executed(const LockedJob& locked,
                             const std::string& output) {
  storage::Settlement settlement;
  settlement.intent_id = locked.intent.id;
  settlement.tenant_id = locked.intent.tenant_id;
  settlement.status = storage::IntentStatus::kExecuted;
  settlement.output = output;
  settlement.audit.push_back(
      MakeEntry("ENGINE_EXECUTED_INTENT", AuditLevel::kInfo,
                Dump({{"executor", "job"},
                      {"job_id", locked.job.id},
                      {"policy_digest", locked.intent.policy_digest}})));
  return settlement;
}

// Why a try failed, and who says so.
struct TryFailure {
  LeaseKey key = {};
  std::string reason = {};
  std::string message = {};
  bool retryable = false;
  storage::Actor actor = {};
};

ordered_json MetaOf(const LockedJob& locked) {
  return {{"intent_id", locked.intent.id},
          {"job_type", locked.job.job_type},
          {"attempt", locked.job.retry_count + 1}};
}

// Ends the intent of a job that has no further try.
absl::Status GiveUp(storage::Transaction& tx, const LockedJob& locked,
                    const TryFailure& failure) {
  const char* reason = kJobFailed;
  if (failure.retryable) {
    reason = kJobExhaustedRetries;
    const absl::Status appended =
        Append(tx, locked.job,
               MakeEntry("JOB_EXHAUSTED_RETRIES", AuditLevel::kError,
                         Dump(MetaOf(locked))));
    if (!appended.ok()) return appended;
  }
  return Settle(
      tx,
      SettleFailed(locked.intent,
                   {.reason = reason,
                    .message = failure.message,
                    .audit = MakeEntry("ENGINE_FAILED", AuditLevel::kError,
                                       Dump({{"reason", reason},
                                             {"message", failure.message},
                                             {"job_id", locked.job.id}}))}));
}

// Counts a failed try, with its entries, and ends the intent where it was the
// last. Returns the job as it stands then.
absl::StatusOr<JobRow> EndTry(storage::Transaction& tx, const LockedJob& locked,
                              const TryFailure& failure) {
  absl::StatusOr<JobRow> job = storage::FailTry(
      tx, {.key = failure.key,
           .error =
               Dump({{"reason", failure.reason}, {"message", failure.message}}),
           .retryable = failure.retryable});
  if (!job.ok()) return job;
  ordered_json meta = MetaOf(locked);
  meta["reason"] = failure.reason;
  meta["message"] = failure.message;
  meta["retryable"] = failure.retryable;
  if (job->next_retry_at.has_value()) {
    meta["next_retry_at"] = absl::FormatTime(
        absl::RFC3339_full, *job->next_retry_at, absl::UTCTimeZone());
  }
  AuditEntry entry = MakeEntry("JOB_FAILED", AuditLevel::kWarn, Dump(meta));
  entry.actor = failure.actor;
  absl::Status status = Append(tx, *job, entry);
  if (status.ok() && job->status == JobStatus::kFailed) {
    status = GiveUp(tx, locked, failure);
  }
  if (!status.ok()) return status;
  return job;
}

absl::StatusOr<LockedJob> Lock(storage::Transaction& tx,
                               const std::string& job_id) {
  absl::StatusOr<LockedJob> locked = storage::LockJob(tx, job_id);
  if (!locked.ok()) return JobNotFound(locked.status());
  return locked;
}

}  // namespace

// A call that leases, while it looks and waits.
struct Jobs::LeaseCall {
  CallScope scope;
  storage::LeaseWish wish;
  LeaseTools tools;
  LeaseDone done;
};

Jobs::Jobs(storage::Database* db, const ExecutorRegistry* executors,
           const SecretKeys* keys_or_null, LeaseWaits* waits)
    : db_(db),
      executors_(executors),
      keys_or_null_(keys_or_null),
      waits_(waits) {}

absl::StatusOr<storage::LeaseWish> Jobs::CheckRequest(
    const CallScope& scope, const LeaseRequest& request) {
  std::vector<FieldError> errors;
  storage::LeaseWish wish = {.jobs_max = std::max(request.jobs_max, 1),
                             .input_bytes_max = kLeasedBytesMax,
                             .lease = request.lease,
                             .worker = ActorOf(scope.principal()).external_id};
  if (request.job_types.empty() || request.job_types.size() > kLeasedTypesMax) {
    errors.push_back({"job_types", absl::StrCat("name 1 to ", kLeasedTypesMax,
                                                " job types, not ",
                                                request.job_types.size())});
    return BadFields(errors);
  }
  std::vector<std::string> types = request.job_types;
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  for (const std::string& type : types) {
    const std::optional<int32_t> running_max = executors_->RunningMax(type);
    if (!running_max.has_value()) {
      errors.push_back(
          {"job_types",
           absl::StrCat("no executor of this engine has the job type `", type,
                        "`; see the file of `intentd --executors`")});
      continue;
    }
    storage::LeasedType wanted = {.job_type = type};
    if (*running_max > 0) wanted.running_max = *running_max;
    wish.types.push_back(std::move(wanted));
  }
  if (request.jobs_max < 0 || request.jobs_max > storage::kLeasedJobsMax) {
    errors.push_back({"max_jobs", absl::StrCat("it must be 1 to ",
                                               storage::kLeasedJobsMax)});
  }
  CheckLease(&wish.lease, &errors);
  if (request.wait < absl::ZeroDuration() || request.wait > kLeaseWaitMax) {
    errors.push_back(
        {"wait", absl::StrCat("it must be 0 to ",
                              absl::FormatDuration(kLeaseWaitMax))});
  }
  if (!errors.empty()) return BadFields(errors);
  if (std::any_of(wish.types.begin(), wish.types.end(),
                  [&](const storage::LeasedType& type) {
                    return !executors_->ProvidersOf(type.job_type).empty();
                  })) {
    // Their tokens need room in the answer too.
    wish.input_bytes_max -= static_cast<size_t>(wish.jobs_max) * kTokenBytesMax;
  }
  return wish;
}

void Jobs::Lease(const CallScope& scope, const LeaseRequest& request,
                 LeaseTools tools, LeaseDone done) {
  absl::StatusOr<storage::LeaseWish> wish = CheckRequest(scope, request);
  if (!wish.ok()) return done(wish.status());
  LeaseWaits::Wait wait;
  for (const storage::LeasedType& type : wish->types) {
    wait.keys.push_back({scope.principal().tenant_id, type.job_type});
  }
  wait.until =
      std::min(absl::Now() + request.wait, scope.deadline() - kAnswerMargin);
  const auto call = std::make_shared<LeaseCall>(
      LeaseCall{scope, *std::move(wish), std::move(tools), std::move(done)});
  wait.wake = [this, call](LeaseWaits::Cause cause) { Wake(call, cause); };
  const absl::Status added = waits_->Add(scope.id(), std::move(wait));
  if (!added.ok()) return call->done(added);
  TryLease(call);
}

void Jobs::TryLease(const std::shared_ptr<LeaseCall>& call) {
  absl::StatusOr<std::vector<LeasedWork>> work = std::vector<LeasedWork>();
  absl::StatusOr<storage::Transaction> tx = Begin(db_, call->scope);
  absl::Status status = tx.status();
  if (status.ok()) {
    absl::StatusOr<std::vector<storage::LeasedJob>> leased =
        storage::LeaseJobs(*tx, call->wish);
    status = leased.status();
    if (status.ok()) {
      work = WithTokens(*tx, *executors_, keys_or_null_, *std::move(leased));
      status = work.status();
    }
  }
  if (status.ok() && work->empty()) {
    tx->Rollback();
    return waits_->Park(call->scope.id());
  }
  if (status.ok()) status = CommitFor(*tx, call->scope);
  if (!status.ok()) work = status;
  waits_->Remove(call->scope.id(), work.ok());
  call->done(std::move(work));
}

void Jobs::Wake(const std::shared_ptr<LeaseCall>& call,
                LeaseWaits::Cause cause) {
  switch (cause) {
    case LeaseWaits::Cause::kNews:
      break;
    case LeaseWaits::Cause::kTimeUp:
      return call->done(std::vector<LeasedWork>());
    case LeaseWaits::Cause::kCanceled:
      return call->done(absl::CancelledError("the caller went away"));
    case LeaseWaits::Cause::kDraining:
      return call->done(LeaseWaits::Draining());
  }
  const bool is_posted = call->tools.post([this, call] {
    const absl::Status admitted = call->tools.admit_again();
    if (admitted.ok()) return TryLease(call);
    waits_->Remove(call->scope.id(), false);
    call->done(admitted);
  });
  if (is_posted) return;
  waits_->Remove(call->scope.id(), false);
  call->done(Refusal(absl::StatusCode::kResourceExhausted, "OVERLOADED",
                     "the engine's queue is full; try again"));
}

absl::StatusOr<absl::Time> Jobs::Heartbeat(const CallScope& scope,
                                           const LeaseKey& key,
                                           absl::Duration lease) {
  std::vector<FieldError> errors;
  CheckLease(&lease, &errors);
  if (!errors.empty()) return BadFields(errors);
  absl::StatusOr<storage::Transaction> tx = Begin(db_, scope);
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<absl::Time> until =
      storage::ExtendLease(*tx, key, lease);
  if (!until.ok()) return LeaseLost(JobNotFound(until.status()));
  const absl::Status committed = CommitFor(*tx, scope);
  if (!committed.ok()) return committed;
  return until;
}

absl::StatusOr<JobRow> Jobs::Complete(const CallScope& scope,
                                      const LeaseKey& key,
                                      const std::string& output) {
  std::vector<FieldError> errors;
  if (!output.empty()) CheckJsonObject("output", output, &errors);
  if (!errors.empty()) return BadFields(errors);
  absl::StatusOr<storage::Transaction> tx = Begin(db_, scope);
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<LockedJob> locked = Lock(*tx, key.job_id);
  if (!locked.ok()) return locked.status();
  absl::Status status = storage::CompleteJob(*tx, key, output);
  if (absl::IsFailedPrecondition(status)) {
    const absl::StatusOr<bool> is_repeat = storage::IsRepeat(*tx, key);
    if (!is_repeat.ok()) return is_repeat.status();
    if (*is_repeat && locked->job.output == output) return locked->job;
    return LeaseLost(status);
  }
  if (!status.ok()) return status;
  status = Append(
      *tx, locked->job,
      EntryBy(scope, "JOB_SUCCEEDED", AuditLevel::kInfo, MetaOf(*locked)));
  if (status.ok()) status = Settle(*tx, Executed(*locked, output));
  if (!status.ok()) return status;
  const absl::StatusOr<JobRow> job = storage::GetJob(*tx, key.job_id);
  if (!job.ok()) return job.status();
  status = CommitFor(*tx, scope);
  if (!status.ok()) return status;
  return job;
}

absl::StatusOr<JobRow> Jobs::Fail(const CallScope& scope, const LeaseKey& key,
                                  const WorkerFailure& failure) {
  std::vector<FieldError> errors;
  if (failure.error.empty()) {
    errors.push_back({"error", "say what went wrong"});
  }
  CheckText("error", failure.error, kJobErrorMax, &errors);
  if (!errors.empty()) return BadFields(errors);
  absl::StatusOr<storage::Transaction> tx = Begin(db_, scope);
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<LockedJob> locked = Lock(*tx, key.job_id);
  if (!locked.ok()) return locked.status();
  // No token would mean that the lease ended, which is the clock's to say.
  if (key.lease_token.empty()) {
    return LeaseLost(absl::FailedPreconditionError("no lease is named"));
  }
  absl::StatusOr<JobRow> job = EndTry(*tx, *locked,
                                      {.key = key,
                                       .reason = "WORKER_FAILED",
                                       .message = failure.error,
                                       .retryable = failure.retryable,
                                       .actor = ActorOf(scope.principal())});
  if (!job.ok()) return LeaseLost(job.status());
  const absl::Status committed = CommitFor(*tx, scope);
  if (!committed.ok()) return committed;
  return job;
}

absl::StatusOr<JobOutcome> Jobs::Cancel(const CallScope& scope,
                                        const std::string& job_id) {
  const storage::Principal& principal = scope.principal();
  absl::StatusOr<storage::Transaction> tx = Begin(db_, scope);
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<LockedJob> locked = Lock(*tx, job_id);
  if (!locked.ok()) return locked.status();
  if (principal.kind == storage::PrincipalKind::kAgent &&
      locked->intent.agent_id != principal.agent_id) {
    return Refusal(absl::StatusCode::kPermissionDenied, "NOT_YOUR_INTENT",
                   "another agent submitted the intent of this job");
  }
  absl::Status status = storage::CancelJob(*tx, job_id);
  if (absl::IsFailedPrecondition(status)) {
    return Refusal(
        absl::StatusCode::kFailedPrecondition, "JOB_OVER",
        absl::StrCat("the job is ", storage::JobStatusName(locked->job.status),
                     " and can't be canceled any more"));
  }
  const ordered_json meta = MetaOf(*locked);
  if (status.ok()) {
    status = Append(*tx, locked->job,
                    EntryBy(scope, "JOB_CANCELED", AuditLevel::kInfo, meta));
  }
  if (status.ok()) {
    status = Settle(
        *tx,
        SettleFailed(
            locked->intent,
            {.reason = kCanceled,
             .message = absl::StrCat("its job was canceled by ",
                                     storage::PrincipalKindName(principal.kind),
                                     " ", principal.name),
             .audit = EntryBy(scope, "INTENT_CANCELED", AuditLevel::kInfo,
                              {{"from", "VALIDATING"}, {"job_id", job_id}})}));
  }
  if (!status.ok()) return status;
  absl::StatusOr<JobRow> job = storage::GetJob(*tx, job_id);
  if (!job.ok()) return job.status();
  absl::StatusOr<IntentRow> intent = storage::GetIntent(*tx, locked->intent.id);
  if (!intent.ok()) return intent.status();
  status = CommitFor(*tx, scope);
  if (!status.ok()) return status;
  return JobOutcome{*std::move(job), *std::move(intent)};
}

absl::StatusOr<int> ExpireLeases(storage::Database& db, int limit) {
  absl::StatusOr<storage::Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<LockedJob>> expired =
      storage::ExpiredJobs(*tx, limit);
  if (!expired.ok()) return expired.status();
  if (expired->empty()) return 0;
  int count = 0;
  for (const LockedJob& locked : *expired) {
    // One that the database refuses must not hold up the others.
    const absl::Status status = tx->InSavepoint([&] {
      return EndTry(*tx, locked,
                    {.key = {.job_id = locked.job.id},
                     .reason = "LEASE_EXPIRED",
                     .message = "the worker's lease ended before it said how "
                                "the job went",
                     .retryable = true})
          .status();
    });
    if (IsTransient(status)) return status;
    if (status.ok()) {
      ++count;
    } else {
      LogError("end the lease of job {}: {}", locked.job.id, status.ToString());
    }
  }
  const absl::Status committed = tx->Commit();
  if (!committed.ok()) return committed;
  return count;
}

}  // namespace sgl::engine
