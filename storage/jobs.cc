#include "storage/jobs.h"

#include <absl/strings/str_cat.h>

#include <array>
#include <utility>

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

constexpr std::array<absl::string_view, 5> kStatusNames = {
    "queued", "running", "succeeded", "failed", "canceled"};

// Reads a row of the view job_rows, from where the reader stands.
JobRow ReadJobRow(RowReader& reader) {
  JobRow job;
  job.id = reader.Text();
  job.tenant_id = reader.Text();
  job.intent_id = reader.Text();
  job.agent_id = reader.Text();
  job.job_type = reader.Text();
  const std::string status = reader.Text();
  const std::optional<JobStatus> known = JobStatusFromName(status);
  if (!known.has_value()) {
    Raise(absl::InternalError(
        absl::StrCat("job ", job.id, " has the status `", status, "`")));
  }
  job.status = *known;
  job.priority = static_cast<int32_t>(reader.Int());
  job.input = reader.Text();
  job.output = reader.Text();
  job.error = reader.Text();
  job.retry_count = static_cast<int32_t>(reader.Int());
  job.max_retries = static_cast<int32_t>(reader.Int());
  job.next_retry_at = reader.OptionalTime();
  job.leased_by = reader.Text();
  job.lease_expires_at = reader.OptionalTime();
  job.created_at = reader.Time();
  job.updated_at = reader.Time();
  // The creation time once more, which lists are ordered by.
  reader.Text();
  return job;
}

JobRow ReadJob(Session& session, const std::string& id) {
  RowReader reader(
      session.ExecOne(kGetJobSql, Args().Text(id), absl::StrCat("job ", id)));
  return ReadJobRow(reader);
}

// A token that is none names no lease, like one that was lost.
absl::Status CheckToken(const LeaseKey& key) {
  if (IsUuid(key.lease_token)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("job ", key.job_id, " is not leased by this token"));
}

absl::Status NotInForce(const std::string& job_id) {
  return absl::FailedPreconditionError(
      absl::StrCat("the lease of job ", job_id, " is not in force"));
}

}  // namespace

absl::string_view JobStatusName(JobStatus status) {
  return kStatusNames[static_cast<size_t>(status)];
}

std::optional<JobStatus> JobStatusFromName(absl::string_view name) {
  for (size_t i = 0; i < kStatusNames.size(); ++i) {
    if (kStatusNames[i] == name) return static_cast<JobStatus>(i);
  }
  return std::nullopt;
}

absl::StatusOr<JobRow> GetJob(Transaction& tx, const std::string& id) noexcept {
  return Guard("get a job", [&]() -> absl::StatusOr<JobRow> {
    RequireId("job", id);
    return ReadJob(OpenSession(tx), id);
  });
}

absl::StatusOr<std::vector<JobRow>> ListJobs(
    Transaction& tx, const JobFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<JobRow>>;
  return Guard("list jobs", [&]() -> Result {
    Session& session = OpenSession(tx);
    std::vector<JobRow> jobs;
    if (!filter.intent_id.empty() && !IsUuid(filter.intent_id)) return jobs;
    Args args;
    args.Text(session.OnlyTenant())
        .Nullable(filter.status.has_value() ? JobStatusName(*filter.status)
                                            : "")
        .Nullable(filter.job_type)
        .Nullable(filter.intent_id);
    AddPage(after, limit, args);
    for (const pqxx::row& row : session.Exec(kListJobsSql, args)) {
      RowReader reader(row);
      jobs.push_back(ReadJobRow(reader));
    }
    return jobs;
  });
}

absl::StatusOr<std::vector<LeasedJob>> LeaseJobs(
    Transaction& tx, const LeaseWish& wish) noexcept {
  using Result = absl::StatusOr<std::vector<LeasedJob>>;
  return Guard("lease jobs", [&]() -> Result {
    if (wish.jobs_max < 1 || wish.jobs_max > kLeasedJobsMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "1 to ", kLeasedJobsMax, " jobs are leased, not ", wish.jobs_max));
    }
    ArrayText types;
    ArrayText caps;
    for (const LeasedType& type : wish.types) {
      types.Add(type.job_type);
      if (type.running_max.has_value()) {
        caps.AddInt(*type.running_max);
      } else {
        caps.AddNull();
      }
    }
    Session& session = OpenSession(tx);
    std::vector<LeasedJob> leased;
    for (const pqxx::row& row : session.Exec(
             kLeaseJobsSql, Args()
                                .Text(session.OnlyTenant())
                                .Array(types)
                                .Array(caps)
                                .Int(wish.jobs_max)
                                .Int(static_cast<int64_t>(wish.input_bytes_max))
                                .Int(absl::ToInt64Microseconds(wish.lease))
                                .Text(wish.worker))) {
      RowReader reader(row);
      LeasedJob one = {.job = ReadJobRow(reader), .lease_token = {}};
      one.lease_token = reader.Text();
      leased.push_back(std::move(one));
    }
    return leased;
  });
}

absl::StatusOr<absl::Time> ExtendLease(Transaction& tx, const LeaseKey& key,
                                       absl::Duration lease) noexcept {
  return Guard("extend a lease", [&]() -> absl::StatusOr<absl::Time> {
    RequireId("job", key.job_id);
    Session& session = OpenSession(tx);
    session.ExecOne(kFindJobIntentSql, Args().Text(key.job_id),
                    absl::StrCat("job ", key.job_id));
    const absl::Status checked = CheckToken(key);
    if (!checked.ok()) return checked;
    const pqxx::result extended = session.Exec(
        kExtendLeaseSql, Args()
                             .Text(key.job_id)
                             .Text(key.lease_token)
                             .Int(absl::ToInt64Microseconds(lease)));
    if (extended.empty()) return NotInForce(key.job_id);
    RowReader reader(extended[0]);
    return reader.Time();
  });
}

absl::StatusOr<LockedJob> LockJob(Transaction& tx,
                                  const std::string& id) noexcept {
  return Guard("lock a job", [&]() -> absl::StatusOr<LockedJob> {
    RequireId("job", id);
    const std::string what = absl::StrCat("job ", id);
    Session& session = OpenSession(tx);
    const std::string intent_id =
        session.ExecOne(kFindJobIntentSql, Args().Text(id), what)[0].c_str();
    LockedJob locked;
    RowReader intent(
        session.ExecOne(kLockIntentSql, Args().Text(intent_id), what));
    locked.intent = ReadIntentRow(intent);
    session.ExecOne(kLockJobSql, Args().Text(id), what);
    locked.job = ReadJob(session, id);
    return locked;
  });
}

absl::StatusOr<bool> IsRepeat(Transaction& tx, const LeaseKey& key) noexcept {
  return Guard("look for a repeat", [&]() -> absl::StatusOr<bool> {
    RequireId("job", key.job_id);
    if (!IsUuid(key.lease_token)) return false;
    RowReader reader(OpenSession(tx).ExecOne(
        kLeaseRepeatsSql, Args().Text(key.job_id).Text(key.lease_token),
        absl::StrCat("job ", key.job_id)));
    return reader.Bool();
  });
}

absl::Status CompleteJob(Transaction& tx, const LeaseKey& key,
                         const std::string& output) noexcept {
  return Guard("complete a job", [&]() -> absl::Status {
    RequireId("job", key.job_id);
    const absl::Status checked = CheckToken(key);
    if (!checked.ok()) return checked;
    const pqxx::result done = OpenSession(tx).Exec(
        kCompleteJobSql,
        Args().Text(key.job_id).Text(key.lease_token).Nullable(output));
    return done.empty() ? NotInForce(key.job_id) : absl::OkStatus();
  });
}

absl::StatusOr<JobRow> FailTry(Transaction& tx,
                               const FailedTry& failed) noexcept {
  return Guard("fail a try", [&]() -> absl::StatusOr<JobRow> {
    const LeaseKey& key = failed.key;
    RequireId("job", key.job_id);
    if (!key.lease_token.empty()) {
      const absl::Status checked = CheckToken(key);
      if (!checked.ok()) return checked;
    }
    Session& session = OpenSession(tx);
    const pqxx::result done =
        session.Exec(kFailTrySql, Args()
                                      .Text(key.job_id)
                                      .Nullable(key.lease_token)
                                      .Text(failed.error)
                                      .Bool(failed.retryable));
    if (done.empty()) return NotInForce(key.job_id);
    return ReadJob(session, key.job_id);
  });
}

absl::Status CancelJob(Transaction& tx, const std::string& id) noexcept {
  return Guard("cancel a job", [&]() -> absl::Status {
    RequireId("job", id);
    const pqxx::result done =
        OpenSession(tx).Exec(kCancelJobSql, Args().Text(id));
    if (!done.empty()) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat("job ", id, " is over"));
  });
}

absl::StatusOr<std::vector<LockedJob>> ExpiredJobs(Transaction& tx,
                                                   int limit) noexcept {
  using Result = absl::StatusOr<std::vector<LockedJob>>;
  return Guard("find leases that ended", [&]() -> Result {
    if (limit < 1 || limit > kBatchIntentsMax) {
      return absl::InvalidArgumentError(absl::StrCat(
          "a batch has 1 to ", kBatchIntentsMax, " jobs, not ", limit));
    }
    Session& session = OpenSession(tx);
    const pqxx::result expired =
        session.Exec(kExpiredJobsSql, Args().Int(limit));
    NoteClaimedTenants(session, expired.empty() ? "" : expired[0][1].c_str());
    std::vector<LockedJob> locked;
    for (const pqxx::row& row : expired) {
      LockedJob one;
      one.job = ReadJob(session, row[0].c_str());
      RowReader intent(
          session.ExecOne(kGetIntentsSql, Args().TextArray({one.job.intent_id}),
                          absl::StrCat("intent ", one.job.intent_id)));
      one.intent = ReadIntentRow(intent);
      locked.push_back(std::move(one));
    }
    return locked;
  });
}

absl::StatusOr<std::vector<JobKey>> LeasableJobs(
    Transaction& tx, const std::vector<JobKey>& keys) noexcept {
  using Result = absl::StatusOr<std::vector<JobKey>>;
  return Guard("look for jobs that are due", [&]() -> Result {
    if (keys.size() > static_cast<size_t>(kBatchIntentsMax)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "at most ", kBatchIntentsMax, " keys at once, not ", keys.size()));
    }
    ArrayText tenants;
    ArrayText types;
    for (const JobKey& key : keys) {
      tenants.Add(key.tenant_id);
      types.Add(key.job_type);
    }
    std::vector<JobKey> leasable;
    for (const pqxx::row& row : OpenSession(tx).Exec(
             kLeasableJobsSql, Args().Array(tenants).Array(types))) {
      RowReader reader(row);
      JobKey key;
      key.tenant_id = reader.Text();
      key.job_type = reader.Text();
      leasable.push_back(std::move(key));
    }
    return leasable;
  });
}

}  // namespace sgl::storage
