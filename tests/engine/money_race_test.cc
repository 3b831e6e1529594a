// Proves that two intents never spend the same dollar: engines that race for
// what a budget has left, as workers, as callers' groups and as votes, end with
// exactly what fits, and with a ledger that fits.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "intent/v1/intent.pb.h"
#include "tests/engine/served_engine.h"
#include "tests/engine/spending.h"

namespace sgl::testing {
namespace {

constexpr int64_t kDollar = 1'000'000;

// Another engine on the same database.
std::unique_ptr<engine::Engine> AnotherEngine(ServedEngine& served) {
  absl::StatusOr<engine::ExecutorRegistry> executors =
      engine::ExecutorRegistry::FromText("test.textproto", kSpendingExecutors);
  EXPECT_TRUE(executors.ok()) << executors.status();
  absl::StatusOr<std::unique_ptr<engine::Engine>> engine =
      engine::Engine::Create({.database_url = served.database().runtime_url(),
                              .direct_url = served.database().direct_url(),
                              .executors = *std::move(executors)});
  EXPECT_TRUE(engine.ok()) << engine.status();
  (*engine)->Load();
  return *std::move(engine);
}

// Inserts DRAFTs that spend 1, 2, 3, 1, ... dollars each, as others do.
void InsertDrafts(Spending& test, int count) {
  const SqlResult inserted = test.served.database().Owner().Run(absl::StrCat(
      "INSERT INTO intents (tenant_id, agent_id, intent_type, payload, "
      "spend_micros_usd) SELECT '",
      test.served.tenant().id, "', '", test.served.tenant().agent,
      "', CASE n % 2 WHEN 0 THEN 'PAY' ELSE 'SMS' END, '{}', "
      "1000000 * (n % 3 + 1) FROM generate_series(1, ",
      count, ") AS n"));
  ASSERT_TRUE(inserted.ok()) << inserted.error;
}

// What went through is no more than the budget, and what didn't would not have
// fit any more: less than the least of those was left.
void ExpectSpent(Spending& test, const std::string& category,
                 const std::string& type, int64_t limit) {
  SCOPED_TRACE(category);
  const int64_t remaining = std::stoll(test.Remaining(category));
  EXPECT_GE(remaining, 0);
  EXPECT_EQ(test.served.Value(absl::StrCat(
                "SELECT sum(spend_micros_usd) FROM intents WHERE intent_type "
                "= '",
                type, "' AND status IN ('EXECUTED', 'VALIDATING')")),
            absl::StrCat(limit - remaining));
  EXPECT_EQ(
      test.Count(absl::StrCat("intents WHERE intent_type = '", type,
                              "' AND status = 'FAILED' AND failure_reason <> "
                              "'BUDGET_EXCEEDED'")),
      "0");
  EXPECT_EQ(test.Count(absl::StrCat(
                "intents WHERE intent_type = '", type,
                "' AND status = 'FAILED' AND spend_micros_usd <= ", remaining)),
            "0");
}

TEST(MoneyRaceTest, WorkersSpendTheLastDollarOnce) {
  Spending test;
  test.SetBudget("payout", 10'000);
  test.SetBudget("api_spend", 5'000);
  InsertDrafts(test, 400);
  const auto other = AnotherEngine(test.served);
  const auto third = AnotherEngine(test.served);
  engine::Engine* const engines[] = {&test.served.engine(), other.get(),
                                     third.get()};
  std::latch start(3);
  std::vector<std::thread> threads;
  for (engine::Engine* engine : engines) {
    threads.emplace_back([&start, engine] {
      start.arrive_and_wait();
      // One that meets another for too long is told to come again.
      while (!engine->worker().SettleDrafts().ok()) {
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  test.served.SettleDrafts();
  EXPECT_EQ(test.Count("intents WHERE status = 'DRAFT'"), "0");
  ExpectSpent(test, "payout", "PAY", 100 * kDollar);
  ExpectSpent(test, "api_spend", "SMS", 50 * kDollar);
  test.ExpectLedgerFits();
}

TEST(MoneyRaceTest, CallersAndWorkersSpendTheLastDollarOnce) {
  Spending test("", /*runs=*/true);
  test.SetBudget("payout", 2'500);
  const auto other = AnotherEngine(test.served);
  other->Start();
  constexpr int kCallers = 6;
  std::latch start(kCallers);
  std::vector<std::thread> threads;
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([&] {
      Caller agent = test.served.As(test.served.agent_token());
      start.arrive_and_wait();
      for (int n = 0; n < 10; ++n) {
        auto request = Caller::Request("PAY", "{}");
        request.set_spend_micros_usd(kDollar);
        request.mutable_wait()->set_seconds(30);
        const auto answer = agent.Submit(request);
        EXPECT_TRUE(answer.ok()) << answer.status.error_message();
      }
    });
  }
  InsertDrafts(test, 30);
  for (std::thread& thread : threads) thread.join();
  while (test.Count("intents WHERE status = 'DRAFT'") != "0") {
    std::this_thread::yield();
  }
  other->Stop();
  ExpectSpent(test, "payout", "PAY", 25 * kDollar);
  test.ExpectLedgerFits();
}

TEST(MoneyRaceTest, VotesSpendTheLastDollarOnce) {
  Spending test;
  test.SetBudget("payout", 100'000);
  constexpr int kMemos = 6;
  std::vector<intent::v1::DecisionMemo> memos;
  std::vector<Caller> voters;
  for (int i = 0; i < kMemos; ++i) {
    memos.push_back(test.agent.MustGetMemo(
        test.Spend("PAY", 300 * kDollar).decision_memo_id()));
    voters.push_back(test.served.As(
        test.served.AddUser(absl::StrCat("voter", i), "member")));
  }
  std::latch start(kMemos);
  std::vector<std::thread> threads;
  for (int i = 0; i < kMemos; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      const auto answer = voters[i].Approve(memos[i]);
      EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(test.Count("intents WHERE status = 'EXECUTED'"), "3");
  EXPECT_EQ(test.Remaining("payout"), "100000000");
  ExpectSpent(test, "payout", "PAY", 1000 * kDollar);
  test.ExpectLedgerFits();
}

}  // namespace
}  // namespace sgl::testing
