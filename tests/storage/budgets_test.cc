// Proves budgets at the level of statements and locks: whoever locks second
// reads what the first spent, a spend comes with its settlement or not at all
// and once, other tenants' are out of reach, and what is left is read from an
// index, row-level security or not.

#include "storage/budgets.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/intents.h"
#include "storage/settlement.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kDollar = 1'000'000;

class BudgetsTest : public ::testing::Test {
 protected:
  Transaction Begin() {
    auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }
  std::string Value(const std::string& sql) {
    return database_->Super().Value(sql);
  }
  void SetBudget(const SeededTenant& tenant, int64_t limit_cents) {
    Value(absl::StrCat(
        "INSERT INTO budgets (tenant_id, name, category, limit_cents) VALUES "
        "('",
        tenant.id, "', 'pay', 'payout', ", limit_cents, ") RETURNING id"));
  }

  // Settles one new intent as EXECUTED, or as VALIDATING with a job.
  absl::Status Spend(Transaction& tx, int64_t micros_usd) {
    const std::string id = Value(
        absl::StrCat("INSERT INTO intents (tenant_id, agent_id, intent_type, "
                     "spend_micros_usd) VALUES ('",
                     acme_.id, "', '", acme_.agent, "', 'PAY', ", micros_usd,
                     ") RETURNING id"));
    last_id_ = id;
    return SpendAgain(tx, micros_usd);
  }
  // Settles that intent once more.
  absl::Status SpendAgain(Transaction& tx, int64_t micros_usd) {
    const Settlement settlement = {
        .intent_id = last_id_,
        .tenant_id = acme_.id,
        .status = IntentStatus::kExecuted,
        .decision = R"({"decision":"ALLOW"})",
        .sgl_result = "ALLOW",
        .policy_digest = "sha256:x",
        .adoption =
            Adoption{.payload = "{}", .payload_sha256 = std::string(64, '0')},
        .spend = SpendDraft{.category = "payout",
                            .micros_usd = micros_usd,
                            .counted_at = absl::Now()},
        .audit = {{.action = "SGL_EVALUATED"}}};
    return SettleIntents(tx, "", {&settlement, 1});
  }

  // Waits until somebody waits for a row's lock.
  void AwaitWaiter() {
    while (Value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") {
      std::this_thread::yield();
    }
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
  const std::vector<SpendKey> keys_ = {
      {.tenant_id = acme_.id, .category = "payout"}};
  std::string last_id_;
};

TEST_F(BudgetsTest, WhoeverLocksSecondReadsWhatTheFirstSpent) {
  SetBudget(acme_, 1'000);
  Transaction first = Begin();
  const auto mine = LockBudgets(first, keys_);
  ASSERT_THAT(mine, IsOk());
  EXPECT_EQ(mine->budgets.at(keys_[0]).remaining_micros_usd, 10 * kDollar);
  EXPECT_EQ(mine->budgets.at(keys_[0]).limit_micros_usd, 10 * kDollar);
  absl::StatusOr<LockedBudgets> theirs = absl::UnknownError("");
  std::thread second([&] {
    Transaction tx = Begin();
    theirs = LockBudgets(tx, keys_);
  });
  AwaitWaiter();
  ASSERT_THAT(Spend(first, 7 * kDollar), IsOk());
  ASSERT_THAT(first.Commit(), IsOk());
  second.join();
  ASSERT_THAT(theirs, IsOk());
  EXPECT_EQ(theirs->budgets.at(keys_[0]).remaining_micros_usd, 3 * kDollar);
  EXPECT_GE(theirs->now, mine->now);
}

TEST_F(BudgetsTest, NoBudgetComesWhileSomebodySpendsWithoutIt) {
  Transaction spender = Begin();
  const auto none = LockBudgets(spender, keys_);
  ASSERT_THAT(none, IsOk());
  EXPECT_THAT(none->budgets, IsEmpty());
  const std::string insert = absl::StrCat(
      "INSERT INTO budgets (tenant_id, name, category, limit_cents) VALUES ('",
      acme_.id, "', 'pay', 'payout', 1000)");
  const auto refused =
      database_->Super().Run("SET LOCAL lock_timeout = 50; " + insert);
  EXPECT_EQ(refused.sqlstate, "55P03");
  // Of another category it does.
  SetBudget(bolt_, 1'000);
  ASSERT_THAT(Spend(spender, kDollar), IsOk());
  ASSERT_THAT(spender.Commit(), IsOk());
  SetBudget(acme_, 2'000);
  Value(
      "UPDATE budgets SET period_starts_at = engine_now() - interval '1 day' "
      "WHERE limit_cents = 2000 RETURNING id");
  Transaction later = Begin();
  const auto there = LockBudgets(later, keys_);
  ASSERT_THAT(there, IsOk());
  EXPECT_EQ(there->budgets.at(keys_[0]).remaining_micros_usd, 19 * kDollar);
}

TEST_F(BudgetsTest, AnyTimeOfCreationIsOne) {
  SetBudget(acme_, 1'000);
  for (const std::string time : {"infinity", "-infinity"}) {
    Value(absl::StrCat("UPDATE budgets SET created_at = '", time,
                       "' RETURNING id"));
    Transaction tx = Begin();
    const auto locked = LockBudgets(tx, keys_);
    ASSERT_THAT(locked, IsOk()) << time;
    EXPECT_EQ(locked->budgets.at(keys_[0]).remaining_micros_usd, 10 * kDollar);
  }
}

TEST_F(BudgetsTest, TheTimeIsNeverBeforeTheLastSpend) {
  SetBudget(acme_, 1'000);
  {
    Transaction tx = Begin();
    ASSERT_THAT(Spend(tx, kDollar), IsOk());
    ASSERT_THAT(tx.Commit(), IsOk());
  }
  ASSERT_TRUE(database_->Super()
                  .Run("CREATE OR REPLACE FUNCTION engine_now() RETURNS "
                       "timestamptz LANGUAGE sql VOLATILE AS $$ SELECT "
                       "clock_timestamp() - interval '1 hour' $$")
                  .ok());
  Transaction tx = Begin();
  const auto locked = LockBudgets(tx, keys_);
  ASSERT_THAT(locked, IsOk());
  EXPECT_GT(locked->now, absl::Now() - absl::Minutes(30));
}

TEST_F(BudgetsTest, ASpendComesWithItsSettlementAndOnce) {
  {
    Transaction tx = Begin();
    ASSERT_THAT(Spend(tx, kDollar), IsOk());
  }
  EXPECT_EQ(Value("SELECT count(*) FROM intent_spends"), "0");
  EXPECT_EQ(Value("SELECT count(*) FROM ledger_entries"), "0");
  Transaction tx = Begin();
  ASSERT_THAT(SpendAgain(tx, kDollar), IsOk());
  EXPECT_THAT(tx.InSavepoint([&] { return SpendAgain(tx, kDollar); }),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(tx.Commit(), IsOk());
  EXPECT_EQ(Value("SELECT count(*) FROM intent_spends"), "1");
  EXPECT_EQ(Value("SELECT count(*) FROM ledger_entries"), "1");
}

TEST_F(BudgetsTest, OthersBudgetsAreOutOfReach) {
  SetBudget(bolt_, 1'000);
  Transaction tx = Begin();
  const std::vector<SpendKey> theirs = {
      {.tenant_id = bolt_.id, .category = "payout"},
      {.tenant_id = "nobody", .category = "payout"}};
  const auto locked = LockBudgets(tx, theirs);
  ASSERT_THAT(locked, IsOk());
  EXPECT_THAT(locked->budgets, IsEmpty());
  const auto listed = ListBudgets(tx, bolt_.id, "", 10);
  ASSERT_THAT(listed, IsOk());
  EXPECT_THAT(*listed, IsEmpty());
}

TEST_F(BudgetsTest, AListHasPages) {
  Value(absl::StrCat(
      "WITH made AS (INSERT INTO budgets (tenant_id, name, category, "
      "limit_cents) SELECT '",
      acme_.id,
      "', 'b' || n, CASE n WHEN 2 THEN NULL ELSE 'payout' END, 100 * n FROM "
      "generate_series(1, 3) AS n RETURNING 1) SELECT count(*) FROM made"));
  {
    Transaction tx = Begin();
    ASSERT_THAT(Spend(tx, 2 * kDollar), IsOk());
    ASSERT_THAT(tx.Commit(), IsOk());
  }
  Transaction tx = Begin();
  const auto first = ListBudgets(tx, acme_.id, "", 2);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(*first, SizeIs(2));
  EXPECT_EQ((*first)[0].name, "b1");
  EXPECT_EQ((*first)[0].committed_micros_usd, 2 * kDollar);
  EXPECT_EQ((*first)[0].limit_micros_usd, kDollar);
  EXPECT_EQ((*first)[1].category, "");
  EXPECT_EQ((*first)[1].committed_micros_usd, 0);
  const auto rest = ListBudgets(tx, acme_.id, "b2", 2);
  ASSERT_THAT(rest, IsOk());
  ASSERT_THAT(*rest, SizeIs(1));
  EXPECT_EQ((*rest)[0].name, "b3");
  EXPECT_EQ((*rest)[0].period_end - (*rest)[0].period_start,
            absl::Hours(24 * 30));
}

TEST_F(BudgetsTest, WhatIsLeftComesFromAnIndex) {
  SqlConnection runtime(database_->runtime_url());
  ASSERT_TRUE(runtime
                  .Run(absl::StrCat("SET intent.tenants = '{", acme_.id,
                                    "}'; SET enable_seqscan = off; "
                                    "SET enable_bitmapscan = off"))
                  .ok());
  const struct {
    const char* rows;
    const char* index;
  } kReads[] = {
      {"status <> 'released' AND NOT is_summed", "intent_spends_unsummed_idx"},
      {"is_summed", "intent_spends_summed_idx"}};
  for (const auto& read : kReads) {
    SCOPED_TRACE(read.rows);
    const auto plan = runtime.Run(absl::StrCat(
        "EXPLAIN SELECT sum(spend_micros_usd) FROM intent_spends WHERE "
        "tenant_id = '",
        acme_.id, "' AND category = 'payout' AND ", read.rows,
        " AND counted_at >= now() - interval '30 days' AND counted_at < "
        "now()"));
    ASSERT_TRUE(plan.ok()) << plan.error;
    std::string text;
    for (const auto& row : plan.rows) absl::StrAppend(&text, row[0], "\n");
    EXPECT_THAT(text,
                HasSubstr(absl::StrCat("Index Only Scan using ", read.index)));
    EXPECT_THAT(text,
                HasSubstr("(category = 'payout'::text) AND (counted_at >= "));
  }
}

// Whatever is summed and wherever a period begins, what is left is the limit
// less each of the period's spends.
TEST_F(BudgetsTest, SumsMakeNoDifference) {
  SetBudget(acme_, 1'000'000'000);
  SqlConnection& super = database_->Super();
  // Three days, a spend each 50 seconds, of some on the edge of a quarter of an
  // hour; each fourth is reserved and each fifth was released.
  ASSERT_TRUE(
      super
          .Run(absl::StrCat(
              "SET session_replication_role = replica; INSERT INTO "
              "intent_spends (tenant_id, intent_id, category, "
              "spend_micros_usd, status, counted_at, ended_at) SELECT '",
              acme_.id,
              "', gen_random_uuid(), 'payout', 1 + n * 7919 % 1000003, "
              "CASE WHEN n % 5 = 0 THEN 'released' WHEN n % 4 = 0 THEN "
              "'reserved' ELSE 'committed' END, timestamptz '2026-03-01 "
              "00:00:00+00' + n * interval '50 seconds' - (n % 2) * interval "
              "'1 microsecond', CASE WHEN n % 5 = 0 OR n % 4 <> 0 THEN now() "
              "END FROM generate_series(0, 5183) AS n; "
              "SET session_replication_role = origin"))
          .ok());
  const std::vector<std::string> starts = {
      "2026-03-01 00:00:00+00",        "2026-03-01 00:15:00+00",
      "2026-03-01 00:14:59.999999+00", "2026-03-01 00:15:00.000001+00",
      "2026-02-11 17:23:45.678901+00", "2026-03-02 23:59:59.999999+00"};
  const auto expect_exact = [&] {
    for (const std::string& start : starts) {
      Value(
          absl::StrCat("UPDATE budgets SET period_days = 1, "
                       "period_starts_at = '",
                       start, "' RETURNING id"));
      for (const char* day : {"01", "02", "03"}) {
        const std::string at =
            absl::StrCat("timestamptz '2026-03-", day, " 12:00:00+00'");
        EXPECT_EQ(
            Value(absl::StrCat(
                "SELECT b.committed_micros || ' ' || b.reserved_micros FROM "
                "budget_states(ARRAY['",
                acme_.id, "']::uuid[], ARRAY['payout'], ", at, ") AS b")),
            Value(absl::StrCat(
                "SELECT coalesce(sum(s.spend_micros_usd) FILTER (WHERE "
                "s.status = 'committed'), 0) || ' ' || coalesce(sum("
                "s.spend_micros_usd) FILTER (WHERE s.status = 'reserved'), 0) "
                "FROM intent_spends AS s, budget_period_start('",
                start, "', 1, ", at,
                ") AS p WHERE s.counted_at >= p AND s.counted_at < p + "
                "interval '24 hours'")))
            << start << " " << at;
      }
    }
  };
  const auto summed = [&] {
    return Value("SELECT count(*) FROM intent_spends WHERE is_summed");
  };
  expect_exact();
  EXPECT_EQ(summed(), "0");
  for (const char* count : {"2000", "3111", "3111"}) {
    Transaction tx = Begin();
    ASSERT_THAT(LockBudgets(tx, keys_), IsOk());
    ASSERT_THAT(tx.Commit(), IsOk());
    EXPECT_EQ(summed(), count);
    expect_exact();
  }
}

TEST_F(BudgetsTest, NothingIsSummedWithoutABudget) {
  ASSERT_TRUE(database_->Super()
                  .Run(absl::StrCat(
                      "SET session_replication_role = replica; INSERT INTO "
                      "intent_spends (tenant_id, intent_id, category, "
                      "spend_micros_usd, status, counted_at, ended_at) SELECT "
                      "'",
                      acme_.id,
                      "', gen_random_uuid(), 'payout', 1, 'committed', now(), "
                      "now() FROM generate_series(1, 600)"))
                  .ok());
  Transaction tx = Begin();
  ASSERT_THAT(LockBudgets(tx, keys_), IsOk());
  ASSERT_THAT(tx.Commit(), IsOk());
  EXPECT_EQ(Value("SELECT count(*) FROM spend_sums"), "0");
}

}  // namespace
}  // namespace sgl::storage
