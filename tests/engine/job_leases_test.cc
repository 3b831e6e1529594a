// Proves who holds a job: one worker at a time, for as long as its lease lasts,
// the most urgent job first, no more at once than the cap, and nobody anything
// new while a kill switch is set. By workers that race, and by a database clock
// that tests move.

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/jobs.h"
#include "intent/v1/admin_service.pb.h"
#include "intent/v1/intent.pb.h"
#include "storage/identity.h"
#include "tests/engine/admin_caller.h"
#include "tests/engine/job_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::Intent;
using intent::v1::JobLease;
using storage::PrincipalKind;

int Expire(Working& test) {
  const absl::StatusOr<int> expired =
      engine::ExpireLeases(test.served.engine().db(), 100);
  EXPECT_TRUE(expired.ok()) << expired.status();
  return expired.value_or(-1);
}

// Has `count` intents of a type, and so their jobs, come in by SQL.
void EnqueueMany(Working& test, const std::string& type, int count) {
  test.served.Value(absl::StrCat(
      "WITH i AS (INSERT INTO intents (tenant_id, agent_id, intent_type, "
      "payload) SELECT '",
      test.served.tenant().id, "', '", test.served.tenant().agent, "', '", type,
      "', '", kText, "' FROM generate_series(1, ", count,
      ") RETURNING 1) SELECT count(*) FROM i"));
  EXPECT_EQ(test.served.SettleDrafts(), count);
}

TEST(JobLeasesTest, TheHighestPriorityGoesFirstThenTheOldest) {
  Working test;
  std::vector<std::string> wanted;
  for (const char* type : {"SMS", "FAX", "SMS", "FAX"}) {
    wanted.push_back(test.Enqueue(type).job_id());
  }
  std::vector<std::string> order;
  for (const JobLease& lease : test.worker.LeaseAll("SEND", 3)) {
    order.push_back(lease.job_id());
  }
  order.push_back(test.worker.MustLease("SEND").job_id());
  EXPECT_EQ(order, (std::vector<std::string>{wanted[1], wanted[3], wanted[0],
                                             wanted[2]}));
  EXPECT_TRUE(test.worker.LeaseAll("SEND").empty());
}

TEST(JobLeasesTest, OneCallLeasesOfAllItsTypesInTheirOrder) {
  Working test;
  const std::string call = test.Enqueue("CALL").job_id();
  const std::string fax = test.Enqueue("FAX").job_id();
  const std::string sms = test.Enqueue("SMS").job_id();
  const auto answer = test.worker.Lease({"CALL", "SEND", "CALL"}, 2);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  ASSERT_EQ(answer.response.leases_size(), 2);
  EXPECT_EQ(answer.response.leases(0).job_id(), fax);
  EXPECT_EQ(answer.response.leases(1).job_id(), call);
  EXPECT_EQ(test.worker.MustLease("SEND").job_id(), sms);
}

// A worker that was thought dead comes back when the job is another's.
TEST(JobLeasesTest, AZombieChangesNothing) {
  Working test;
  const Intent waiting = test.Enqueue("SMS");
  const JobLease lost = test.worker.MustLease("SEND");
  EXPECT_EQ(Expire(test), 0);
  test.served.SetClockAhead("61 s");
  const auto expect_lost = [&] {
    const std::string before = test.served.Value("SELECT jobs::text FROM jobs");
    for (const grpc::Status& status :
         {test.worker.Complete(lost).status, test.worker.Fail(lost).status,
          test.worker.Heartbeat(lost).status}) {
      EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
      EXPECT_EQ(ReasonOf(status), "LEASE_LOST");
    }
    EXPECT_EQ(test.served.Value("SELECT jobs::text FROM jobs"), before);
  };
  // By the clock alone, before anybody noticed.
  expect_lost();
  EXPECT_EQ(Expire(test), 1);
  expect_lost();
  EXPECT_EQ(test.operator_.MustGet(lost.job_id()).retry_count(), 1);
  EXPECT_TRUE(test.worker.LeaseAll("SEND").empty());
  test.served.SetClockAhead("90 s");
  JobCaller other = test.Worker();
  const JobLease lease = other.MustLease("SEND");
  EXPECT_EQ(lease.job_id(), lost.job_id());
  EXPECT_EQ(lease.intent_id(), lost.intent_id());
  EXPECT_EQ(lease.attempt(), 2);
  EXPECT_NE(lease.lease_token(), lost.lease_token());
  expect_lost();
  ASSERT_TRUE(other.Complete(lease).ok());
  expect_lost();
  EXPECT_EQ(test.agent.MustGet(waiting.id()).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.JobActions(lease.job_id()),
            "JOB_ENQUEUED JOB_LEASED JOB_FAILED JOB_LEASED JOB_SUCCEEDED");
}

TEST(JobLeasesTest, AHeartbeatKeepsTheLease) {
  Working test;
  test.Enqueue("SMS");
  const JobLease lease = test.worker.MustLease("SEND");
  test.served.SetClockAhead("50 s");
  const auto beat = test.worker.Heartbeat(lease);
  ASSERT_TRUE(beat.ok()) << beat.status.error_message();
  EXPECT_GE(beat.response.lease_expire_time().seconds(),
            lease.lease_expire_time().seconds() + 49);
  test.served.SetClockAhead("100 s");
  EXPECT_EQ(Expire(test), 0);
  EXPECT_TRUE(test.worker.Complete(lease).ok());
}

TEST(JobLeasesTest, LeasesThatEndUseUpTheRetries) {
  Working test;
  const Intent waiting = test.Enqueue("SMS");
  for (int i = 1; i <= 4; ++i) {
    test.served.SetClockAhead(absl::StrCat(i * 600, " s"));
    EXPECT_EQ(test.worker.MustLease("SEND").attempt(), i);
    test.served.SetClockAhead(absl::StrCat(i * 600 + 61, " s"));
    EXPECT_EQ(Expire(test), 1);
  }
  const Intent intent = test.agent.MustGet(waiting.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(intent.failure_reason(), "JOB_EXHAUSTED_RETRIES");
  EXPECT_EQ(Expire(test), 0);
}

// What a worker that dies leaves behind, an engine finds by itself.
TEST(JobLeasesTest, TheEnginesTickEndsLeases) {
  Working test(/*runs=*/true);
  auto request = Caller::Request("SMS", kText);
  request.mutable_wait()->set_seconds(30);
  ASSERT_TRUE(test.agent.Submit(request).ok());
  const JobLease lost = test.worker.MustLease("SEND");
  test.served.SetClockAhead("61 s");
  // Nothing but the tick has the job wait for its retry.
  while (test.Count("status = 'queued'") == "0") std::this_thread::yield();
  test.served.SetClockAhead("90 s");
  const auto leases = test.worker.LeaseAll("SEND", 1, absl::Seconds(30));
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].attempt(), 2);
}

TEST(JobLeasesTest, TwoWorkersNeverHoldOneJob) {
  constexpr int kJobs = 300;
  constexpr int kWorkers = 8;
  Working test;
  EnqueueMany(test, "SMS", kJobs);
  std::mutex mutex;
  std::multiset<std::string> held;
  std::latch start(kWorkers);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kWorkers; ++i) {
      threads.emplace_back([&] {
        JobCaller worker = [&] {
          const std::lock_guard<std::mutex> lock(mutex);
          return test.Worker();
        }();
        start.arrive_and_wait();
        while (true) {
          const auto leases = worker.LeaseAll("SEND", 3);
          const std::lock_guard<std::mutex> lock(mutex);
          for (const JobLease& lease : leases) held.insert(lease.job_id());
          // A worker that others are ahead of may see none while some are left.
          if (leases.empty() && held.size() >= kJobs) return;
        }
      });
    }
  }
  EXPECT_EQ(held.size(), static_cast<size_t>(kJobs));
  EXPECT_EQ(std::set<std::string>(held.begin(), held.end()).size(),
            static_cast<size_t>(kJobs));
  EXPECT_EQ(test.served.Value(
                "SELECT count(*) FROM audit_log WHERE action = 'JOB_LEASED'"),
            absl::StrCat(kJobs));
}

TEST(JobLeasesTest, ACapHoldsWhoeverRaces) {
  constexpr int kRounds = 20;
  constexpr int kWorkers = 8;
  Working test;
  EnqueueMany(test, "CALL", 3 * kRounds);
  std::vector<std::unique_ptr<JobCaller>> workers;
  for (int i = 0; i < kWorkers; ++i) {
    workers.push_back(std::make_unique<JobCaller>(test.Worker()));
  }
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE(round);
    std::latch start(kWorkers);
    std::vector<std::vector<JobLease>> leased(kWorkers);
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < kWorkers; ++i) {
        threads.emplace_back([&, i] {
          start.arrive_and_wait();
          leased[i] = workers[i]->LeaseAll("CALL", 2);
        });
      }
    }
    std::vector<JobLease> all;
    for (const auto& some : leased)
      all.insert(all.end(), some.begin(), some.end());
    // Three, and not one less either.
    ASSERT_EQ(all.size(), 3u);
    EXPECT_TRUE(test.worker.LeaseAll("CALL").empty());
    for (const JobLease& lease : all) {
      ASSERT_TRUE(test.worker.Complete(lease).ok());
    }
  }
}

TEST(JobLeasesTest, ACapIsEachTenantsOwnAndFreedByFailureAndTime) {
  Working test;
  EnqueueMany(test, "CALL", 5);
  EXPECT_EQ(test.worker.LeaseAll("CALL", 5).size(), 3u);
  // Another type of the same worker is not held up.
  test.Enqueue("SMS");
  EXPECT_EQ(test.worker.Lease({"CALL", "SEND"}, 5).response.leases_size(), 1);
  // A lease that ended holds no place, noticed or not.
  test.served.SetClockAhead("61 s");
  EXPECT_EQ(test.worker.LeaseAll("CALL", 5).size(), 2u);
  const SeededTenant bolt = test.served.database().Seed("bolt");
  Caller agent = test.served.As(
      test.served.AddToken(PrincipalKind::kAgent, bolt.agent, bolt.id));
  agent.MustSubmit("CALL", kText);
  test.served.SettleDrafts();
  JobCaller worker(test.served,
                   test.served.AddToken(PrincipalKind::kWorker, "", bolt.id));
  EXPECT_EQ(worker.LeaseAll("CALL", 5).size(), 1u);
}

TEST(JobLeasesTest, OffMeansNothingIsLeasedAndWhatIsLeasedGoesOn) {
  Working test;
  AdminCaller platform(test.served,
                       test.served.AddToken(PrincipalKind::kOperator, "",
                                            storage::kSystemTenantId));
  const struct {
    intent::v1::SwitchLevel level;
    const char* tenant;
    std::string agent;
  } kCases[] = {{intent::v1::SWITCH_LEVEL_PLATFORM, "", ""},
                {intent::v1::SWITCH_LEVEL_TENANT, "acme", ""},
                {intent::v1::SWITCH_LEVEL_AGENT, "acme", "ATLAS"}};
  for (const auto& off : kCases) {
    SCOPED_TRACE(off.level);
    EnqueueMany(test, "SMS", 2);
    const JobLease before = test.worker.MustLease("SEND");
    ASSERT_TRUE(platform.Switch(off.level, false, off.tenant, off.agent).ok());
    EXPECT_TRUE(test.worker.LeaseAll("SEND", 2).empty());
    EXPECT_TRUE(test.worker.Heartbeat(before).ok());
    EXPECT_TRUE(test.worker.Complete(before).ok());
    ASSERT_TRUE(platform.Switch(off.level, true, off.tenant, off.agent).ok());
    EXPECT_TRUE(test.worker.Complete(test.worker.MustLease("SEND")).ok());
  }
}

TEST(JobLeasesTest, InputsThatAreTooLargeTogetherAreLeasedApart) {
  Working test;
  const std::string large =
      absl::StrCat(R"({"text": ")", std::string(250 * 1024, 'x'), "\"}");
  for (int i = 0; i < 14; ++i) test.agent.MustSubmit("SMS", large);
  test.served.SettleDrafts();
  EXPECT_EQ(test.worker.LeaseAll("SEND", 100).size(), 12u);
  EXPECT_EQ(test.worker.LeaseAll("SEND", 100).size(), 2u);
}

TEST(JobLeasesTest, AWorkerThatWaitsIsWokenByAJob) {
  Working test(/*runs=*/true);
  std::vector<JobLease> leases;
  std::jthread waiting(
      [&] { leases = test.worker.LeaseAll("SEND", 1, absl::Seconds(60)); });
  const std::string id = test.agent.MustSubmit("SMS", kText).id();
  waiting.join();
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].intent_id(), id);
}

TEST(JobLeasesTest, WorkersThatWaitAreWokenOneAfterTheOther) {
  constexpr int kWorkers = 6;
  Working test(/*runs=*/true);
  std::mutex mutex;
  std::set<std::string> leased;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kWorkers; ++i) {
      threads.emplace_back([&] {
        const auto leases = test.worker.LeaseAll("SEND", 1, absl::Seconds(60));
        const std::lock_guard<std::mutex> lock(mutex);
        for (const JobLease& lease : leases) leased.insert(lease.job_id());
      });
    }
    // All at once: one notification.
    test.served.Value(absl::StrCat(
        "WITH i AS (INSERT INTO intents (tenant_id, agent_id, intent_type, "
        "payload) SELECT '",
        test.served.tenant().id, "', '", test.served.tenant().agent,
        "', 'SMS', '", kText, "' FROM generate_series(1, ", kWorkers,
        ") RETURNING 1) SELECT count(*) FROM i"));
  }
  EXPECT_EQ(leased.size(), static_cast<size_t>(kWorkers));
}

TEST(JobLeasesTest, ARetryWhoseTimeHasComeWakesWhoWaits) {
  Working test(/*runs=*/true);
  auto request = Caller::Request("SMS", kText);
  request.mutable_wait()->set_seconds(30);
  ASSERT_TRUE(test.agent.Submit(request).ok());
  ASSERT_TRUE(test.worker.Fail(test.worker.MustLease("SEND")).ok());
  std::vector<JobLease> leases;
  std::jthread waiting(
      [&] { leases = test.worker.LeaseAll("SEND", 1, absl::Seconds(60)); });
  test.served.SetClockAhead("15 s");
  waiting.join();
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].attempt(), 2);
}

TEST(JobLeasesTest, AWaitEndsWithNothingAtItsEnd) {
  Working test(/*runs=*/true);
  const auto answer = test.worker.Lease({"SEND"}, 1, absl::Milliseconds(20));
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.leases_size(), 0);
}

}  // namespace
}  // namespace sgl::testing
