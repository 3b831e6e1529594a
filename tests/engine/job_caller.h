// An engine whose intent types are jobs, and who calls for them: the agent that
// asks, workers, an operator.
//
//   Working test;
//   const Intent intent = test.Enqueue("SMS");
//   const JobLease lease = test.worker.MustLease("SEND");
//   test.worker.Complete(lease, R"({"sent": true})");

#ifndef TESTS_ENGINE_JOB_CALLER_H_
#define TESTS_ENGINE_JOB_CALLER_H_

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "intent/v1/intent.pb.h"
#include "intent/v1/job_service.grpc.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {

using JobStub = intent::v1::JobService::Stub;

// Speaks JobService as the holder of one token. Thread-safe.
class JobCaller {
 public:
  JobCaller(ServedEngine& served, std::string token)
      : token_(std::move(token)),
        stub_(intent::v1::JobService::NewStub(served.channel())) {}

  template <typename Request, typename Response>
  Answer<Response> Call(grpc::Status (JobStub::*method)(grpc::ClientContext*,
                                                        const Request&,
                                                        Response*),
                        const Request& request) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token_);
    Answer<Response> answer;
    answer.status = (stub_.get()->*method)(&context, request, &answer.response);
    return answer;
  }

  // Leases for a minute.
  Answer<intent::v1::LeaseJobsResponse> Lease(
      const std::vector<std::string>& types, int max_jobs = 1,
      absl::Duration wait = absl::ZeroDuration()) {
    intent::v1::LeaseJobsRequest request;
    for (const std::string& type : types) request.add_job_types(type);
    request.set_max_jobs(max_jobs);
    request.mutable_lease()->set_seconds(60);
    request.mutable_wait()->set_seconds(absl::ToInt64Seconds(wait));
    request.mutable_wait()->set_nanos(static_cast<int32_t>(
        absl::ToInt64Nanoseconds(wait % absl::Seconds(1))));
    return Call(&JobStub::LeaseJobs, request);
  }
  // The same, where that must answer; what was leased.
  std::vector<intent::v1::JobLease> LeaseAll(
      const std::string& type, int max_jobs = 1,
      absl::Duration wait = absl::ZeroDuration()) {
    const auto answer = Lease({type}, max_jobs, wait);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return {answer.response.leases().begin(), answer.response.leases().end()};
  }
  // Leases one; fails the test where there is none.
  intent::v1::JobLease MustLease(const std::string& type) {
    const auto leases = LeaseAll(type);
    EXPECT_EQ(leases.size(), 1u);
    return leases.empty() ? intent::v1::JobLease() : leases[0];
  }
  Answer<intent::v1::HeartbeatJobResponse> Heartbeat(
      const intent::v1::JobLease& lease) {
    intent::v1::HeartbeatJobRequest request;
    request.set_id(lease.job_id());
    request.set_lease_token(lease.lease_token());
    return Call(&JobStub::HeartbeatJob, request);
  }
  Answer<intent::v1::CompleteJobResponse> Complete(
      const intent::v1::JobLease& lease, const std::string& output = "{}") {
    intent::v1::CompleteJobRequest request;
    request.set_id(lease.job_id());
    request.set_lease_token(lease.lease_token());
    request.set_output(output);
    return Call(&JobStub::CompleteJob, request);
  }
  Answer<intent::v1::FailJobResponse> Fail(const intent::v1::JobLease& lease,
                                           bool retryable = true) {
    intent::v1::FailJobRequest request;
    request.set_id(lease.job_id());
    request.set_lease_token(lease.lease_token());
    request.set_error("no line");
    request.set_retryable(retryable);
    return Call(&JobStub::FailJob, request);
  }
  Answer<intent::v1::CancelJobResponse> Cancel(const std::string& id) {
    intent::v1::CancelJobRequest request;
    request.set_id(id);
    return Call(&JobStub::CancelJob, request);
  }
  Answer<intent::v1::GetJobResponse> Get(const std::string& id) {
    intent::v1::GetJobRequest request;
    request.set_id(id);
    return Call(&JobStub::GetJob, request);
  }
  intent::v1::Job MustGet(const std::string& id) {
    const auto answer = Get(id);
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response.job();
  }

 private:
  std::string token_;
  std::unique_ptr<JobStub> stub_;
};

// SMS and FAX are done by jobs of one type, SEND, of which FAX goes first; CALL
// by jobs of its own, of which a tenant has three running at most.
inline constexpr char kJobExecutors[] = R"(
executors { intent_type: "SMS" job { job_type: "SEND" } }
executors { intent_type: "FAX" job { job_type: "SEND" priority: 5 } }
executors { intent_type: "CALL" job { concurrency_max: 3 } }
)";

// A spend from $250 asks for anybody.
inline constexpr char kJobPolicy[] = R"sgl(
policy test.jobs version 1
layer platform
default allow

intent SMS { text: string }
intent FAX { text: string }
intent CALL { text: string }

review BIG_SPEND when intent.spend >= $250 risk 2
)sgl";

inline constexpr char kText[] = R"({"text":  "hi"})";

struct Working {
  explicit Working(bool runs = false)
      : served(
            {.policy = kJobPolicy, .executors = kJobExecutors, .runs = runs}),
        agent(served.As(served.agent_token())),
        agent_jobs(served, served.agent_token()),
        worker(Worker()),
        operator_(served, served.AddToken(storage::PrincipalKind::kOperator, "",
                                          served.tenant().id)) {}

  // Another worker of the same tenant.
  JobCaller Worker() {
    return JobCaller(served, served.AddToken(storage::PrincipalKind::kWorker,
                                             "", served.tenant().id));
  }
  // Has an intent allowed, and so its job enqueued.
  intent::v1::Intent Enqueue(const std::string& type,
                             const std::string& payload = kText) {
    const std::string id = agent.MustSubmit(type, payload).id();
    served.SettleDrafts();
    return agent.MustGet(id);
  }
  // A job's audit actions, in order, joined by spaces.
  std::string JobActions(const std::string& job_id) {
    return served.Value(absl::StrCat(
        "SELECT string_agg(action, ' ' ORDER BY created_at) FROM audit_log "
        "WHERE entity_type = 'job' AND entity_id = '",
        job_id, "'"));
  }
  std::string Count(const std::string& condition) {
    return served.Value("SELECT count(*) FROM jobs WHERE " + condition);
  }

  ServedEngine served;
  Caller agent;
  JobCaller agent_jobs;
  JobCaller worker;
  JobCaller operator_;
};

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_JOB_CALLER_H_
