// Proves jobs at the level of statements and locks: a job comes with its
// settlement or not at all, transactions that overlap never take the same job,
// whoever leases of a capped type waits for who does so already, and what ends
// a try asks for the lease in the same statement.

#include "storage/jobs.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/intents.h"
#include "storage/settlement.h"
#include "storage/uuid.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class JobsTest : public ::testing::Test {
 protected:
  Transaction Begin() {
    auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }
  std::string Value(const std::string& sql) {
    return database_->Super().Value(sql);
  }

  // Claims all DRAFTs and settles them into jobs.
  absl::Status SettleAll(Transaction& tx, int max_retries = 3) {
    const auto rows = ClaimDraftIntents(tx, 1000);
    if (!rows.ok()) return rows.status();
    std::vector<Settlement> settlements;
    for (const IntentRow& row : *rows) {
      settlements.push_back(
          {.intent_id = row.id,
           .tenant_id = row.tenant_id,
           .status = IntentStatus::kValidating,
           .decision = R"({"decision":"ALLOW"})",
           .sgl_result = "ALLOW",
           .policy_digest = "sha256:x",
           .adoption = Adoption{.payload = "{}",
                                .payload_sha256 = std::string(64, '0')},
           .job = JobDraft{.id = NewUuid(),
                           .job_type = "SEND",
                           .max_retries = max_retries,
                           .audit = {.action = "JOB_ENQUEUED"}},
           .audit = {{.action = "SGL_EVALUATED"}}});
    }
    return SettleIntents(tx, "", settlements);
  }
  void InsertDrafts(int count) {
    const auto inserted = database_->Owner().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type) SELECT '",
        acme_.id, "', '", acme_.agent, "', 'SMS' FROM generate_series(1, ",
        count, ")"));
    ASSERT_TRUE(inserted.ok()) << inserted.error;
  }
  void Enqueue(int count) {
    InsertDrafts(count);
    Transaction tx = Begin();
    ASSERT_THAT(SettleAll(tx), IsOk());
    ASSERT_THAT(tx.Commit(), IsOk());
  }

  std::vector<LeasedJob> Lease(Transaction& tx, int jobs_max,
                               std::optional<int32_t> running_max = {}) {
    auto leased = LeaseJobs(
        tx, {.types = {{.job_type = "SEND", .running_max = running_max}},
             .jobs_max = jobs_max,
             .input_bytes_max = 1000,
             .lease = absl::Minutes(1),
             .worker = "worker:x"});
    EXPECT_THAT(leased, IsOk());
    return leased.ok() ? *std::move(leased) : std::vector<LeasedJob>();
  }
  // Leases the one job there is.
  LeaseKey MustLease() {
    Transaction tx = Begin();
    const std::vector<LeasedJob> leased = Lease(tx, 1);
    EXPECT_THAT(leased, SizeIs(1));
    EXPECT_THAT(tx.Commit(), IsOk());
    return {.job_id = leased.at(0).job.id,
            .lease_token = leased.at(0).lease_token};
  }

  size_t CountExpired(Transaction& tx) {
    const auto expired = ExpiredJobs(tx, 10);
    EXPECT_THAT(expired, IsOk());
    return expired.ok() ? expired->size() : 0;
  }

  // Waits until somebody waits for a lock on a job type.
  void AwaitWaiter() {
    while (Value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                 "AND NOT granted") == "0") {
      std::this_thread::yield();
    }
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
};

TEST_F(JobsTest, AJobComesWithItsSettlementOrNotAtAll) {
  InsertDrafts(2);
  {
    Transaction tx = Begin();
    ASSERT_THAT(SettleAll(tx), IsOk());
  }
  const std::string state =
      "SELECT concat_ws(' ', (SELECT count(*) FROM jobs), (SELECT count(*) "
      "FROM audit_log WHERE action = 'JOB_ENQUEUED'), (SELECT "
      "string_agg(DISTINCT status, '') FROM intents))";
  EXPECT_EQ(Value(state), "0 0 DRAFT");
  {
    Transaction tx = Begin();
    EXPECT_THAT(tx.InSavepoint([&] { return SettleAll(tx, -1); }),
                StatusIs(absl::StatusCode::kFailedPrecondition));
    ASSERT_THAT(tx.Commit(), IsOk());
  }
  EXPECT_EQ(Value(state), "0 0 DRAFT");
  Transaction tx = Begin();
  ASSERT_THAT(SettleAll(tx), IsOk());
  ASSERT_THAT(tx.Commit(), IsOk());
  EXPECT_EQ(Value(state), "2 2 VALIDATING");
  EXPECT_EQ(Value("SELECT count(*) FROM intents AS i JOIN jobs AS j "
                  "ON j.id = i.job_id AND j.intent_id = i.id"),
            "2");
}

TEST_F(JobsTest, WhatWaitsForAJobNamesOne) {
  InsertDrafts(1);
  Transaction tx = Begin();
  const auto rows = ClaimDraftIntents(tx, 1);
  ASSERT_THAT(rows, IsOk());
  const Settlement settlement = {.intent_id = rows->at(0).id,
                                 .tenant_id = acme_.id,
                                 .status = IntentStatus::kValidating,
                                 .audit = {{.action = "SGL_EVALUATED"}}};
  EXPECT_THAT(SettleIntents(tx, "", {&settlement, 1}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(JobsTest, TransactionsThatOverlapTakeDifferentJobs) {
  Enqueue(3);
  Transaction one = Begin();
  Transaction two = Begin();
  Transaction three = Begin();
  const auto first = Lease(one, 1);
  const auto second = Lease(two, 2);
  EXPECT_THAT(first, SizeIs(1));
  EXPECT_THAT(second, SizeIs(2));
  EXPECT_THAT(Lease(three, 3), IsEmpty());
  for (const LeasedJob& leased : second) {
    EXPECT_NE(leased.job.id, first.at(0).job.id);
    EXPECT_NE(leased.lease_token, first.at(0).lease_token);
  }
  // What was given back is there again.
  one.Rollback();
  EXPECT_THAT(Lease(three, 3), SizeIs(1));
}

TEST_F(JobsTest, WhoLeasesOfACappedTypeWaitsForWhoDoes) {
  for (const bool commits : {true, false}) {
    SCOPED_TRACE(commits);
    Enqueue(1);
    Transaction one = Begin();
    ASSERT_THAT(Lease(one, 1, 1), SizeIs(1));
    // There must be one that the cap alone holds back.
    Enqueue(1);
    size_t leased = 0;
    std::jthread other([&] {
      Transaction two = Begin();
      leased = Lease(two, 1, 1).size();
      EXPECT_THAT(two.Commit(), IsOk());
    });
    AwaitWaiter();
    if (commits) {
      EXPECT_THAT(one.Commit(), IsOk());
    } else {
      one.Rollback();
    }
    other.join();
    EXPECT_EQ(leased, commits ? 0u : 1u);
    Value(
        "WITH d AS (UPDATE jobs SET status = 'canceled', lease_token = NULL "
        "WHERE status IN ('queued', 'running') RETURNING 1) "
        "SELECT count(*) FROM d");
  }
}

TEST_F(JobsTest, OnlyTheLeaseInForceEndsATry) {
  Enqueue(1);
  const LeaseKey key = MustLease();
  const auto lost = StatusIs(absl::StatusCode::kFailedPrecondition);
  const auto expect_lost = [&](const LeaseKey& wrong) {
    Transaction tx = Begin();
    EXPECT_THAT(CompleteJob(tx, wrong, ""), lost);
    EXPECT_THAT(FailTry(tx, {.key = wrong, .error = "{}"}), lost);
    EXPECT_THAT(ExtendLease(tx, wrong, absl::Minutes(1)), lost);
  };
  expect_lost({.job_id = key.job_id, .lease_token = NewUuid()});
  {
    // Nor does the clock end what is in force.
    Transaction tx = Begin();
    EXPECT_THAT(FailTry(tx, {.key = {.job_id = key.job_id}, .error = "{}"}),
                lost);
    EXPECT_EQ(CountExpired(tx), 0u);
  }
  Value(
      "WITH u AS (UPDATE jobs SET lease_expires_at = engine_now() "
      "RETURNING 1) SELECT count(*) FROM u");
  expect_lost(key);
  Transaction tx = Begin();
  const auto expired = ExpiredJobs(tx, 10);
  ASSERT_THAT(expired, IsOk());
  ASSERT_THAT(*expired, SizeIs(1));
  // Whoever looks for more meanwhile passes it by.
  Transaction other = Begin();
  EXPECT_EQ(CountExpired(other), 0u);
  const auto failed = FailTry(tx, {.key = {.job_id = key.job_id},
                                   .error = R"({"reason": "LEASE_EXPIRED"})",
                                   .retryable = true});
  ASSERT_THAT(failed, IsOk());
  EXPECT_EQ(failed->status, JobStatus::kQueued);
  EXPECT_EQ(failed->retry_count, 1);
}

TEST_F(JobsTest, AKeyIsLeasableOnceAJobOfItIsDue) {
  const JobKey send = {.tenant_id = acme_.id, .job_type = "SEND"};
  const JobKey none = {.tenant_id = acme_.id, .job_type = "NONE"};
  const auto leasable = [&] {
    Transaction tx = Begin();
    const auto keys = LeasableJobs(tx, {none, send});
    EXPECT_THAT(keys, IsOk());
    return *keys;
  };
  EXPECT_THAT(leasable(), IsEmpty());
  Enqueue(1);
  EXPECT_THAT(leasable(), ElementsAre(send));
  const LeaseKey key = MustLease();
  EXPECT_THAT(leasable(), IsEmpty());
  Transaction tx = Begin();
  ASSERT_THAT(FailTry(tx, {.key = key, .error = "{}", .retryable = true}),
              IsOk());
  ASSERT_THAT(tx.Commit(), IsOk());
  EXPECT_THAT(leasable(), IsEmpty());
  Value(
      "WITH u AS (UPDATE jobs SET next_retry_at = engine_now() "
      "RETURNING 1) SELECT count(*) FROM u");
  EXPECT_THAT(leasable(), ElementsAre(send));
}

}  // namespace
}  // namespace sgl::storage
