#include "engine/rpc/job_service.h"

#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/integration_tokens.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/page.h"
#include "storage/jobs.h"

namespace sgl::engine {
namespace {

// What every call under a lease states.
template <typename Request>
storage::LeaseKey KeyIn(const Request& request) {
  return {.job_id = request.id(), .lease_token = request.lease_token()};
}

template <typename Response>
absl::Status Answer(const absl::StatusOr<storage::JobRow>& job,
                    Response* response) {
  if (!job.ok()) return job.status();
  return ToProto(*job, response->mutable_job());
}

absl::StatusOr<LeaseRequest> FromProto(
    const intent::v1::LeaseJobsRequest& request) {
  LeaseRequest result = {
      .job_types = {request.job_types().begin(), request.job_types().end()},
      .jobs_max = request.max_jobs()};
  absl::StatusOr<absl::Duration> duration =
      FromProtoDuration("lease", request.has_lease(), request.lease());
  if (!duration.ok()) return duration.status();
  result.lease = *duration;
  duration = FromProtoDuration("wait", request.has_wait(), request.wait());
  if (!duration.ok()) return duration.status();
  result.wait = *duration;
  return result;
}

void ToProto(const LeasedWork& work, intent::v1::JobLease* lease) {
  const storage::LeasedJob& leased = work.leased;
  lease->set_job_id(leased.job.id);
  lease->set_job_type(leased.job.job_type);
  lease->set_input(leased.job.input);
  lease->set_lease_token(leased.lease_token);
  if (leased.job.lease_expires_at.has_value()) {
    *lease->mutable_lease_expire_time() =
        ToProtoTime(*leased.job.lease_expires_at);
  }
  lease->set_attempt(leased.job.retry_count + 1);
  lease->set_intent_id(leased.job.intent_id);
  if (!work.token.has_value()) return;
  intent::v1::IntegrationToken* token = lease->mutable_integration_token();
  token->set_provider(work.token->provider);
  token->set_access_token(work.token->access_token);
  if (work.token->expires_at.has_value()) {
    *token->mutable_expire_time() = ToProtoTime(*work.token->expires_at);
  }
}

}  // namespace

JobService::JobService(Calls* calls, storage::Database* db, Jobs* jobs)
    : calls_(calls), db_(db), jobs_(jobs) {}

grpc::ServerUnaryReactor* JobService::LeaseJobs(
    grpc::CallbackServerContext* context,
    const intent::v1::LeaseJobsRequest* request,
    intent::v1::LeaseJobsResponse* response) {
  const LeaseTools tools = {
      .post =
          [calls = calls_](std::function<void()> task) {
            return calls->TryPost(std::move(task));
          },
      .admit_again = calls_->Readmitter(*context, Method::kLeaseJobs)};
  return calls_->StartDeferred(
      context, Method::kLeaseJobs,
      [=, this](const CallScope& scope, Calls::Done done) {
        const absl::StatusOr<LeaseRequest> wanted = FromProto(*request);
        if (!wanted.ok()) return done(wanted.status());
        jobs_->Lease(
            scope, *wanted, tools,
            [response,
             done](const absl::StatusOr<std::vector<LeasedWork>>& leased) {
              if (!leased.ok()) return done(leased.status());
              for (const LeasedWork& one : *leased) {
                ToProto(one, response->add_leases());
              }
              done(absl::OkStatus());
            });
      });
}

grpc::ServerUnaryReactor* JobService::HeartbeatJob(
    grpc::CallbackServerContext* context,
    const intent::v1::HeartbeatJobRequest* request,
    intent::v1::HeartbeatJobResponse* response) {
  return calls_->Start(context, Method::kHeartbeatJob,
                       [=, this](const CallScope& scope) {
                         return Heartbeat(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* JobService::CompleteJob(
    grpc::CallbackServerContext* context,
    const intent::v1::CompleteJobRequest* request,
    intent::v1::CompleteJobResponse* response) {
  return calls_->Start(
      context, Method::kCompleteJob, [=, this](const CallScope& scope) {
        return Answer(
            jobs_->Complete(scope, KeyIn(*request), request->output()),
            response);
      });
}

grpc::ServerUnaryReactor* JobService::FailJob(
    grpc::CallbackServerContext* context,
    const intent::v1::FailJobRequest* request,
    intent::v1::FailJobResponse* response) {
  return calls_->Start(
      context, Method::kFailJob, [=, this](const CallScope& scope) {
        return Answer(jobs_->Fail(scope, KeyIn(*request),
                                  {.error = request->error(),
                                   .retryable = request->retryable()}),
                      response);
      });
}

grpc::ServerUnaryReactor* JobService::GetJob(
    grpc::CallbackServerContext* context,
    const intent::v1::GetJobRequest* request,
    intent::v1::GetJobResponse* response) {
  return calls_->Start(context, Method::kGetJob,
                       [=, this](const CallScope& scope) {
                         return Get(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* JobService::ListJobs(
    grpc::CallbackServerContext* context,
    const intent::v1::ListJobsRequest* request,
    intent::v1::ListJobsResponse* response) {
  return calls_->Start(context, Method::kListJobs,
                       [=, this](const CallScope& scope) {
                         return List(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* JobService::CancelJob(
    grpc::CallbackServerContext* context,
    const intent::v1::CancelJobRequest* request,
    intent::v1::CancelJobResponse* response) {
  return calls_->Start(context, Method::kCancelJob,
                       [=, this](const CallScope& scope) {
                         return Cancel(scope, *request, response);
                       });
}

absl::Status JobService::Heartbeat(
    const CallScope& scope, const intent::v1::HeartbeatJobRequest& request,
    intent::v1::HeartbeatJobResponse* response) {
  const absl::StatusOr<absl::Duration> lease =
      FromProtoDuration("lease", request.has_lease(), request.lease());
  if (!lease.ok()) return lease.status();
  const absl::StatusOr<absl::Time> until =
      jobs_->Heartbeat(scope, KeyIn(request), *lease);
  if (!until.ok()) return until.status();
  *response->mutable_lease_expire_time() = ToProtoTime(*until);
  return absl::OkStatus();
}

absl::Status JobService::Get(const CallScope& scope,
                             const intent::v1::GetJobRequest& request,
                             intent::v1::GetJobResponse* response) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<storage::JobRow> job =
      storage::GetJob(*tx, request.id());
  if (absl::IsNotFound(job.status())) {
    return Refusal(absl::StatusCode::kNotFound, "JOB_NOT_FOUND",
                   "there is no job with this id");
  }
  return Answer(job, response);
}

absl::Status JobService::List(const CallScope& scope,
                              const intent::v1::ListJobsRequest& request,
                              intent::v1::ListJobsResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const absl::StatusOr<storage::JobFilter> filter =
      engine::FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::JobRow>> rows =
      storage::ListJobs(*tx, *filter, page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_jobs(), response);
}

absl::Status JobService::Cancel(const CallScope& scope,
                                const intent::v1::CancelJobRequest& request,
                                intent::v1::CancelJobResponse* response) {
  const absl::StatusOr<JobOutcome> outcome = jobs_->Cancel(scope, request.id());
  if (!outcome.ok()) return outcome.status();
  const absl::Status answered = Answer(outcome->job, response);
  if (!answered.ok()) return answered;
  return ToProto(outcome->intent, response->mutable_intent());
}

}  // namespace sgl::engine
