// Proves what the interface takes and refuses: credentials, tenants, bad
// input, repeated requests, waits, lists.

#include <absl/strings/str_cat.h>
#include <absl/synchronization/notification.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engine/waiters.h"
#include "intent/v1/intent_service.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPost[] = R"({"text": "hi"})";

TEST(CredentialsTest, WithoutAKnownTokenNobodyCalls) {
  ServedEngine served({});
  for (const std::string& token :
       {std::string(), std::string("nonsense"), std::string(2000, 'x')}) {
    SCOPED_TRACE(token.substr(0, 10));
    const auto answer = served.As(token).Get("x");
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_EQ(ReasonOf(answer.status), "UNAUTHENTICATED");
  }
}

TEST(CredentialsTest, EachKindCallsItsOwnMethods) {
  ServedEngine served({});
  Caller worker = served.As(
      served.AddToken(storage::PrincipalKind::kWorker, "", served.tenant().id));
  EXPECT_EQ(worker.Get("x").status.error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  const auto answer = served.As(served.AddUser("erin", "member"))
                          .Submit(Caller::Request("POST", kPost));
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(answer.status.error_message(),
            "SubmitIntent is for tokens of kind agent; this one is of kind "
            "user");
}

TEST(TenantsTest, AnotherTenantsIntentIsNotFound) {
  ServedEngine served({});
  const auto intent = served.As(served.agent_token()).MustSubmit("POST", kPost);
  const SeededTenant other = served.database().Seed("other");
  Caller stranger = served.As(
      served.AddToken(storage::PrincipalKind::kAgent, other.agent, other.id));
  for (const auto& status :
       {stranger.Get(intent.id()).status, stranger.Cancel(intent.id()).status,
        stranger.Get("no-uuid").status}) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
    EXPECT_EQ(ReasonOf(status), "INTENT_NOT_FOUND");
  }
  EXPECT_EQ(stranger.List({}).response.intents_size(), 0);
}

TEST(TenantsTest, AnotherAgentCannotCancel) {
  ServedEngine served({});
  const auto intent = served.As(served.agent_token()).MustSubmit("POST", kPost);
  absl::StatusOr<storage::Transaction> tx =
      served.database().direct().Begin({});
  ASSERT_TRUE(tx.ok());
  const absl::StatusOr<std::string> other = storage::CreateAgent(
      *tx, {.tenant_id = served.tenant().id, .name = "OTHER", .role = "x"});
  ASSERT_TRUE(other.ok() && tx->Commit().ok());
  const auto answer = served
                          .As(served.AddToken(storage::PrincipalKind::kAgent,
                                              *other, served.tenant().id))
                          .Cancel(intent.id());
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(answer.status), "NOT_YOUR_INTENT");
}

TEST(BadInputTest, EachFieldIsNamed) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  intent::v1::SubmitIntentRequest request;
  request.set_request_id("once");
  request.set_payload("[1]");
  request.set_spend_micros_usd(-1);
  request.set_title(std::string(201, 't'));
  request.set_requested_by(std::string("a\0b", 3));
  request.mutable_wait()->set_seconds(61);
  const auto answer = agent.Submit(request);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(BadFieldsOf(answer.status),
              ElementsAre("request_id", "intent_type", "payload",
                          "spend_micros_usd", "title", "requested_by", "wait"));
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents"), "0");
  EXPECT_EQ(served.Value("SELECT count(*) FROM intent_requests"), "0");
}

TEST(BadInputTest, PayloadsBeyondBoundsAreRefused) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  std::string numbers = "1e131071";
  for (int i = 1; i < 8000; ++i) numbers += ",1e131071";
  for (const std::string& payload :
       {std::string("5"), std::string(""), std::string(R"({"a": NaN})"),
        std::string(R"({"a": "x\u0000y"})"),
        absl::StrCat("{\"a\": [", numbers, "]}"),
        absl::StrCat("{\"a\": \"", std::string(10 << 20, 'x'), "\"}")}) {
    SCOPED_TRACE(payload.substr(0, 20));
    const auto answer = agent.Submit(Caller::Request("POST", payload));
    EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(BadFieldsOf(answer.status), ElementsAre("payload"));
  }
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents"), "0");
}

TEST(BadInputTest, TooLargeAPayloadNamesTheLimit) {
  ServedEngine served({});
  const auto answer =
      served.As(served.agent_token())
          .Submit(Caller::Request(
              "POST",
              absl::StrCat("{\"a\": \"", std::string(10 << 20, 'x'), "\"}")));
  EXPECT_THAT(answer.status.error_message(), HasSubstr("256 KiB"));
}

TEST(BadInputTest, UnknownEnumNumberIsRefused) {
  ServedEngine served({});
  auto request = Caller::Request("POST", kPost);
  request.set_data_class(static_cast<intent::v1::DataClass>(99));
  const auto answer = served.As(served.agent_token()).Submit(request);
  EXPECT_THAT(BadFieldsOf(answer.status), ElementsAre("data_class"));
}

TEST(BadInputTest, UnknownTypeIsBlocked) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const auto draft = agent.MustSubmit("ROCKET", "{}");
  served.SettleDrafts();
  const auto intent = agent.MustGet(draft.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(intent.decision().reasons(0).code(), "UNKNOWN_INTENT_TYPE");
}

TEST(RepeatTest, SameBodyIsTheSameIntent) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  auto request = Caller::Request("POST", kPost);
  const auto first = agent.Submit(request);
  served.SettleDrafts();
  const auto again = agent.Submit(request);
  ASSERT_TRUE(again.ok()) << again.status.error_message();
  EXPECT_EQ(again.response.intent().id(), first.response.intent().id());
  EXPECT_EQ(again.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  request.set_payload(R"({"text": "other"})");
  const auto other = agent.Submit(request);
  EXPECT_EQ(other.status.error_code(), grpc::StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(ReasonOf(other.status), "REQUEST_ID_REUSED");
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents"), "1");
}

TEST(RepeatTest, ManyAtOnceAreOneIntent) {
  ServedEngine served({});
  const auto request = Caller::Request("POST", kPost);
  std::vector<std::string> ids(8);
  std::vector<std::thread> threads;
  for (std::string& id : ids) {
    threads.emplace_back([&] {
      const auto answer = served.As(served.agent_token()).Submit(request);
      EXPECT_TRUE(answer.ok()) << answer.status.error_message();
      id = answer.response.intent().id();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 1u);
  EXPECT_EQ(served.Actions(ids[0]), "INTENT_SUBMITTED");
}

TEST(DryRunTest, NothingIsStored) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  auto request = Caller::Request("WIRE", R"({"to": "x"})");
  request.set_validate_only(true);
  const auto validated = agent.Submit(request);
  ASSERT_TRUE(validated.ok()) << validated.status.error_message();
  EXPECT_EQ(validated.response.intent().id(), "");
  EXPECT_EQ(validated.response.intent().decision().kind(),
            intent::v1::DECISION_KIND_REVIEW);
  EXPECT_TRUE(validated.response.intent().decision().has_decide_time());
  intent::v1::EvaluateIntentRequest evaluate;
  evaluate.set_intent_type("LAUNCH");
  evaluate.set_payload("{}");
  const auto evaluated = agent.Evaluate(evaluate);
  ASSERT_TRUE(evaluated.ok()) << evaluated.status.error_message();
  EXPECT_EQ(evaluated.response.decision().kind(),
            intent::v1::DECISION_KIND_BLOCK);
  EXPECT_TRUE(evaluated.response.decision().has_decide_time());
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents"), "0");
}

TEST(DryRunTest, SaysWhatDecidedAndWhatWouldBeMilder) {
  ServedEngine served({});
  intent::v1::EvaluateIntentRequest request;
  request.set_intent_type("POST");
  request.set_payload(kPost);
  request.set_spend_micros_usd(900'000'000);
  const auto answer = served.As(served.agent_token()).Evaluate(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.decision().kind(),
            intent::v1::DECISION_KIND_REVIEW);
  const intent::v1::Explanation& why = answer.response.explanation();
  ASSERT_EQ(why.rules_size(), 4);
  EXPECT_EQ(why.rules(0).outcome(), intent::v1::RULE_OUTCOME_NOT_APPLIED);
  EXPECT_EQ(why.rules(0).parts(0).text(), "on LAUNCH");
  const intent::v1::RuleExplanation& spend = why.rules(1);
  EXPECT_EQ(spend.code(), "BIG_SPEND");
  EXPECT_EQ(spend.outcome(), intent::v1::RULE_OUTCOME_APPLIED);
  EXPECT_TRUE(spend.is_decisive());
  ASSERT_EQ(spend.parts_size(), 1);
  EXPECT_EQ(spend.parts(0).text(), "intent.spend >= $250");
  EXPECT_EQ(spend.parts(0).value(), "true");
  EXPECT_EQ(spend.parts(0).seen(0).value(), "$900");
  EXPECT_EQ(why.milder_change().field(), "intent.spend");
  EXPECT_EQ(why.milder_change().to(), "$249.99");
  EXPECT_EQ(why.milder_change().decision(), intent::v1::DECISION_KIND_ALLOW);

  request.set_intent_type("PSOT");
  const auto unknown = served.As(served.agent_token()).Evaluate(request);
  ASSERT_TRUE(unknown.ok()) << unknown.status.error_message();
  EXPECT_EQ(unknown.response.explanation().rules_size(), 0);
  EXPECT_EQ(unknown.response.explanation().nearest_type(), "POST");
}

TEST(WaitTest, AnswersOnceItIsDecided) {
  ServedEngine served({.runs = true});
  auto request = Caller::Request("POST", kPost);
  request.mutable_wait()->set_seconds(60);
  const auto answer = served.As(served.agent_token()).Submit(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(WaitTest, HearsOfAnotherEnginesSettlement) {
  ServedEngine served({.runs = true, .claims = false});
  absl::StatusOr<std::unique_ptr<engine::Engine>> other =
      engine::Engine::Create({.database_url = served.database().runtime_url(),
                              .direct_url = served.database().direct_url()});
  ASSERT_TRUE(other.ok()) << other.status();
  (*other)->Load();
  (*other)->Start();
  auto request = Caller::Request("POST", kPost);
  request.mutable_wait()->set_seconds(60);
  const auto answer = served.As(served.agent_token()).Submit(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(WaitTest, RowFromSqlWakesTheEngine) {
  ServedEngine served({.runs = true});
  const std::string id = served.InsertBySql("POST", kPost);
  Caller agent = served.As(served.agent_token());
  while (agent.MustGet(id).status() == intent::v1::INTENT_STATUS_DRAFT) {
  }
  EXPECT_EQ(agent.MustGet(id).status(), intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(WaitTest, EndsWithItsTimeAndTheIntentAsItStands) {
  ServedEngine served({.runs = true, .claims = false});
  auto request = Caller::Request("POST", kPost);
  request.mutable_wait()->set_nanos(1'000'000);
  const auto answer = served.As(served.agent_token()).Submit(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(), intent::v1::INTENT_STATUS_DRAFT);
}

TEST(WaitTest, WithoutAPlaceToWaitTheIntentIsTakenAndAnsweredAtOnce) {
  ServedEngine served({.runs = true, .claims = false});
  // Calls of the same tenant that wait.
  for (uint64_t i = 1; i <= engine::Waiters::kTenantWaitersMax; ++i) {
    ASSERT_TRUE(served.engine()
                    .waiters()
                    .Add(~i, {served.tenant().id, "intent"}, [](const auto&) {})
                    .ok());
  }
  auto request = Caller::Request("POST", kPost);
  request.mutable_wait()->set_seconds(60);
  const absl::Time asked = absl::Now();
  const auto answer = served.As(served.agent_token()).Submit(request);
  EXPECT_LT(absl::Now() - asked, absl::Seconds(50));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(), intent::v1::INTENT_STATUS_DRAFT);
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents"), "1");
}

TEST(WaitTest, DrainEndsIt) {
  ServedEngine served({.runs = true, .claims = false});
  auto request = Caller::Request("POST", kPost);
  request.mutable_wait()->set_seconds(60);
  grpc::Status status;
  std::thread waiting(
      [&] { status = served.As(served.agent_token()).Submit(request).status; });
  // The row is there once the wait is: a waiter is added before the commit.
  while (served.Value("SELECT count(*) FROM intents") == "0") {
  }
  served.server().Drain(absl::Seconds(10));
  waiting.join();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(ReasonOf(status), "DRAINING");
}

TEST(ListTest, PagesAreNewestFirstAndStableUnderInserts) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.insert(ids.begin(), agent.MustSubmit("POST", kPost).id());
  }
  agent.MustSubmit("WIRE", R"({"to": "x"})");
  intent::v1::ListIntentsRequest request;
  request.set_page_size(2);
  request.mutable_filter()->set_intent_type("POST");
  std::vector<std::string> listed;
  while (true) {
    const auto page = agent.List(request);
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    for (const auto& intent : page.response.intents()) {
      listed.push_back(intent.id());
    }
    if (page.response.next_page_token().empty()) break;
    request.set_page_token(page.response.next_page_token());
    agent.MustSubmit("POST", kPost);
  }
  EXPECT_EQ(listed, ids);
  request.mutable_filter()->set_intent_type("WIRE");
  EXPECT_THAT(BadFieldsOf(agent.List(request).status),
              ElementsAre("page_token"));
  request.set_page_size(201);
  EXPECT_THAT(BadFieldsOf(agent.List(request).status),
              ElementsAre("page_size"));
  request.set_page_size(2);
  request.clear_page_token();
  request.mutable_filter()->set_intent_type(std::string("a\0b", 3));
  EXPECT_THAT(BadFieldsOf(agent.List(request).status),
              ElementsAre("filter.intent_type"));
  intent::v1::ListDecisionMemosRequest memos;
  memos.mutable_filter()->set_intent_type(std::string("a\0b", 3));
  EXPECT_THAT(BadFieldsOf(agent.ListMemos(memos).status),
              ElementsAre("filter.intent_type"));
}

TEST(ListTest, PagesFitWhatClientsTake) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  // Together 5 MB, where a client takes 4 MiB unless told otherwise.
  const std::string text(250'000, 'x');
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.insert(
        agent.MustSubmit("WIRE", absl::StrCat(R"({"to": ")", text, "\"}"))
            .id());
  }
  served.SettleDrafts();
  std::set<std::string> listed;
  intent::v1::ListIntentsRequest request;
  do {
    const auto page = agent.List(request);
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    ASSERT_GT(page.response.intents_size(), 0);
    for (const auto& intent : page.response.intents()) {
      listed.insert(intent.id());
    }
    request.set_page_token(page.response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, ids);
  std::set<std::string> with_memo;
  intent::v1::ListDecisionMemosRequest memos;
  do {
    const auto page = agent.ListMemos(memos);
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    ASSERT_GT(page.response.decision_memos_size(), 0);
    for (const auto& memo : page.response.decision_memos()) {
      with_memo.insert(memo.intent_id());
    }
    memos.set_page_token(page.response.next_page_token());
  } while (!memos.page_token().empty());
  EXPECT_EQ(with_memo, ids);
}

}  // namespace
}  // namespace sgl::testing
