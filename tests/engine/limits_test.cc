// Proves that the engine counts limits exactly: to the microsecond at both
// edges of the window, by their scope, in intents and in dollars, where a
// worker decides, a group of submissions, or an approval. That only what came
// to pass counts. That a decision is taken again from its audit entry, that
// asking counts nothing, and that without limits the database isn't asked.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <gtest/gtest.h>

#include <string>

#include "intent/v1/intent.pb.h"
#include "tests/engine/limited.h"
#include "tests/engine/policy_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::Intent;

// Each test that is about what counts runs where a worker decides and where the
// inserting transaction does.
class LimitsTest : public ::testing::TestWithParam<bool> {
 protected:
  static ServedEngine::Options Options() { return {.runs = GetParam()}; }
};

INSTANTIATE_TEST_SUITE_P(, LimitsTest, ::testing::Bool(), [](const auto& info) {
  return info.param ? "InGroups" : "ByWorker";
});

TEST_P(LimitsTest, BothEdgesOfTheWindowAreExact) {
  Limited test("limit TWO 2 per tenant per 60s on POST else block", Options());
  EXPECT_EQ(test.Post(), "EXECUTED");
  test.SetClock("1 second");
  EXPECT_EQ(test.Post(), "EXECUTED");
  // Up to now: what passed at this very time counts.
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
  EXPECT_EQ(test.last.decision().reasons(0).code(), "TWO");
  test.SetClock("59.999999 seconds");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
  // Later than now less the window: what is just as old counts no more.
  test.SetClock("60 seconds");
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
  test.SetClock("61 seconds");
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
}

TEST_P(LimitsTest, AClockThatIsSetBackFreesNoPlace) {
  Limited test("limit TWO 2 per tenant per 60s on POST else block", Options());
  test.SetClock("1 hour");
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.Post(), "EXECUTED");
  test.SetClock("0");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
  // Decided at the time of what was counted last.
  EXPECT_EQ(test.served.Value(absl::StrCat(
                "SELECT (decision ->> 'decided_at')::timestamptz = ", kStart,
                " + interval '1 hour' FROM intents WHERE id = '",
                test.last.id(), "'")),
            "t");
}

TEST_P(LimitsTest, SpendIsCountedToTheMicrodollar) {
  Limited test("limit DEAR $1000 of spend per tenant per 1d on POST else block",
               Options());
  EXPECT_EQ(test.Post(999'999'999), "EXECUTED");
  EXPECT_EQ(test.Post(2), "BLOCKED_SGL");
  EXPECT_EQ(test.Post(1), "EXECUTED");
  EXPECT_EQ(test.Post(0), "EXECUTED");
  EXPECT_EQ(test.Post(1), "BLOCKED_SGL");
  EXPECT_EQ(test.Counted(), "1000000000");
}

TEST_P(LimitsTest, OnlyWhatTheLimitMatchedCounts) {
  Limited test(
      "limit TWO 2 per tenant per 1d on POST when intent.spend > $5 else block",
      Options());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(test.Post(1'000'000), "EXECUTED");
  EXPECT_EQ(test.Post(6'000'000), "EXECUTED");
  EXPECT_EQ(test.Post(6'000'000), "EXECUTED");
  EXPECT_EQ(test.Post(6'000'000), "BLOCKED_SGL");
  EXPECT_EQ(test.Post(1'000'000), "EXECUTED");
}

TEST_P(LimitsTest, AnotherWindowOrUnitIsANewLimitAndAnotherAmountIsNot) {
  Limited test("limit CAP 2 per tenant per 1d on POST else block", Options());
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.Post(), "EXECUTED");
  test.served.ActivatePolicy(
      With("limit CAP 3 per tenant per 1d on POST else block"));
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
  test.served.ActivatePolicy(
      With("limit CAP 1 per tenant per 2d on POST else block"));
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
}

TEST_P(LimitsTest, WhatWasApprovedCountsAtItsApproval) {
  Limited test(
      "limit ONE 1 per tenant per 60s on POST else review\n"
      "review BIG on POST when intent.spend > $100",
      Options());
  Caller bob = test.served.As(test.served.AddUser("bob", "owner"));
  EXPECT_EQ(test.Post(200'000'000), "AWAITING_HUMAN");
  const Intent waiting = test.last;
  // It waits, so its place is free.
  EXPECT_EQ(test.Counted(), "0");
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.Post(), "AWAITING_HUMAN");
  EXPECT_EQ(test.last.decision().reasons(0).code(), "ONE");
  // Over the limit, but people say yes: it passes and counts.
  test.SetClock("30 seconds");
  EXPECT_TRUE(
      bob.Approve(test.agent.MustGetMemo(waiting.decision_memo_id())).ok());
  EXPECT_EQ(test.agent.MustGet(waiting.id()).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.Counted(), "2");
  // From its approval on, not from when it was submitted.
  test.SetClock("60 seconds");
  EXPECT_EQ(test.Post(), "AWAITING_HUMAN");
  test.SetClock("90 seconds");
  EXPECT_EQ(test.Post(), "EXECUTED");
}

TEST_P(LimitsTest, ALimitThatBlocksIsNotOverriddenByApproval) {
  Limited test(
      "limit ONE 1 per tenant per 60s on POST else block\n"
      "review BIG on POST when intent.spend > $100",
      Options());
  Caller bob = test.served.As(test.served.AddUser("bob", "owner"));
  EXPECT_EQ(test.Post(200'000'000), "AWAITING_HUMAN");
  const Intent waiting = test.last;
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_TRUE(
      bob.Approve(test.agent.MustGetMemo(waiting.decision_memo_id())).ok());
  EXPECT_EQ(test.agent.MustGet(waiting.id()).status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(test.Counted(), "1");
}

TEST_P(LimitsTest, WhatHasNoExecutorIsNotCounted) {
  ServedEngine::Options options = Options();
  options.no_executor = {"CALL"};
  Limited test("limit ONE 1 per tenant per 60s else block", options);
  const std::string id = test.agent.MustSubmit("CALL", kPost).id();
  test.Settle();
  EXPECT_EQ(test.agent.MustGet(id).failure_reason(), "NO_EXECUTOR");
  EXPECT_EQ(test.Counted(), "0");
  EXPECT_EQ(test.Post(), "EXECUTED");
}

TEST_P(LimitsTest, AJobCountsWithItsAllowWhateverBecomesOfIt) {
  ServedEngine::Options options = Options();
  options.executors = R"(executors { intent_type: "POST" job {} })";
  Limited test("limit ONE 1 per tenant per 60s else block", options);
  EXPECT_EQ(test.Post(), "VALIDATING");
  EXPECT_EQ(test.Counted(), "1");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
}

TEST_P(LimitsTest, AnEffectThatWasRefusedIsNotCounted) {
  Limited test("limit TWO 2 per tenant per 60s else block", Options());
  const auto create = [&](const std::string& slug) {
    const Intent intent = test.agent.MustSubmit(
        "KB_DOCUMENT_CREATE",
        absl::StrCat(R"({"title": "t", "body": "b", "slug": ")", slug, "\"}"));
    test.Settle();
    const Intent ended = test.agent.MustGet(intent.id());
    return ended.failure_reason().empty()
               ? intent::v1::IntentStatus_Name(ended.status())
               : ended.failure_reason();
  };
  EXPECT_EQ(create("a"), "INTENT_STATUS_EXECUTED");
  EXPECT_EQ(create("a"), "EFFECT_REFUSED");
  EXPECT_EQ(test.Counted(), "1");
  EXPECT_EQ(create("b"), "INTENT_STATUS_EXECUTED");
  EXPECT_EQ(create("c"), "INTENT_STATUS_BLOCKED_SGL");
}

TEST_P(LimitsTest, AskingSaysWhatTheLimitSaysAndCountsNothing) {
  Limited test("limit ONE 1 per agent per 60s on POST else block", Options());
  intent::v1::EvaluateIntentRequest request;
  request.set_intent_type("POST");
  request.set_payload(kPost);
  for (int i = 0; i < 2; ++i) {
    const auto asked = test.agent.Evaluate(request);
    ASSERT_TRUE(asked.ok()) << asked.status.error_message();
    EXPECT_EQ(asked.response.decision().kind(),
              intent::v1::DECISION_KIND_ALLOW);
  }
  auto dry = Caller::Request("POST", kPost);
  dry.set_validate_only(true);
  EXPECT_EQ(test.agent.Submit(dry).response.intent().decision().kind(),
            intent::v1::DECISION_KIND_ALLOW);
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM limit_counters"), "0");
  EXPECT_EQ(test.Post(), "EXECUTED");
  const auto asked = test.agent.Evaluate(request);
  ASSERT_TRUE(asked.ok()) << asked.status.error_message();
  EXPECT_EQ(asked.response.decision().kind(), intent::v1::DECISION_KIND_BLOCK);
  EXPECT_EQ(asked.response.decision().reasons(0).code(), "ONE");
  EXPECT_EQ(test.Counted(), "1");
}

TEST_P(LimitsTest, EveryDecisionIsTakenAgainFromItsEntry) {
  Limited test(
      "limit TWO 2 per agent per 60s on POST else block\n"
      "limit DEAR $5 of spend per platform per 1d else review",
      Options());
  PolicyCaller member(test.served, test.served.AddUser("mia", "member"));
  const char* const ends[] = {"EXECUTED", "EXECUTED", "BLOCKED_SGL"};
  for (const char* end : ends) {
    EXPECT_EQ(test.Post(1'000'000), end);
    const auto replayed = member.Replay(test.last.id());
    ASSERT_TRUE(replayed.ok()) << replayed.status.error_message();
    ASSERT_EQ(replayed.response.replays_size(), 1);
    const auto& replay = replayed.response.replays(0);
    EXPECT_EQ(replay.problem(), "");
    EXPECT_EQ(replay.differences_size(), 0) << replay.DebugString();
    EXPECT_EQ(replay.recorded().DebugString(), replay.replayed().DebugString());
  }
  EXPECT_EQ(test.served.Value(absl::StrCat(
                "SELECT string_agg(concat_ws(' ', l ->> 'code', l ->> 'per', "
                "l ->> 'spend', l ->> 'counted'), ', ') FROM audit_log, "
                "jsonb_array_elements(meta -> 'facts' -> 'limits') AS l "
                "WHERE action = 'SGL_EVALUATED' AND entity_id = '",
                test.last.id(), "'")),
            "TWO agent false 2, DEAR platform true 2000000");
}

TEST_P(LimitsTest, WithoutLimitsTheDatabaseIsNotAsked) {
  Limited test("", Options());
  const auto dropped = test.served.database().Super().Run(
      "DROP FUNCTION lock_limits; DROP FUNCTION limit_totals; "
      "DROP FUNCTION count_limits");
  ASSERT_TRUE(dropped.ok()) << dropped.error;
  EXPECT_EQ(test.Post(), "EXECUTED");
}

TEST(LimitScopesTest, EachCountsForItsOwn) {
  Limited test(
      "limit BY_AGENT 1 per agent per 1d on POST else block\n"
      "limit BY_TENANT 2 per tenant per 1d on POST else block\n"
      "limit BY_ALL 3 per platform per 1d on POST else block");
  const SeededTenant& acme = test.served.tenant();
  const SeededTenant bolt = test.served.database().Seed("bolt");
  const std::string second = test.served.Value(
      absl::StrCat("INSERT INTO agent_registry (tenant_id, name) VALUES ('",
                   acme.id, "', 'SECOND') RETURNING id"));
  const std::string third = test.served.Value(
      absl::StrCat("INSERT INTO agent_registry (tenant_id, name) VALUES ('",
                   acme.id, "', 'THIRD') RETURNING id"));
  const auto passed = [&](const std::string& tenant, const std::string& agent) {
    const std::string before = test.CountOf("EXECUTED");
    test.Insert(1, tenant, agent);
    test.served.SettleDrafts();
    return test.CountOf("EXECUTED") != before;
  };
  const auto last_code = [&] {
    return test.served.Value(
        "SELECT decision -> 'reasons' -> 0 ->> 'code' FROM intents "
        "WHERE status = 'BLOCKED_SGL' ORDER BY id DESC LIMIT 1");
  };
  EXPECT_TRUE(passed(acme.id, acme.agent));
  EXPECT_FALSE(passed(acme.id, acme.agent));
  EXPECT_EQ(last_code(), "BY_AGENT");
  EXPECT_TRUE(passed(acme.id, second));
  EXPECT_FALSE(passed(acme.id, third));
  EXPECT_TRUE(passed(bolt.id, bolt.agent));
  // Nobody of theirs passed, but the platform's places are gone.
  EXPECT_FALSE(passed(bolt.id, ""));
  EXPECT_EQ(test.served.Value(
                "SELECT count(*) FROM intents WHERE "
                "decision::jsonb -> 'reasons' @> '[{\"code\": \"BY_ALL\"}]'"),
            "1");
  EXPECT_EQ(test.served.Value("SELECT string_agg(total::text, ' ' ORDER BY "
                              "total, key) FROM limit_counters "
                              "WHERE tenant_id IS NULL"),
            "3");
}

}  // namespace
}  // namespace sgl::testing
