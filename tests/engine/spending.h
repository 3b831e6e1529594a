// An engine whose intents spend money, and what its tests ask of the ledger.
//
//   Spending test;
//   test.SetBudget("payout", 10'000);         // $100
//   EXPECT_EQ(test.Spend("PAY", 5'000'000).status(), EXECUTED);
//   EXPECT_EQ(test.Remaining("payout"), "95000000");
//   test.ExpectLedgerFits();

#ifndef TESTS_ENGINE_SPENDING_H_
#define TESTS_ENGINE_SPENDING_H_

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/ledger.h"
#include "intent/v1/intent.pb.h"
#include "storage/identity.h"
#include "tests/engine/job_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {

// PAY is a record, SMS a job that is tried once, TICKET_COMMENT an effect;
// FREE spends without a category.
inline constexpr char kSpendingExecutors[] = R"(
executors { intent_type: "PAY" record {} }
executors { intent_type: "FREE" record {} }
executors { intent_type: "SMS" job { job_type: "SEND" max_retries: 0 } }
spends { intent_type: "PAY" category: "payout" }
spends { intent_type: "SMS" category: "api_spend" }
spends { intent_type: "TICKET_COMMENT" category: "payout" }
spends { intent_type: "LEDGER_ENTRY_POST" category: "misc" }
)";

// A spend from $250 asks for anybody.
inline constexpr char kSpendingPolicy[] = R"sgl(
policy test.money version 1
layer platform
default allow

intent PAY { }
intent FREE { }
intent SMS { }
intent TICKET_COMMENT { ticket_id: string, body: string }
intent BUDGET_SET { name: string, limit_cents: int }
intent LEDGER_ENTRY_POST { amount_cents: int }

review BIG_SPEND when intent.spend >= $250 risk 2
)sgl";

// The same with a rule of its own for what a budget has left.
inline constexpr char kBudgetRule[] = R"sgl(
block OVER_BUDGET "${intent.spend} of ${budget.remaining}"
  when budget.exists and intent.spend > budget.remaining
)sgl";

struct Spending {
  explicit Spending(const std::string& more_policy = "", bool runs = false)
      : served({.policy = absl::StrCat(kSpendingPolicy, more_policy),
                .executors = kSpendingExecutors,
                .runs = runs}),
        agent(served.As(served.agent_token())),
        worker(served, served.AddToken(storage::PrincipalKind::kWorker, "",
                                       served.tenant().id)),
        operator_(served, served.AddToken(storage::PrincipalKind::kOperator, "",
                                          served.tenant().id)) {}

  // Makes a budget whose 30 days began a day ago.
  void SetBudget(const std::string& category, int64_t limit_cents,
                 const std::string& alert_at = "NULL") {
    served.Value(absl::StrCat(
        "INSERT INTO budgets (tenant_id, name, category, limit_cents, "
        "period_days, period_starts_at, alert_at) VALUES ('",
        served.tenant().id, "', '", category, " ", limit_cents, "', '",
        category, "', ", limit_cents, ", 30, engine_now() - interval '1 day', ",
        alert_at, ") RETURNING id"));
  }
  // Submits and settles; returns the intent as it stands then.
  intent::v1::Intent Spend(const std::string& type, int64_t micros_usd,
                           const std::string& payload = "{}") {
    const std::string id = agent.MustSubmit(type, payload, micros_usd).id();
    served.SettleDrafts();
    return agent.MustGet(id);
  }

  // Exact, of the tightest budget; empty where there is none.
  std::string Remaining(const std::string& category) {
    return served.Value(absl::StrCat(
        "SELECT coalesce((SELECT remaining_micros::text FROM tightest_budgets("
        "ARRAY['",
        served.tenant().id, "'::uuid], ARRAY['", category,
        "'], engine_now())), '')"));
  }
  // `status category micros` of an intent's spend; empty where it has none.
  std::string SpendOf(const std::string& intent_id) {
    return served.Value(
        absl::StrCat("SELECT coalesce((SELECT concat_ws(' ', status, category, "
                     "spend_micros_usd) FROM intent_spends WHERE intent_id = '",
                     intent_id, "'), '')"));
  }
  std::string Count(const std::string& from) {
    return served.Value("SELECT count(*) FROM " + from);
  }

  engine::LedgerVerdict CheckLedger() {
    const absl::StatusOr<engine::LedgerVerdict> verdict =
        engine::CheckLedger(served.database().direct(), served.tenant().id);
    EXPECT_TRUE(verdict.ok()) << verdict.status();
    return verdict.value_or(engine::LedgerVerdict{.fits = false});
  }
  void ExpectLedgerFits() {
    const engine::LedgerVerdict verdict = CheckLedger();
    EXPECT_TRUE(verdict.fits);
    for (const auto& problem : verdict.reading.problems) {
      ADD_FAILURE() << problem.intent_id << ": " << problem.what;
    }
  }

  ServedEngine served;
  Caller agent;
  JobCaller worker;
  JobCaller operator_;
};

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_SPENDING_H_
