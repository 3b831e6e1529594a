// Proves what becomes of an intent whose type is a job: it waits, and ends with
// its job, once, however the job ends; each step with the entries that account
// for it. And who sees and ends whose jobs.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "intent/v1/intent.pb.h"
#include "intent/v1/job_service.pb.h"
#include "storage/identity.h"
#include "tests/engine/job_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::Intent;
using intent::v1::Job;
using intent::v1::JobLease;
using storage::PrincipalKind;

constexpr int64_t kBigSpend = 300'000'000;

TEST(JobsTest, AnAllowedIntentWaitsForItsJob) {
  Working test;
  const Intent intent = test.Enqueue("SMS");
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_VALIDATING);
  EXPECT_EQ(intent.decision().kind(), intent::v1::DECISION_KIND_ALLOW);
  const Job job = test.operator_.MustGet(intent.job_id());
  EXPECT_EQ(job.intent_id(), intent.id());
  EXPECT_EQ(job.agent_id(), intent.agent_id());
  EXPECT_EQ(job.job_type(), "SEND");
  EXPECT_EQ(job.status(), intent::v1::JOB_STATUS_QUEUED);
  // To the byte, which jsonb would not keep.
  EXPECT_EQ(job.input(), kText);
  EXPECT_EQ(job.max_retries(), 3);
  EXPECT_FALSE(job.has_next_retry_time());
  EXPECT_EQ(test.served.Actions(intent.id()), "INTENT_SUBMITTED SGL_EVALUATED");
  EXPECT_EQ(test.JobActions(job.id()), "JOB_ENQUEUED");
  // The contract's columns are for other readers.
  EXPECT_EQ(test.served.Value("SELECT input ->> 'text' FROM jobs"), "hi");
  const auto canceled = test.agent.Cancel(intent.id());
  EXPECT_EQ(canceled.status.error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(canceled.status), "HAS_JOB");
}

TEST(JobsTest, AWaitIsAnsweredOnceTheJobIsQueued) {
  Working test(/*runs=*/true);
  auto request = Caller::Request("SMS", kText);
  request.mutable_wait()->set_seconds(30);
  const auto answer = test.agent.Submit(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(),
            intent::v1::INTENT_STATUS_VALIDATING);
  EXPECT_NE(answer.response.intent().job_id(), "");
}

TEST(JobsTest, CompletingEndsTheIntentAndARepeatChangesNothing) {
  Working test;
  const Intent waiting = test.Enqueue("SMS");
  const JobLease lease = test.worker.MustLease("SEND");
  EXPECT_EQ(lease.job_id(), waiting.job_id());
  EXPECT_EQ(lease.job_type(), "SEND");
  EXPECT_EQ(lease.intent_id(), waiting.id());
  EXPECT_EQ(lease.input(), kText);
  EXPECT_EQ(lease.attempt(), 1);
  const std::string output = R"({"ids":  [1.0]})";
  const auto done = test.worker.Complete(lease, output);
  ASSERT_TRUE(done.ok()) << done.status.error_message();
  EXPECT_EQ(done.response.job().status(), intent::v1::JOB_STATUS_SUCCEEDED);
  EXPECT_EQ(done.response.job().output(), output);
  const Intent intent = test.agent.MustGet(waiting.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(intent.output(), output);
  const std::string actions =
      "INTENT_SUBMITTED SGL_EVALUATED ENGINE_EXECUTED_INTENT";
  EXPECT_EQ(test.served.Actions(intent.id()), actions);
  const std::string job_actions = "JOB_ENQUEUED JOB_LEASED JOB_SUCCEEDED";
  EXPECT_EQ(test.JobActions(lease.job_id()), job_actions);
  EXPECT_EQ(test.served.Value(
                "SELECT string_agg(DISTINCT actor_external_id, '') = "
                "(SELECT leased_by FROM jobs) FROM audit_log WHERE action IN "
                "('JOB_LEASED', 'JOB_SUCCEEDED')"),
            "t");
  const auto repeated = test.worker.Complete(lease, output);
  ASSERT_TRUE(repeated.ok()) << repeated.status.error_message();
  EXPECT_EQ(repeated.response.job().SerializeAsString(),
            done.response.job().SerializeAsString());
  // Another answer is no repeat, nor is a failure.
  EXPECT_EQ(ReasonOf(test.worker.Complete(lease, "{}").status), "LEASE_LOST");
  EXPECT_EQ(ReasonOf(test.worker.Fail(lease).status), "LEASE_LOST");
  EXPECT_EQ(ReasonOf(test.worker.Heartbeat(lease).status), "LEASE_LOST");
  EXPECT_EQ(test.served.Actions(intent.id()), actions);
  EXPECT_EQ(test.JobActions(lease.job_id()), job_actions);
}

TEST(JobsTest, RetriesWaitLongerEachTimeAndThenTheIntentFails) {
  Working test;
  const Intent waiting = test.Enqueue("SMS");
  std::string job_actions = "JOB_ENQUEUED";
  int64_t ahead = 0;
  for (int retry = 0; retry < 3; ++retry) {
    SCOPED_TRACE(retry);
    const JobLease lease = test.worker.MustLease("SEND");
    EXPECT_EQ(lease.attempt(), retry + 1);
    const auto failed = test.worker.Fail(lease);
    ASSERT_TRUE(failed.ok()) << failed.status.error_message();
    EXPECT_EQ(failed.response.job().status(), intent::v1::JOB_STATUS_QUEUED);
    EXPECT_EQ(failed.response.job().retry_count(), retry + 1);
    absl::StrAppend(&job_actions, " JOB_LEASED JOB_FAILED");
    // 10 s, doubled each time, and a quarter at most.
    const int64_t wait = 10 << retry;
    EXPECT_EQ(
        test.served.Value(absl::StrCat(
            "SELECT next_retry_at - updated_at BETWEEN interval '", wait - 1,
            " s' AND interval '", wait * 5 / 4 + 1, " s' FROM jobs")),
        "t");
    EXPECT_TRUE(failed.response.job().has_next_retry_time());
    EXPECT_TRUE(test.worker.LeaseAll("SEND").empty());
    ahead += wait * 5 / 4 + 1;
    test.served.SetClockAhead(absl::StrCat(ahead, " s"));
  }
  const auto last = test.worker.Fail(test.worker.MustLease("SEND"));
  ASSERT_TRUE(last.ok()) << last.status.error_message();
  EXPECT_EQ(last.response.job().status(), intent::v1::JOB_STATUS_FAILED);
  EXPECT_EQ(last.response.job().retry_count(), 3);
  EXPECT_NE(last.response.job().error().find("no line"), std::string::npos);
  const Intent intent = test.agent.MustGet(waiting.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(intent.failure_reason(), "JOB_EXHAUSTED_RETRIES");
  EXPECT_EQ(intent.failure_message(), "no line");
  EXPECT_EQ(test.served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED ENGINE_FAILED");
  EXPECT_EQ(test.JobActions(intent.job_id()),
            job_actions + " JOB_LEASED JOB_FAILED JOB_EXHAUSTED_RETRIES");
  test.served.SetClockAhead("1 day");
  EXPECT_TRUE(test.worker.LeaseAll("SEND").empty());
}

TEST(JobsTest, AFailureThatIsNotToBeRetriedIsTheEnd) {
  Working test;
  const Intent waiting = test.Enqueue("SMS");
  const auto failed =
      test.worker.Fail(test.worker.MustLease("SEND"), /*retryable=*/false);
  ASSERT_TRUE(failed.ok()) << failed.status.error_message();
  EXPECT_EQ(failed.response.job().status(), intent::v1::JOB_STATUS_FAILED);
  EXPECT_EQ(failed.response.job().retry_count(), 0);
  const Intent intent = test.agent.MustGet(waiting.id());
  EXPECT_EQ(intent.failure_reason(), "JOB_FAILED");
  EXPECT_EQ(test.JobActions(intent.job_id()),
            "JOB_ENQUEUED JOB_LEASED JOB_FAILED");
}

TEST(JobsTest, CancelingEndsBothAndTheWorkersLease) {
  Working test;
  const struct {
    JobCaller* by;
    bool leased;
  } kCases[] = {{&test.operator_, false},
                {&test.operator_, true},
                {&test.agent_jobs, true}};
  for (const auto& one : kCases) {
    const Intent waiting = test.Enqueue("SMS");
    JobLease lease;
    if (one.leased) lease = test.worker.MustLease("SEND");
    const auto canceled = one.by->Cancel(waiting.job_id());
    ASSERT_TRUE(canceled.ok()) << canceled.status.error_message();
    EXPECT_EQ(canceled.response.job().status(),
              intent::v1::JOB_STATUS_CANCELED);
    EXPECT_EQ(canceled.response.intent().status(),
              intent::v1::INTENT_STATUS_FAILED);
    EXPECT_EQ(canceled.response.intent().failure_reason(), "CANCELED");
    EXPECT_EQ(test.served.Actions(waiting.id()),
              "INTENT_SUBMITTED SGL_EVALUATED INTENT_CANCELED");
    EXPECT_EQ(test.JobActions(waiting.job_id()),
              one.leased ? "JOB_ENQUEUED JOB_LEASED JOB_CANCELED"
                         : "JOB_ENQUEUED JOB_CANCELED");
    if (one.leased) {
      EXPECT_EQ(ReasonOf(test.worker.Complete(lease).status), "LEASE_LOST");
    }
    EXPECT_TRUE(test.worker.LeaseAll("SEND").empty());
    EXPECT_EQ(ReasonOf(one.by->Cancel(waiting.job_id()).status), "JOB_OVER");
  }
}

TEST(JobsTest, AnAgentCancelsItsOwnJobsOnly) {
  Working test;
  const Intent waiting = test.Enqueue("SMS");
  const std::string other = test.served.database().Owner().Value(
      absl::StrCat("INSERT INTO agent_registry (tenant_id, name) VALUES ('",
                   test.served.tenant().id, "', 'OTHER') RETURNING id"));
  JobCaller agent(test.served,
                  test.served.AddToken(PrincipalKind::kAgent, other,
                                       test.served.tenant().id));
  const auto refused = agent.Cancel(waiting.job_id());
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(refused.status), "NOT_YOUR_INTENT");
  EXPECT_EQ(test.Count("status = 'queued'"), "1");
}

TEST(JobsTest, AnApprovedReviewGoesOnToAJob) {
  Working test;
  const std::string id = test.agent.MustSubmit("SMS", kText, kBigSpend).id();
  test.served.SettleDrafts();
  EXPECT_EQ(test.Count("true"), "0");
  const auto memo =
      test.agent.MustGetMemo(test.agent.MustGet(id).decision_memo_id());
  Caller erin = test.served.As(test.served.AddUser("erin", "member"));
  const auto vote = erin.Approve(memo);
  ASSERT_TRUE(vote.ok()) << vote.status.error_message();
  EXPECT_EQ(vote.response.intent().status(),
            intent::v1::INTENT_STATUS_VALIDATING);
  EXPECT_EQ(vote.response.decision_memo().status(),
            intent::v1::MEMO_STATUS_APPROVED);
  EXPECT_EQ(test.served.Value("SELECT job_id FROM decision_memos"),
            vote.response.intent().job_id());
  ASSERT_TRUE(test.worker.Complete(test.worker.MustLease("SEND")).ok());
  EXPECT_EQ(test.agent.MustGet(id).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.served.Actions(id),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_APPROVED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
}

TEST(JobsTest, AnotherTenantsJobsAreNotThere) {
  Working test;
  const Intent waiting = test.Enqueue("SMS");
  const SeededTenant bolt = test.served.database().Seed("bolt");
  JobCaller worker(test.served,
                   test.served.AddToken(PrincipalKind::kWorker, "", bolt.id));
  JobCaller boss(test.served,
                 test.served.AddToken(PrincipalKind::kOperator, "", bolt.id));
  EXPECT_TRUE(worker.LeaseAll("SEND").empty());
  const JobLease lease = test.worker.MustLease("SEND");
  for (const grpc::Status& status :
       {worker.Complete(lease).status, worker.Fail(lease).status,
        worker.Heartbeat(lease).status, boss.Get(lease.job_id()).status,
        boss.Cancel(lease.job_id()).status}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(ReasonOf(status), "JOB_NOT_FOUND");
  }
  intent::v1::ListJobsRequest list;
  EXPECT_EQ(boss.Call(&JobStub::ListJobs, list).response.jobs_size(), 0);
  EXPECT_TRUE(test.worker.Complete(lease).ok());
}

TEST(JobsTest, OtherWritersJobsAreNotTheEngines) {
  Working test;
  const std::string id = test.served.database().Owner().Value(
      absl::StrCat("INSERT INTO jobs (tenant_id, job_type) VALUES ('",
                   test.served.tenant().id, "', 'SEND') RETURNING id"));
  EXPECT_TRUE(test.worker.LeaseAll("SEND").empty());
  EXPECT_EQ(ReasonOf(test.operator_.Get(id).status), "JOB_NOT_FOUND");
  EXPECT_EQ(ReasonOf(test.operator_.Cancel(id).status), "JOB_NOT_FOUND");
  // Nor are the engine's theirs.
  const Intent waiting = test.Enqueue("SMS");
  for (const char* sql :
       {"UPDATE jobs SET status = 'succeeded' WHERE intent_id IS NOT NULL",
        "DELETE FROM jobs WHERE intent_id IS NOT NULL",
        "UPDATE jobs SET intent_id = NULL WHERE intent_id IS NOT NULL"}) {
    EXPECT_EQ(test.served.database().Owner().Run(sql).sqlstate, "23514") << sql;
  }
  EXPECT_EQ(test.operator_.MustGet(waiting.job_id()).status(),
            intent::v1::JOB_STATUS_QUEUED);
}

TEST(JobsTest, ListsPageAndFilter) {
  Working test;
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.insert(ids.begin(), test.Enqueue(i == 2 ? "CALL" : "SMS").job_id());
  }
  intent::v1::ListJobsRequest request;
  request.set_page_size(2);
  std::vector<std::string> listed;
  do {
    const auto page = test.operator_.Call(&JobStub::ListJobs, request);
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    for (const Job& job : page.response.jobs()) listed.push_back(job.id());
    request.set_page_token(page.response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, ids);
  test.worker.MustLease("CALL");
  const auto count = [&](const intent::v1::JobFilter& filter) {
    intent::v1::ListJobsRequest only;
    *only.mutable_filter() = filter;
    return test.operator_.Call(&JobStub::ListJobs, only).response.jobs_size();
  };
  intent::v1::JobFilter filter;
  filter.set_status(intent::v1::JOB_STATUS_RUNNING);
  EXPECT_EQ(count(filter), 1);
  filter.set_job_type("SEND");
  EXPECT_EQ(count(filter), 0);
  filter.clear_status();
  EXPECT_EQ(count(filter), 4);
  filter.set_intent_id(test.operator_.MustGet(ids[0]).intent_id());
  EXPECT_EQ(count(filter), 1);
}

TEST(JobsTest, RequestsThatCanNotBeMeantAreRefusedByField) {
  Working test;
  intent::v1::LeaseJobsRequest lease;
  EXPECT_EQ(BadFieldsOf(test.worker.Call(&JobStub::LeaseJobs, lease).status),
            std::vector<std::string>{"job_types"});
  lease.add_job_types("NONE_SUCH");
  lease.set_max_jobs(101);
  lease.mutable_lease()->set_seconds(3601);
  lease.mutable_wait()->set_seconds(61);
  EXPECT_EQ(
      BadFieldsOf(test.worker.Call(&JobStub::LeaseJobs, lease).status),
      (std::vector<std::string>{"job_types", "max_jobs", "lease", "wait"}));
  test.Enqueue("SMS");
  const JobLease leased = test.worker.MustLease("SEND");
  for (const char* output : {"[1]", "no json", R"({"n": 1e999})"}) {
    EXPECT_EQ(BadFieldsOf(test.worker.Complete(leased, output).status),
              std::vector<std::string>{"output"})
        << output;
  }
  intent::v1::FailJobRequest fail;
  fail.set_id(leased.job_id());
  fail.set_lease_token(leased.lease_token());
  EXPECT_EQ(BadFieldsOf(test.worker.Call(&JobStub::FailJob, fail).status),
            std::vector<std::string>{"error"});
  // A token that is none is no token of a lease that is over either.
  fail.set_error("x");
  for (const char* token : {"", "x", "00000000-0000-4000-8000-000000000000"}) {
    fail.set_lease_token(token);
    EXPECT_EQ(ReasonOf(test.worker.Call(&JobStub::FailJob, fail).status),
              "LEASE_LOST")
        << token;
  }
  EXPECT_TRUE(test.worker.Complete(leased, "").ok());
}

}  // namespace
}  // namespace sgl::testing
