// The jobs' part of convert.h.

#include <optional>

#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/text.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

intent::v1::JobStatus ToProtoStatus(storage::JobStatus status) {
  switch (status) {
    case storage::JobStatus::kQueued:
      return intent::v1::JOB_STATUS_QUEUED;
    case storage::JobStatus::kRunning:
      return intent::v1::JOB_STATUS_RUNNING;
    case storage::JobStatus::kSucceeded:
      return intent::v1::JOB_STATUS_SUCCEEDED;
    case storage::JobStatus::kFailed:
      return intent::v1::JOB_STATUS_FAILED;
    case storage::JobStatus::kCanceled:
      return intent::v1::JOB_STATUS_CANCELED;
  }
  return intent::v1::JOB_STATUS_UNSPECIFIED;
}

std::optional<storage::JobStatus> FromProtoStatus(
    intent::v1::JobStatus status) {
  switch (status) {
    case intent::v1::JOB_STATUS_QUEUED:
      return storage::JobStatus::kQueued;
    case intent::v1::JOB_STATUS_RUNNING:
      return storage::JobStatus::kRunning;
    case intent::v1::JOB_STATUS_SUCCEEDED:
      return storage::JobStatus::kSucceeded;
    case intent::v1::JOB_STATUS_FAILED:
      return storage::JobStatus::kFailed;
    case intent::v1::JOB_STATUS_CANCELED:
      return storage::JobStatus::kCanceled;
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::Status ToProto(const storage::JobRow& row, intent::v1::Job* job) {
  job->set_id(row.id);
  job->set_tenant_id(row.tenant_id);
  job->set_intent_id(row.intent_id);
  job->set_agent_id(row.agent_id);
  job->set_job_type(row.job_type);
  job->set_status(ToProtoStatus(row.status));
  job->set_priority(row.priority);
  job->set_input(row.input);
  job->set_output(row.output);
  job->set_error(row.error);
  job->set_retry_count(row.retry_count);
  job->set_max_retries(row.max_retries);
  if (row.next_retry_at.has_value()) {
    *job->mutable_next_retry_time() = ToProtoTime(*row.next_retry_at);
  }
  job->set_leased_by(row.leased_by);
  if (row.lease_expires_at.has_value()) {
    *job->mutable_lease_expire_time() = ToProtoTime(*row.lease_expires_at);
  }
  *job->mutable_create_time() = ToProtoTime(row.created_at);
  *job->mutable_update_time() = ToProtoTime(row.updated_at);
  return absl::OkStatus();
}

absl::StatusOr<storage::JobFilter> FromProto(
    const intent::v1::JobFilter& filter) {
  storage::JobFilter result;
  if (filter.status() != intent::v1::JOB_STATUS_UNSPECIFIED) {
    result.status = FromProtoStatus(filter.status());
    if (!result.status.has_value()) {
      return BadField("filter.status", "this number is no status");
    }
  }
  result.job_type = filter.job_type();
  if (HasNul(result.job_type)) {
    return BadField("filter.job_type", "it holds a NUL character");
  }
  result.intent_id = filter.intent_id();
  if (!result.intent_id.empty() && !storage::IsUuid(result.intent_id)) {
    return BadField("filter.intent_id", "it is no UUID");
  }
  return result;
}

}  // namespace sgl::engine
