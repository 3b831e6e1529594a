// Proves that the engine counts limits exactly: to the microsecond at both
// edges of the window, by their scope, in intents and in dollars; for batches
// of a worker, groups of submissions and approvals alike; and for four engines
// that race for the last places. That only what came to pass counts. That a
// decision is taken again from its audit entry, that asking counts nothing,
// that what is past is pruned, and that without limits the database isn't
// asked.
//
// Clocks stand still until a test moves them.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "engine/engine.h"
#include "engine/server.h"
#include "intent/v1/intent_service.grpc.pb.h"
#include "tests/engine/policy_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::BatchSubmitIntentsRequest;
using intent::v1::Intent;

constexpr char kBase[] = R"sgl(
policy test.limits version 1
layer platform
default allow
intent POST { text: string }
intent CALL { text: string }
intent KB_DOCUMENT_CREATE { title: string, slug: string, body: string }
)sgl";

constexpr char kPost[] = R"({"text": "hi"})";

std::string With(const std::string& rules) {
  return absl::StrCat(kBase, rules, "\n");
}

// Long before any partition of the audit log ends, and after none began.
constexpr char kStart[] = "date_trunc('day', now())";

class Limited {
 public:
  explicit Limited(const std::string& rules, ServedEngine::Options options = {})
      : runs(options.runs),
        served(Filled(rules, std::move(options))),
        agent(served.As(served.agent_token())) {
    SetClock("0");
  }

  // Stops the database's clock this long after its start.
  void SetClock(const std::string& interval) {
    const auto set = served.database().Super().Run(absl::StrCat(
        "CREATE OR REPLACE FUNCTION engine_now() RETURNS timestamptz LANGUAGE "
        "sql VOLATILE PARALLEL SAFE AS $$ SELECT ",
        kStart, " + interval '", interval, "' $$"));
    ASSERT_TRUE(set.ok()) << set.error;
  }

  // Inserts DRAFTs by SQL, in their order.
  void Insert(int count, const std::string& tenant_id,
              const std::string& agent_id, const std::string& spend = "0") {
    const auto inserted = served.database().Owner().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type, payload, "
        "spend_micros_usd, created_at) SELECT '",
        tenant_id, "', ",
        agent_id.empty() ? "NULL" : absl::StrCat("'", agent_id, "'"),
        ", 'POST', jsonb_build_object('text', n::text), ", spend,
        ", engine_now() + n * interval '1 microsecond' "
        "FROM generate_series(1, ",
        count, ") AS n"));
    ASSERT_TRUE(inserted.ok()) << inserted.error;
  }
  void Insert(int count) {
    Insert(count, served.tenant().id, served.tenant().agent);
  }

  // Submits one, whoever decides it, and returns how it ended.
  std::string Post(int64_t spend_micros_usd = 0) {
    last = agent.MustSubmit("POST", kPost, spend_micros_usd);
    Settle();
    last = agent.MustGet(last.id());
    return absl::StrReplaceAll(intent::v1::IntentStatus_Name(last.status()),
                               {{"INTENT_STATUS_", ""}});
  }

  // Where nobody decided it when it came in.
  void Settle() {
    if (!runs) served.SettleDrafts();
  }

  std::string CountOf(const std::string& status) {
    return served.Value(absl::StrCat(
        "SELECT count(*) FROM intents WHERE status = '", status, "'"));
  }
  // What the only counter that counted anything has counted.
  std::string Counted() {
    return served.Value("SELECT coalesce(sum(total), 0) FROM limit_counters");
  }

  // Intents are decided where they come in, and by a worker of its own.
  const bool runs;
  ServedEngine served;
  Caller agent;
  Intent last;

 private:
  static ServedEngine::Options Filled(const std::string& rules,
                                      ServedEngine::Options options) {
    options.policy = With(rules);
    return options;
  }
};

intent::v1::BatchSubmitIntentsResponse SubmitBatch(
    const std::shared_ptr<grpc::Channel>& channel, const std::string& token,
    const BatchSubmitIntentsRequest& request) {
  grpc::ClientContext context;
  context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  intent::v1::BatchSubmitIntentsResponse response;
  const grpc::Status status =
      intent::v1::IntentService::NewStub(channel)->BatchSubmitIntents(
          &context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response;
}

BatchSubmitIntentsRequest Posts(int count) {
  BatchSubmitIntentsRequest request;
  for (int i = 0; i < count; ++i) {
    *request.add_requests() = Caller::Request("POST", kPost);
  }
  return request;
}

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

TEST(LimitBatchTest, EarlierOnesOfABatchCountForLaterOnes) {
  Limited test("limit FEW 3 per tenant per 1d on POST else block");
  test.Insert(10);
  EXPECT_EQ(test.served.SettleDrafts(), 10);
  EXPECT_EQ(test.served.Value("SELECT count(DISTINCT xact_id) FROM intents"),
            "1");
  EXPECT_EQ(test.served.Value("SELECT string_agg(payload ->> 'text', ' ' ORDER "
                              "BY created_at) FROM intents "
                              "WHERE status = 'EXECUTED'"),
            "1 2 3");
  EXPECT_EQ(test.CountOf("BLOCKED_SGL"), "7");
  EXPECT_EQ(test.Counted(), "3");
}

TEST(LimitBatchTest, ABatchThatIsSettledMemberByMemberCountsThoseThatPassed) {
  Limited test("limit FEW 3 per tenant per 1d on POST else block");
  test.served.Value(
      "ALTER TABLE intents ADD CONSTRAINT no_bad_end CHECK (status <> "
      "'EXECUTED' OR payload ->> 'text' <> '2'); SELECT 1");
  test.Insert(4);
  test.served.SettleDrafts();
  // The place that one of them had goes to the last.
  EXPECT_EQ(test.CountOf("EXECUTED"), "3");
  EXPECT_EQ(test.CountOf("FAILED"), "1");
  EXPECT_EQ(test.Counted(), "3");
  EXPECT_EQ(test.Post(), "BLOCKED_SGL");
}

TEST(LimitBatchTest, EarlierOnesOfAGroupCountForLaterOnes) {
  Limited test("limit FEW 3 per tenant per 1d on POST else block",
               {.runs = true});
  const auto answer =
      SubmitBatch(test.served.channel(), test.served.agent_token(), Posts(10));
  ASSERT_EQ(answer.results_size(), 10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(answer.results(i).intent().status(),
              i < 3 ? intent::v1::INTENT_STATUS_EXECUTED
                    : intent::v1::INTENT_STATUS_BLOCKED_SGL)
        << i;
  }
  EXPECT_EQ(test.Counted(), "3");
}

TEST(LimitBatchTest, AnEffectThatIsRefusedTurnsNobodyAway) {
  const std::string policy =
      "intent TICKET_COMMENT { ticket_id: string, body: string }\n"
      "limit FEW 1 per tenant per 1d on POST, TICKET_COMMENT else block";
  BatchSubmitIntentsRequest group = Posts(2);
  group.mutable_requests(0)->set_intent_type("TICKET_COMMENT");
  group.mutable_requests(0)->set_payload(
      R"({"ticket_id": "00000000-0000-4000-8000-000000000000", "body": "x"})");
  {
    Limited test(policy, {.runs = true});
    // The group leaves both to its engine's worker, in any order: they came at
    // one time.
    for (auto& request : *group.mutable_requests()) {
      request.mutable_wait()->set_seconds(30);
    }
    const auto answer =
        SubmitBatch(test.served.channel(), test.served.agent_token(), group);
    ASSERT_EQ(answer.results_size(), 2);
    EXPECT_NE(answer.results(0).intent().status(),
              intent::v1::INTENT_STATUS_EXECUTED);
    EXPECT_EQ(answer.results(1).intent().status(),
              intent::v1::INTENT_STATUS_EXECUTED);
    EXPECT_EQ(test.Counted(), "1");
  }
  Limited test(policy);
  const std::string refused =
      test.agent.MustSubmit("TICKET_COMMENT", group.requests(0).payload()).id();
  const std::string other = test.agent.MustSubmit("POST", kPost).id();
  test.served.SettleDrafts();
  EXPECT_NE(test.agent.MustGet(refused).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.agent.MustGet(other).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.Counted(), "1");
}

TEST(LimitBatchTest, ARepeatTakesNoPlace) {
  Limited test("limit FEW 2 per tenant per 1d on POST else block",
               {.runs = true});
  BatchSubmitIntentsRequest request = Posts(4);
  request.mutable_requests(1)->set_request_id(request.requests(0).request_id());
  const auto answer =
      SubmitBatch(test.served.channel(), test.served.agent_token(), request);
  ASSERT_EQ(answer.results_size(), 4);
  EXPECT_EQ(answer.results(0).intent().id(), answer.results(1).intent().id());
  EXPECT_EQ(answer.results(2).intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(answer.results(3).intent().status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(test.Counted(), "2");
}

TEST(LimitBatchTest, WhatIsDrawnOnOnlyByTheLaterTimeIsLockedToo) {
  // The rules ask what time it is, and it is another once the first counter is
  // locked.
  Limited test(absl::StrCat(
      "limit EARLY 9 per tenant per 1d on POST when now < 2100-01-01T00:00:00Z "
      "else block\n"
      "limit LATE 1 per tenant per 1d on POST when now >= "
      "2100-01-01T00:00:00Z else block"));
  const auto set = test.served.database().Super().Run(absl::StrCat(
      "CREATE OR REPLACE FUNCTION engine_now() RETURNS timestamptz LANGUAGE "
      "sql VOLATILE SECURITY DEFINER AS $$ SELECT CASE WHEN EXISTS (SELECT "
      "FROM public.limit_counters) THEN timestamptz '2100-01-01 00:00:00Z' "
      "ELSE ",
      kStart, " END $$"));
  ASSERT_TRUE(set.ok()) << set.error;
  test.Insert(2);
  EXPECT_EQ(test.served.SettleDrafts(), 2);
  EXPECT_EQ(test.CountOf("EXECUTED"), "1");
  EXPECT_EQ(test.CountOf("BLOCKED_SGL"), "1");
  EXPECT_EQ(test.served.Value("SELECT key LIKE '%LATE%' FROM limit_counters "
                              "WHERE total = 1"),
            "t");
}

TEST(LimitPruningTest, TheTickRemovesWhatIsPastItsWindow) {
  Limited test("limit FEW 50 per tenant per 60s on POST else block",
               {.runs = true});
  EXPECT_EQ(test.Post(), "EXECUTED");
  test.SetClock("59.999999 seconds");
  EXPECT_EQ(test.Post(), "EXECUTED");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM limit_entries"), "2");
  test.SetClock("60 seconds");
  // The tick comes within a second or two.
  const absl::Time deadline = absl::Now() + absl::Minutes(2);
  while (test.Counted() != "1" && absl::Now() < deadline) {
  }
  EXPECT_EQ(test.Counted(), "1");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM limit_entries"), "1");
}

// One more engine on the database of another.
class Neighbour {
 public:
  explicit Neighbour(ServedEngine& served) {
    auto engine =
        engine::Engine::Create({.database_url = served.database().runtime_url(),
                                .direct_url = served.database().direct_url()});
    SGL_CHECK(engine.ok()) << engine.status();
    engine_ = *std::move(engine);
    engine_->Load();
    engine_->Start();
    engine::ServerOptions options;
    options.listen = "127.0.0.1:0";
    auto server = engine::Server::Start(engine_.get(), options);
    SGL_CHECK(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->address(),
                                   grpc::InsecureChannelCredentials());
  }
  ~Neighbour() { server_->Drain(absl::Seconds(10)); }

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST(LimitRaceTest, FourEnginesFillOneHundredPlacesExactly) {
  ServedEngine served(
      {.policy = With("limit CAP 100 per platform per 1d on POST else block"),
       .runs = true});
  Neighbour second(served);
  Neighbour third(served);
  Neighbour fourth(served);
  // Nobody is to be first by much: 8,000 rows by SQL, 2,000 submissions.
  constexpr int kWriters = 4;
  constexpr int kInserts = 20;
  constexpr int kRows = 100;
  constexpr int kBatches = 10;
  constexpr int kBatch = 50;
  const std::shared_ptr<grpc::Channel> channels[] = {
      served.channel(), second.channel(), third.channel(), fourth.channel()};
  served.database().Owner();  // Adopts it as a writer.
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&] {
      SqlConnection writer(served.database().direct_url());
      for (int insert = 0; insert < kInserts; ++insert) {
        const auto inserted = writer.Run(absl::StrCat(
            "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
            "SELECT '",
            served.tenant().id, "', '", served.tenant().agent,
            "', 'POST', '{\"text\": \"sql\"}' FROM generate_series(1, ", kRows,
            ")"));
        EXPECT_TRUE(inserted.ok()) << inserted.error;
      }
    });
    threads.emplace_back([&, i] {
      for (int batch = 0; batch < kBatches; ++batch) {
        const auto answer =
            SubmitBatch(channels[i], served.agent_token(), Posts(kBatch));
        EXPECT_EQ(answer.results_size(), kBatch);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string undecided =
      "SELECT count(*) FROM intents WHERE status = 'DRAFT'";
  const absl::Time deadline = absl::Now() + absl::Minutes(5);
  while (served.Value(undecided) != "0" && absl::Now() < deadline) {
  }
  EXPECT_EQ(served.Value("SELECT string_agg(concat(status, ' ', n), ', ' ORDER "
                         "BY status::text) FROM (SELECT status, count(*) AS n "
                         "FROM intents GROUP BY status) AS s"),
            "BLOCKED_SGL 9900, EXECUTED 100");
  EXPECT_EQ(served.Value("SELECT total FROM limit_counters"), "100");
  EXPECT_EQ(served.Value("SELECT sum(amount) FROM limit_entries"), "100");
}

}  // namespace
}  // namespace sgl::testing
