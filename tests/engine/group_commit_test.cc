// Proves that submissions are stored in groups and decided where they are
// stored: what a caller is told is what is in the database, with the same
// entries as if a worker had claimed it; what can't be decided at once waits
// for a worker; and no member of a group is hurt by another.

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "intent/v1/intent_service.grpc.pb.h"
#include "intent/v1/intent_service.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::BatchSubmitIntentsRequest;
using ::testing::ElementsAre;

constexpr char kPost[] = R"({"text": "hi"})";

constexpr char kRules[] = R"sgl(
policy test.platform version 1
layer platform
default allow

intent POST { text: string }
intent SHIP { text: string }
intent LAUNCH { where: string? }

block NO_LAUNCH on LAUNCH
review BIG_SPEND "much" when intent.spend >= $250
)sgl";

Answer<intent::v1::BatchSubmitIntentsResponse> SubmitBatch(
    ServedEngine& served, const BatchSubmitIntentsRequest& request) {
  grpc::ClientContext context;
  context.AddMetadata("authorization",
                      absl::StrCat("Bearer ", served.agent_token()));
  Answer<intent::v1::BatchSubmitIntentsResponse> answer;
  answer.status = intent::v1::IntentService::NewStub(served.channel())
                      ->BatchSubmitIntents(&context, request, &answer.response);
  return answer;
}

BatchSubmitIntentsRequest BatchOf(const std::vector<std::string>& titles) {
  BatchSubmitIntentsRequest request;
  for (const std::string& title : titles) {
    *request.add_requests() = Caller::Request("POST", kPost);
    request.mutable_requests(request.requests_size() - 1)->set_title(title);
  }
  return request;
}

TEST(DecidedAtOnceTest, CallersAreToldWhatIsStored) {
  ServedEngine served(
      {.policy = kRules, .no_executor = {"SHIP"}, .runs = true});
  Caller agent = served.As(served.agent_token());
  const struct {
    const char* type;
    const char* payload;
    int64_t spend_micros_usd;
    intent::v1::IntentStatus status;
    const char* actions;
  } kCases[] = {
      {"POST", kPost, 0, intent::v1::INTENT_STATUS_EXECUTED,
       "INTENT_SUBMITTED SGL_EVALUATED ENGINE_EXECUTED_INTENT"},
      {"SHIP", kPost, 0, intent::v1::INTENT_STATUS_FAILED,
       "INTENT_SUBMITTED SGL_EVALUATED ENGINE_FAILED"},
      {"LAUNCH", "{}", 0, intent::v1::INTENT_STATUS_BLOCKED_SGL,
       "INTENT_SUBMITTED SGL_EVALUATED"},
      {"POST", kPost, 300'000'000, intent::v1::INTENT_STATUS_AWAITING_HUMAN,
       "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(absl::StrCat(c.type, " ", c.spend_micros_usd));
    const auto told = agent.MustSubmit(c.type, c.payload, c.spend_micros_usd);
    EXPECT_EQ(told.status(), c.status);
    EXPECT_EQ(told.DebugString(), agent.MustGet(told.id()).DebugString());
    EXPECT_EQ(served.Actions(told.id()), c.actions);
    // All of it in one transaction.
    EXPECT_EQ(served.Value(absl::StrCat(
                  "SELECT count(DISTINCT x) FROM (SELECT xact_id AS x FROM "
                  "audit_log WHERE entity_id = '",
                  told.id(), "' UNION SELECT xact_id FROM intents WHERE id = '",
                  told.id(), "') AS written")),
              "1");
    if (c.status == intent::v1::INTENT_STATUS_AWAITING_HUMAN) {
      const auto memo = agent.MustGetMemo(told.decision_memo_id());
      EXPECT_EQ(memo.intent_id(), told.id());
      EXPECT_EQ(memo.status(), intent::v1::MEMO_STATUS_PROPOSED);
      EXPECT_EQ(memo.payload(), c.payload);
    }
  }
}

TEST(DecidedAtOnceTest, ByThePolicyOfThatMoment) {
  ServedEngine served({.runs = true});
  served.ActivatePolicy(
      "policy p version 2\nlayer platform\ndefault allow\n"
      "intent POST { text: string }\n"
      "block NO_POSTS on POST when payload.text != \"\"\n");
  const auto told = served.As(served.agent_token()).MustSubmit("POST", kPost);
  EXPECT_EQ(told.status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(told.decision().reasons(0).code(), "NO_POSTS");
}

TEST(DecidedAtOnceTest, WhatIsOffStaysADraft) {
  ServedEngine served({.runs = true});
  Caller agent = served.As(served.agent_token());
  const std::string key =
      absl::StrCat("tenant:", served.tenant().id, ":atlas_online");
  served.Value(absl::StrCat(
      "INSERT INTO system_state (key, tenant_id, value) VALUES ('", key, "', '",
      served.tenant().id, "', '{\"engine_enabled\": false}') RETURNING key"));
  const auto told = agent.MustSubmit("POST", kPost);
  EXPECT_EQ(told.status(), intent::v1::INTENT_STATUS_DRAFT);
  EXPECT_EQ(served.Actions(told.id()), "INTENT_SUBMITTED");
  served.Value(absl::StrCat("DELETE FROM system_state WHERE key = '", key,
                            "' RETURNING key"));
  EXPECT_EQ(agent.MustSubmit("POST", R"({"text": "2"})").status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(GroupTest, OneThatTheDatabaseRefusesFailsAlone) {
  ServedEngine served({.runs = true});
  served.Value(
      "CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE EXCEPTION 'bad' USING ERRCODE = 'check_violation'; END "
      "$$; CREATE TRIGGER refuse_bad BEFORE INSERT ON intents FOR EACH ROW "
      "WHEN (NEW.title = 'bad') EXECUTE FUNCTION refuse_bad(); SELECT 1");
  const auto answer = SubmitBatch(served, BatchOf({"a", "bad", "c"}));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  ASSERT_EQ(answer.response.results_size(), 3);
  EXPECT_EQ(answer.response.results(0).intent().title(), "a");
  EXPECT_EQ(answer.response.results(1).status().code(),
            grpc::StatusCode::INTERNAL);
  EXPECT_EQ(answer.response.results(2).intent().title(), "c");
  EXPECT_EQ(served.Value("SELECT string_agg(title, ' ' ORDER BY title) FROM "
                         "intents WHERE status = 'EXECUTED'"),
            "a c");
}

TEST(GroupTest, RepeatsInOneGroupAreOneIntent) {
  ServedEngine served({.runs = true});
  BatchSubmitIntentsRequest request = BatchOf({"a", "a", "b"});
  for (int i : {1, 2}) {
    request.mutable_requests(i)->set_request_id(
        request.requests(0).request_id());
  }
  const auto answer = SubmitBatch(served, request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.results(0).intent().id(),
            answer.response.results(1).intent().id());
  EXPECT_EQ(answer.response.results(2).status().reason(), "REQUEST_ID_REUSED");
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents"), "1");
  EXPECT_EQ(served.Value("SELECT count(*) FROM audit_log "
                         "WHERE entity_type = 'intent'"),
            "3");
}

TEST(GroupTest, ManyCallersAtOnceAllGetTheirOwn) {
  ServedEngine served({.runs = true});
  constexpr int kCallers = 32;
  std::vector<intent::v1::Intent> told(kCallers);
  std::vector<std::thread> threads;
  for (int i = 0; i < kCallers; ++i) {
    threads.emplace_back([&, i] {
      auto request = Caller::Request("POST", kPost);
      request.set_title(absl::StrCat("of ", i));
      request.mutable_wait()->set_seconds(60);
      const auto answer = served.As(served.agent_token()).Submit(request);
      EXPECT_TRUE(answer.ok()) << answer.status.error_message();
      told[static_cast<size_t>(i)] = answer.response.intent();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kCallers; ++i) {
    const auto& intent = told[static_cast<size_t>(i)];
    EXPECT_EQ(intent.title(), absl::StrCat("of ", i));
    EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED);
  }
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents"),
            absl::StrCat(kCallers));
}

TEST(GroupTest, EffectsAreAppliedOnceAndFailAlone) {
  ServedEngine served(
      {.policy = "policy test.platform version 1\nlayer platform\n"
                 "default allow\nintent POST { text: string }\n"
                 "intent KB_DOCUMENT_CREATE { title: string, slug: string, "
                 "body: string }\n",
       .runs = true});
  BatchSubmitIntentsRequest request = BatchOf({"a", "b", "c", "d"});
  for (int i : {0, 1, 2}) {
    request.mutable_requests(i)->set_intent_type("KB_DOCUMENT_CREATE");
    request.mutable_requests(i)->set_payload(
        R"({"title": "T", "slug": "s", "body": "b"})");
  }
  // One more time what the first asks for.
  request.mutable_requests(1)->set_title("a");
  request.mutable_requests(1)->set_request_id(request.requests(0).request_id());
  const auto answer = SubmitBatch(served, request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  const auto& results = answer.response.results();
  EXPECT_EQ(results[0].intent().status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(results[1].intent().id(), results[0].intent().id());
  EXPECT_EQ(results[2].intent().failure_reason(), "EFFECT_REFUSED");
  EXPECT_EQ(results[3].intent().status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(served.Value("SELECT count(*) FROM kb_documents"), "1");
  EXPECT_EQ(results[0].intent().DebugString(),
            served.As(served.agent_token())
                .MustGet(results[0].intent().id())
                .DebugString());
  EXPECT_EQ(served.Actions(results[2].intent().id()),
            "INTENT_SUBMITTED SGL_EVALUATED ENGINE_FAILED");
}

TEST(BatchTest, EachFaresByItself) {
  ServedEngine served({.runs = true});
  BatchSubmitIntentsRequest request = BatchOf({"a", "b", "c", "d"});
  request.mutable_requests(0)->set_payload("[1]");
  request.mutable_requests(1)->set_validate_only(true);
  request.mutable_requests(2)->set_intent_type("LAUNCH");
  request.mutable_requests(2)->set_payload("{}");
  const auto answer = SubmitBatch(served, request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  const auto& results = answer.response.results();
  ASSERT_EQ(results.size(), 4);
  EXPECT_EQ(results[0].status().reason(), "BAD_REQUEST");
  EXPECT_EQ(results[1].status().reason(), "BAD_REQUEST");
  EXPECT_EQ(results[2].intent().status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(results[3].intent().status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_FALSE(results[3].has_status());
}

TEST(BatchTest, TheLimitIsNamed) {
  ServedEngine served({});
  EXPECT_THAT(BadFieldsOf(SubmitBatch(served, {}).status),
              ElementsAre("requests"));
  const auto answer =
      SubmitBatch(served, BatchOf(std::vector<std::string>(1001)));
  EXPECT_EQ(answer.status.error_message(),
            "`requests`: 1 to 1000 are taken, not 1001");
}

TEST(BatchTest, ALargeBatchIsNotWaitedFor) {
  ServedEngine served({});
  BatchSubmitIntentsRequest request = BatchOf(std::vector<std::string>(5));
  for (auto& one : *request.mutable_requests()) {
    one.set_payload(
        absl::StrCat(R"({"text": ")", std::string(250'000, 'x'), "\"}"));
  }
  EXPECT_TRUE(SubmitBatch(served, request).ok());
  request.mutable_requests(4)->mutable_wait()->set_seconds(1);
  EXPECT_EQ(SubmitBatch(served, request).status.error_message(),
            "`requests`: a batch of more than 1 MiB is not waited for; leave "
            "`wait` out");
}

TEST(BatchTest, AnswersFitWhatClientsTake) {
  ServedEngine served({.runs = true});
  BatchSubmitIntentsRequest request =
      BatchOf(std::vector<std::string>(1000, "x"));
  for (auto& one : *request.mutable_requests()) {
    one.set_rationale(std::string(5000, 'r'));
  }
  const auto answer = SubmitBatch(served, request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  for (const auto& result : answer.response.results()) {
    EXPECT_EQ(result.intent().status(), intent::v1::INTENT_STATUS_EXECUTED);
    EXPECT_FALSE(result.intent().id().empty());
  }
}

TEST(GroupTest, WhatAnotherEngineStoresHoldsUpNobodyElse) {
  ServedEngine served({.runs = true});
  BatchSubmitIntentsRequest request = BatchOf({"a", "b"});
  // As an engine that was paused before its commit.
  SqlConnection paused(served.database().superuser_url());
  ASSERT_TRUE(
      paused
          .Run(absl::StrCat(
              "SET session_replication_role = replica; BEGIN; INSERT "
              "INTO intent_requests (tenant_id, principal_id, "
              "request_id, body_sha256, intent_id) VALUES ('",
              served.tenant().id, "', '", served.tenant().agent, "', '",
              request.requests(0).request_id(), "', '', gen_random_uuid())"))
          .ok());
  const auto answer = SubmitBatch(served, request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.results(0).status().code(),
            grpc::StatusCode::ABORTED);
  EXPECT_EQ(answer.response.results(1).intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(BatchTest, AsManyAsACallMayHoldAreDecided) {
  ServedEngine served({.runs = true});
  const auto answer =
      SubmitBatch(served, BatchOf(std::vector<std::string>(1000, "x")));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents WHERE status = "
                         "'EXECUTED'"),
            "1000");
}

TEST(BatchTest, CountsAsManyCalls) {
  ServedEngine served({.runs = true, .server = {.calls_per_second = 10}});
  EXPECT_TRUE(SubmitBatch(served, BatchOf(std::vector<std::string>(50))).ok());
  EXPECT_EQ(ReasonOf(SubmitBatch(served, BatchOf({"one more"})).status),
            "RATE_LIMITED");
}

}  // namespace
}  // namespace sgl::testing
