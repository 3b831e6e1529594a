// Proves what becomes of what an intent spends: it is reserved or committed
// with the settlement that allows it, entered in the ledger once, released
// where nothing came of it, and never more than the budget has left, whoever
// allowed it; that rules see what is left; and that the check of the ledger
// finds what doesn't fit.

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/jobs.h"
#include "intent/v1/intent.pb.h"
#include "intent/v1/job_service.pb.h"
#include "tests/engine/spending.h"

namespace sgl::testing {
namespace {

using intent::v1::DecisionMemo;
using intent::v1::Intent;
using ::testing::HasSubstr;

constexpr int64_t kDollar = 1'000'000;
constexpr auto kExecuted = intent::v1::INTENT_STATUS_EXECUTED;
constexpr auto kFailed = intent::v1::INTENT_STATUS_FAILED;
constexpr auto kValidating = intent::v1::INTENT_STATUS_VALIDATING;

TEST(MoneyTest, WhatIsSpentIsEnteredInCentsRoundedUp) {
  Spending test;
  test.SetBudget("payout", 10'000);
  const Intent intent = test.Spend("PAY", 1'230'001);
  EXPECT_EQ(intent.status(), kExecuted);
  EXPECT_EQ(test.SpendOf(intent.id()), "committed payout 1230001");
  EXPECT_EQ(test.served.Value(
                "SELECT concat_ws(' ', entry_type, category, amount_cents, "
                "currency, meta ->> 'spend_micros_usd', external_ref = "
                "'intent:' || intent_id) FROM ledger_entries"),
            "debit payout 124 USD 1230001 t");
  EXPECT_EQ(test.Remaining("payout"), "98769999");
  // A whole cent stays one.
  test.Spend("PAY", 20'000);
  EXPECT_EQ(test.served.Value("SELECT amount_cents FROM ledger_entries "
                              "ORDER BY amount_cents LIMIT 1"),
            "2");
  // One micro is a cent.
  test.Spend("PAY", 1);
  EXPECT_EQ(test.served.Value("SELECT amount_cents FROM ledger_entries "
                              "ORDER BY amount_cents LIMIT 1"),
            "1");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, WithoutACategoryNothingIsKept) {
  Spending test;
  test.SetBudget("payout", 1);
  EXPECT_EQ(test.Spend("FREE", 100 * kDollar).status(), kExecuted);
  EXPECT_EQ(test.Spend("PAY", 0).status(), kExecuted);
  EXPECT_EQ(test.Count("intent_spends"), "0");
  EXPECT_EQ(test.Count("ledger_entries"), "0");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, WithoutABudgetItIsEnteredAllTheSame) {
  Spending test("\nblock HAS_BUDGET when budget.exists\n");
  const Intent intent = test.Spend("PAY", 5 * kDollar);
  EXPECT_EQ(intent.status(), kExecuted);
  EXPECT_EQ(test.SpendOf(intent.id()), "committed payout 5000000");
  EXPECT_EQ(test.Count("ledger_entries"), "1");
  // A budget of another category is none of its.
  test.SetBudget("api_spend", 100);
  EXPECT_EQ(test.Spend("PAY", kDollar).status(), kExecuted);
  test.SetBudget("payout", 100'000);
  EXPECT_EQ(test.Spend("PAY", kDollar).status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  test.ExpectLedgerFits();
}

TEST(MoneyTest, MoreThanIsLeftFails) {
  Spending test;
  test.SetBudget("payout", 1'000);
  EXPECT_EQ(test.Spend("PAY", 10 * kDollar + 1).status(), kFailed);
  EXPECT_EQ(test.Spend("PAY", 10 * kDollar).status(), kExecuted);
  const Intent intent = test.Spend("PAY", 1);
  EXPECT_EQ(intent.status(), kFailed);
  EXPECT_EQ(intent.failure_reason(), "BUDGET_EXCEEDED");
  EXPECT_THAT(intent.failure_message(),
              HasSubstr("its spend of $0.000001 is more than the budget of "
                        "`payout` has left, $0;"));
  EXPECT_EQ(test.served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED ENGINE_FAILED");
  EXPECT_EQ(test.SpendOf(intent.id()), "");
  // One that spends nothing goes on.
  EXPECT_EQ(test.Spend("PAY", 0).status(), kExecuted);
  test.ExpectLedgerFits();
}

TEST(MoneyTest, AJobThatCanNotBePaidIsNotQueued) {
  Spending test;
  test.SetBudget("api_spend", 100);
  const Intent intent = test.Spend("SMS", kDollar + 1);
  EXPECT_EQ(intent.status(), kFailed);
  EXPECT_EQ(intent.failure_reason(), "BUDGET_EXCEEDED");
  EXPECT_EQ(intent.job_id(), "");
  EXPECT_EQ(test.Count("jobs"), "0");
  EXPECT_EQ(test.served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED ENGINE_FAILED");
}

TEST(MoneyTest, AJobReservesAndCommitsOnce) {
  Spending test;
  test.SetBudget("api_spend", 100);
  const Intent waiting = test.Spend("SMS", 600'000);
  EXPECT_EQ(waiting.status(), kValidating);
  EXPECT_EQ(test.SpendOf(waiting.id()), "reserved api_spend 600000");
  EXPECT_EQ(test.Remaining("api_spend"), "400000");
  EXPECT_EQ(test.Count("ledger_entries"), "0");
  test.ExpectLedgerFits();
  // What is reserved is nobody else's.
  EXPECT_EQ(test.Spend("SMS", 500'000).failure_reason(), "BUDGET_EXCEEDED");
  const auto lease = test.worker.MustLease("SEND");
  ASSERT_TRUE(test.worker.Complete(lease, "{}").ok());
  ASSERT_TRUE(test.worker.Complete(lease, "{}").ok());
  EXPECT_EQ(test.agent.MustGet(waiting.id()).status(), kExecuted);
  EXPECT_EQ(test.SpendOf(waiting.id()), "committed api_spend 600000");
  EXPECT_EQ(test.Remaining("api_spend"), "400000");
  EXPECT_EQ(test.served.Value("SELECT amount_cents FROM ledger_entries"), "60");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, AJobThatComesToNothingReleases) {
  Spending test;
  test.SetBudget("api_spend", 100);
  const Intent failed = test.Spend("SMS", kDollar);
  ASSERT_TRUE(test.worker.Fail(test.worker.MustLease("SEND")).ok());
  EXPECT_EQ(test.agent.MustGet(failed.id()).status(), kFailed);
  EXPECT_EQ(test.SpendOf(failed.id()), "released api_spend 1000000");
  EXPECT_EQ(test.Remaining("api_spend"), "1000000");

  const Intent canceled = test.Spend("SMS", kDollar);
  ASSERT_TRUE(test.operator_.Cancel(canceled.job_id()).ok());
  EXPECT_EQ(test.SpendOf(canceled.id()), "released api_spend 1000000");

  const Intent lost = test.Spend("SMS", kDollar);
  test.worker.MustLease("SEND");
  test.served.SetClockAhead("2 minutes");
  const auto expired =
      engine::ExpireLeases(test.served.database().runtime(), 9);
  ASSERT_TRUE(expired.ok()) << expired.status();
  EXPECT_EQ(test.agent.MustGet(lost.id()).status(), kFailed);
  EXPECT_EQ(test.SpendOf(lost.id()), "released api_spend 1000000");

  EXPECT_EQ(test.Count("ledger_entries"), "0");
  EXPECT_EQ(test.Spend("SMS", kDollar).status(), kValidating);
  test.ExpectLedgerFits();
}

TEST(MoneyTest, OneBatchIsDecidedOneAfterTheOther) {
  Spending test(kBudgetRule);
  test.SetBudget("payout", 10'000);
  for (int i = 0; i < 3; ++i) {
    test.agent.MustSubmit("PAY", "{}", 40 * kDollar);
  }
  EXPECT_EQ(test.served.SettleDrafts(), 3);
  EXPECT_EQ(test.Count("intents WHERE status = 'EXECUTED'"), "2");
  // The rule saw what was left then, and the entry says what that was.
  EXPECT_EQ(test.served.Value(
                "SELECT a.meta #>> '{facts,budget,remaining_micros_usd}' FROM "
                "audit_log AS a JOIN intents AS i ON i.id = a.entity_id WHERE "
                "i.status = 'BLOCKED_SGL' AND a.action = 'SGL_EVALUATED'"),
            "20000000");
  EXPECT_EQ(test.Remaining("payout"), "20000000");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, OfSeveralBudgetsAllHold) {
  Spending test;
  test.SetBudget("payout", 10'000);
  test.SetBudget("payout", 300);
  EXPECT_EQ(test.Remaining("payout"), "3000000");
  EXPECT_EQ(test.Spend("PAY", 4 * kDollar).failure_reason(), "BUDGET_EXCEEDED");
  EXPECT_EQ(test.Spend("PAY", 3 * kDollar).status(), kExecuted);
}

TEST(MoneyTest, AnApprovalCanNotOverspend) {
  Spending test;
  test.SetBudget("payout", 50'000);
  const Intent first = test.Spend("PAY", 300 * kDollar);
  const Intent second = test.Spend("PAY", 300 * kDollar);
  // What waits for people reserves nothing.
  EXPECT_EQ(test.Remaining("payout"), "500000000");
  Caller erin = test.served.As(test.served.AddUser("erin", "member"));
  const auto paid =
      erin.Approve(test.agent.MustGetMemo(first.decision_memo_id()));
  ASSERT_TRUE(paid.ok()) << paid.status.error_message();
  EXPECT_EQ(paid.response.intent().status(), kExecuted);
  const auto refused =
      erin.Approve(test.agent.MustGetMemo(second.decision_memo_id()));
  ASSERT_TRUE(refused.ok()) << refused.status.error_message();
  EXPECT_EQ(refused.response.intent().status(), kFailed);
  EXPECT_EQ(refused.response.intent().failure_reason(), "BUDGET_EXCEEDED");
  EXPECT_EQ(test.served.Actions(second.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_APPROVED SGL_EVALUATED ENGINE_FAILED");
  EXPECT_EQ(test.Remaining("payout"), "200000000");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, APeriodBeginsAnew) {
  Spending test;
  test.SetBudget("payout", 100);
  test.SetBudget("api_spend", 100);
  const Intent late = test.Spend("SMS", kDollar);
  EXPECT_EQ(test.Spend("PAY", kDollar).status(), kExecuted);
  // The period has a day behind it and 29 before it.
  test.served.SetClockAhead("28 days 23 hours");
  EXPECT_EQ(test.Remaining("payout"), "0");
  EXPECT_EQ(test.Spend("PAY", 1).failure_reason(), "BUDGET_EXCEEDED");
  test.served.SetClockAhead("29 days 1 hour");
  EXPECT_EQ(test.Remaining("payout"), "1000000");
  EXPECT_EQ(test.Spend("PAY", kDollar).status(), kExecuted);
  EXPECT_EQ(test.Remaining("payout"), "0");
  // A job counts for the period that it was allowed in, whenever it ends.
  EXPECT_EQ(test.Remaining("api_spend"), "1000000");
  ASSERT_TRUE(test.worker.Complete(test.worker.MustLease("SEND")).ok());
  EXPECT_EQ(test.SpendOf(late.id()), "committed api_spend 1000000");
  EXPECT_EQ(test.Remaining("api_spend"), "1000000");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, PeriodsAreOfWholeDaysOnBothSidesOfTheirStart) {
  Spending test;
  const auto start = [&](const std::string& at) {
    return test.served.Value(absl::StrCat(
        "SELECT to_char(budget_period_start('2026-03-01T00:00:00Z', 7, '", at,
        "'::timestamptz) AT TIME ZONE 'UTC', 'MM-DD HH24:MI')"));
  };
  EXPECT_EQ(start("2026-03-01T00:00:00Z"), "03-01 00:00");
  EXPECT_EQ(start("2026-03-07T23:59:59.999999Z"), "03-01 00:00");
  EXPECT_EQ(start("2026-03-08T00:00:00Z"), "03-08 00:00");
  EXPECT_EQ(start("2026-02-28T23:59:59.999999Z"), "02-22 00:00");
  // A day has 24 hours, whatever clocks on walls do.
  EXPECT_EQ(start("2026-04-01T12:00:00Z"), "03-29 00:00");
}

TEST(MoneyTest, OneAlertABudgetAndPeriod) {
  Spending test;
  test.SetBudget("payout", 1'000, "0.8");
  const std::string alerts = "audit_log WHERE action = 'BUDGET_ALERT'";
  test.Spend("PAY", 7'999'999);
  EXPECT_EQ(test.Count(alerts), "0");
  test.Spend("PAY", 1);
  EXPECT_EQ(test.Count(alerts), "1");
  EXPECT_EQ(test.served.Value(
                "SELECT concat_ws(' ', a.level, a.entity_type, b.category, "
                "a.meta ->> 'committed_micros_usd') FROM audit_log AS a JOIN "
                "budgets AS b ON b.id = a.entity_id WHERE a.action = "
                "'BUDGET_ALERT'"),
            "warn budget payout 8000000");
  test.Spend("PAY", kDollar);
  EXPECT_EQ(test.Count(alerts), "1");
  test.served.SetClockAhead("30 days");
  test.Spend("PAY", kDollar);
  EXPECT_EQ(test.Count(alerts), "1");
  test.Spend("PAY", 8 * kDollar);
  EXPECT_EQ(test.Count(alerts), "2");
}

TEST(MoneyTest, AnEffectThatIsRefusedSpendsNothing) {
  Spending test;
  test.SetBudget("payout", 100);
  const std::string nowhere =
      R"({"ticket_id": "00000000-0000-4000-8000-000000000000", "body": "x"})";
  const std::string refused =
      test.agent.MustSubmit("TICKET_COMMENT", nowhere, kDollar).id();
  const std::string other = test.agent.MustSubmit("PAY", "{}", kDollar).id();
  EXPECT_EQ(test.served.SettleDrafts(), 2);
  EXPECT_EQ(test.agent.MustGet(refused).failure_reason(), "EFFECT_REFUSED");
  EXPECT_EQ(test.SpendOf(refused), "");
  // Who came after it in its batch gets what it didn't spend.
  EXPECT_EQ(test.agent.MustGet(other).status(), kExecuted);
  EXPECT_EQ(test.Remaining("payout"), "0");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, WhatSpendsNothingSeesItsBudgetBesideOthersThatDo) {
  Spending test(
      "\nblock HAS_BUDGET on PAY when budget.exists\n"
      "limit PAYS 100 per tenant per 1h on PAY else block\n");
  test.SetBudget("payout", 100);
  test.SetBudget("api_spend", 100);
  // The other's budget is locked, and this one's is not.
  const std::string other = test.agent.MustSubmit("SMS", "{}", kDollar).id();
  const std::string free = test.agent.MustSubmit("PAY", "{}", 0).id();
  EXPECT_EQ(test.served.SettleDrafts(), 2);
  EXPECT_EQ(test.agent.MustGet(other).status(), kValidating);
  EXPECT_EQ(test.agent.MustGet(free).status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
}

TEST(MoneyTest, AnEntryThatIsPostedIsNoSpend) {
  Spending test;
  test.SetBudget("misc", 100);
  const Intent intent = test.Spend("LEDGER_ENTRY_POST", 250'000, R"({
      "entry_type": "credit", "category": "misc", "amount_cents": 900,
      "currency": "USD"})");
  EXPECT_EQ(intent.status(), kExecuted) << intent.failure_message();
  // What it posts and what it spends are an entry each.
  EXPECT_EQ(test.served.Value(
                "SELECT string_agg(concat_ws(' ', entry_type, amount_cents, "
                "spend_micros_usd), ', ' ORDER BY amount_cents) "
                "FROM ledger_entries"),
            "debit 25 250000, credit 900");
  EXPECT_EQ(test.Remaining("misc"), "750000");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, ABudgetIsSetByAnIntent) {
  Spending test;
  const Intent set = test.Spend("BUDGET_SET", 0, R"({
      "name": "pay", "category": "payout", "limit_cents": 500,
      "period_days": 1, "period_starts_at": "2026-01-01T06:00:00Z"})");
  EXPECT_EQ(set.status(), kExecuted) << set.failure_message();
  EXPECT_EQ(test.Remaining("payout"), "5000000");
  EXPECT_EQ(test.served.Value(
                "SELECT to_char(period_start AT TIME ZONE 'UTC', 'HH24:MI') "
                "FROM budget_states(ARRAY(SELECT tenant_id FROM budgets), "
                "ARRAY['payout'], engine_now())"),
            "06:00");
}

TEST(MoneyTest, ARepeatedSubmissionSpendsOnce) {
  Spending test("", /*runs=*/true);
  test.SetBudget("payout", 100);
  auto request = Caller::Request("PAY", "{}");
  request.set_spend_micros_usd(kDollar);
  request.mutable_wait()->set_seconds(30);
  const auto first = test.agent.Submit(request);
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  EXPECT_EQ(first.response.intent().status(), kExecuted);
  const auto again = test.agent.Submit(request);
  ASSERT_TRUE(again.ok()) << again.status.error_message();
  EXPECT_EQ(again.response.intent().id(), first.response.intent().id());
  EXPECT_EQ(again.response.intent().status(), kExecuted);
  EXPECT_EQ(test.Remaining("payout"), "0");
  EXPECT_EQ(test.Count("ledger_entries"), "1");
  test.ExpectLedgerFits();
}

TEST(MoneyTest, EntriesAndSpendsStay) {
  Spending test;
  test.Spend("PAY", kDollar);
  test.Spend("SMS", kDollar);
  SqlConnection& super = test.served.database().Super();
  for (const char* sql :
       {"UPDATE ledger_entries SET amount_cents = 1",
        "DELETE FROM ledger_entries", "TRUNCATE ledger_entries",
        "DELETE FROM intent_spends", "TRUNCATE intent_spends",
        "UPDATE intent_spends SET spend_micros_usd = 1 "
        "WHERE status = 'reserved'",
        "UPDATE intent_spends SET status = 'released', ended_at = now() "
        "WHERE status = 'committed'",
        "UPDATE intent_spends SET is_summed = true WHERE status = 'reserved'",
        "UPDATE intent_spends SET is_summed = true, ended_at = now() "
        "WHERE status = 'committed'"}) {
    SCOPED_TRACE(sql);
    EXPECT_FALSE(super.Run(sql).ok());
  }
  // An entry is what was spent, in cents rounded up, and there is one.
  EXPECT_EQ(super
                .Run("INSERT INTO ledger_entries (tenant_id, intent_id, "
                     "entry_type, category, amount_cents, spend_micros_usd) "
                     "SELECT tenant_id, id, 'debit', 'payout', 0, 1 "
                     "FROM intents LIMIT 1")
                .sqlstate,
            "23514");
  EXPECT_EQ(super
                .Run("INSERT INTO ledger_entries (tenant_id, intent_id, "
                     "entry_type, category, amount_cents, spend_micros_usd) "
                     "SELECT tenant_id, intent_id, entry_type, category, "
                     "amount_cents, spend_micros_usd FROM ledger_entries")
                .sqlstate,
            "23505");
}

// Enough of them that sums are kept: nothing of it is entered twice, and the
// check tells a sum that isn't one.
TEST(MoneyTest, SumsAreCheckedAgainstTheirSpends) {
  Spending test;
  test.SetBudget("payout", 100'000);
  test.Spend("PAY", kDollar);
  SqlConnection& super = test.served.database().Super();
  const SqlResult made = super.Run(
      "BEGIN; SET LOCAL session_replication_role = replica; "
      "WITH one AS (INSERT INTO intents (tenant_id, agent_id, intent_type, "
      "status, sgl_result, decision, policy_digest, spend_micros_usd) SELECT "
      "i.tenant_id, i.agent_id, i.intent_type, i.status, i.sgl_result, "
      "i.decision, i.policy_digest, i.spend_micros_usd FROM intents AS i, "
      "generate_series(1, 600) RETURNING tenant_id, id), spent AS (INSERT "
      "INTO intent_spends (tenant_id, intent_id, category, spend_micros_usd, "
      "status, counted_at, ended_at) SELECT tenant_id, id, 'payout', 1000000, "
      "'committed', now(), now() FROM one) INSERT INTO ledger_entries "
      "(tenant_id, intent_id, entry_type, category, amount_cents, "
      "spend_micros_usd) SELECT tenant_id, id, 'debit', 'payout', 100, 1000000 "
      "FROM one; COMMIT");
  ASSERT_TRUE(made.ok()) << made.error;
  test.Spend("PAY", kDollar);
  EXPECT_EQ(super.Value("SELECT sum(committed_micros) FROM spend_sums"),
            "601000000");
  EXPECT_EQ(test.Remaining("payout"), absl::StrCat(398 * kDollar));
  EXPECT_EQ(test.Count("ledger_entries"), "602");
  test.ExpectLedgerFits();
  ASSERT_TRUE(super
                  .Run("UPDATE spend_sums SET committed_micros = "
                       "committed_micros - 1")
                  .ok());
  const engine::LedgerVerdict verdict = test.CheckLedger();
  EXPECT_FALSE(verdict.fits);
  ASSERT_FALSE(verdict.reading.totals.empty());
  EXPECT_GE(verdict.reading.totals[0].uneven_sums, 1);
}

// The check finds what got past all of that.
TEST(MoneyTest, TheCheckNamesWhatDoesNotFit) {
  const struct {
    const char* harm;
    const char* what;
  } kCases[] = {
      {"UPDATE intent_spends SET status = 'released', ended_at = now() "
       "WHERE status = 'committed'",
       "its spend is released while it is EXECUTED"},
      {"UPDATE intent_spends SET status = 'reserved', ended_at = NULL "
       "WHERE status = 'committed'",
       "its spend is reserved while it is EXECUTED"},
      {"UPDATE intent_spends SET spend_micros_usd = 7 "
       "WHERE status = 'committed'",
       "it spends 1000001 micros and 7 are on record"},
      {"UPDATE intent_spends SET category = 'misc' WHERE status = 'committed'",
       "the ledger has 1000001 micros of payout for 1000001 micros of misc"},
      {"DELETE FROM intent_spends WHERE status = 'committed'",
       "it is EXECUTED and its spend of category payout is not on record"},
      {"DELETE FROM ledger_entries",
       "its committed spend is not in the ledger"},
      {"DROP INDEX ledger_entries_spend_key; INSERT INTO ledger_entries "
       "(tenant_id, intent_id, entry_type, category, amount_cents, "
       "spend_micros_usd) SELECT tenant_id, intent_id, entry_type, category, "
       "amount_cents, spend_micros_usd FROM ledger_entries",
       "the ledger has its spend 2 times"},
      {"ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_spend_exact; "
       "UPDATE ledger_entries SET amount_cents = 100",
       "the cents of its entry are not its micros rounded up"},
      {"UPDATE intents SET status = 'FAILED', failure_reason = 'X', "
       "failure_message = 'x' WHERE status = 'VALIDATING'",
       "its spend is reserved while it is FAILED"},
  };
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.harm);
    Spending test;
    const std::string paid = test.Spend("PAY", kDollar + 1).id();
    test.Spend("SMS", kDollar);
    test.ExpectLedgerFits();
    const SqlResult harmed = test.served.database().Super().Run(
        absl::StrCat("BEGIN; SET LOCAL session_replication_role = replica; ",
                     one.harm, "; COMMIT"));
    ASSERT_TRUE(harmed.ok()) << harmed.error;
    const engine::LedgerVerdict verdict = test.CheckLedger();
    EXPECT_FALSE(verdict.fits);
    std::string found;
    for (const auto& problem : verdict.reading.problems) {
      absl::StrAppend(&found, problem.what, "\n");
    }
    EXPECT_THAT(found, HasSubstr(one.what));
  }
}

}  // namespace
}  // namespace sgl::testing
