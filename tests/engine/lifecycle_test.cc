// Proves each transition of an intent that does not need a vote: where it
// goes, why, and that exactly one audit entry accounts for it. Rows that an
// existing system inserts by SQL go the same ways.

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <string>

#include "intent/v1/intent.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::Intent;

TEST(LifecycleTest, AllowExecutes) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent draft = agent.MustSubmit("POST", R"({"text": "hi"})");
  EXPECT_EQ(draft.status(), intent::v1::INTENT_STATUS_DRAFT);
  EXPECT_EQ(served.SettleDrafts(), 1);
  const Intent intent = agent.MustGet(draft.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(intent.decision().kind(), intent::v1::DECISION_KIND_ALLOW);
  // To the microsecond what the rules took for now.
  EXPECT_EQ(served.Value(
                absl::StrCat("SELECT meta -> 'facts' ->> 'now' FROM audit_log "
                             "WHERE action = 'SGL_EVALUATED' AND entity_id = '",
                             intent.id(), "'")),
            absl::FormatTime(
                "%Y-%m-%dT%H:%M:%E6SZ",
                absl::FromUnixNanos(intent.decision().decide_time().seconds() *
                                        1'000'000'000 +
                                    intent.decision().decide_time().nanos()),
                absl::UTCTimeZone()));
  EXPECT_EQ(intent.payload(), R"({"text": "hi"})");
  EXPECT_EQ(served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
}

TEST(LifecycleTest, EvaluationIsOnRecordWithTheFactsItRead) {
  ServedEngine served({});
  const Intent intent =
      served.As(served.agent_token()).MustSubmit("LAUNCH", "{}", 1'500'000);
  served.SettleDrafts();
  const std::string entry = absl::StrCat(
      "FROM audit_log WHERE action = 'SGL_EVALUATED' AND entity_id = '",
      intent.id(), "'");
  const auto meta = [&](const std::string& path) {
    return served.Value(absl::StrCat("SELECT meta #>> '", path, "' ", entry));
  };
  EXPECT_EQ(served.Value("SELECT level " + entry), "security");
  EXPECT_EQ(meta("{decision}"), "BLOCK");
  EXPECT_EQ(meta("{reasons,0,code}"), "NO_LAUNCH");
  EXPECT_EQ(meta("{payload_sha256}"), intent.payload_sha256());
  EXPECT_EQ(meta("{facts,intent,spend_micros_usd}"), "1500000");
  EXPECT_EQ(meta("{facts,agent,name}"), "ATLAS");
  EXPECT_EQ(meta("{facts,tenant,slug}"), "acme");
  EXPECT_EQ(meta("{facts,budget,exists}"), "false");
  EXPECT_NE(meta("{facts,now}"), "");
  EXPECT_EQ(meta("{policy_digest}"),
            served.Value("SELECT policy_digest FROM intents"));
}

TEST(LifecycleTest, BlockIsFinal) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent draft = agent.MustSubmit("LAUNCH", "{}");
  served.SettleDrafts();
  const Intent intent = agent.MustGet(draft.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
  ASSERT_EQ(intent.decision().reasons_size(), 1);
  EXPECT_EQ(intent.decision().reasons(0).code(), "NO_LAUNCH");
  EXPECT_EQ(served.Actions(intent.id()), "INTENT_SUBMITTED SGL_EVALUATED");
  const auto canceled = agent.Cancel(intent.id());
  EXPECT_EQ(canceled.status.error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(canceled.status), "INTENT_FINAL");
}

TEST(LifecycleTest, TypeWithoutExecutorFails) {
  ServedEngine served({.no_executor = {"POST"}});
  Caller agent = served.As(served.agent_token());
  const Intent draft = agent.MustSubmit("POST", R"({"text": "hi"})");
  served.SettleDrafts();
  const Intent intent = agent.MustGet(draft.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(intent.failure_reason(), "NO_EXECUTOR");
  EXPECT_EQ(served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED ENGINE_FAILED");
}

TEST(LifecycleTest, ReviewOpensAMemo) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent draft =
      agent.MustSubmit("POST", R"({"text": "hi"})", 300'000'000);
  served.SettleDrafts();
  const Intent intent = agent.MustGet(draft.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  const intent::v1::DecisionMemo memo =
      agent.MustGetMemo(intent.decision_memo_id());
  EXPECT_EQ(memo.intent_id(), intent.id());
  EXPECT_EQ(memo.status(), intent::v1::MEMO_STATUS_PROPOSED);
  EXPECT_EQ(memo.agent(), "ATLAS");
  EXPECT_EQ(memo.title(), "POST");
  EXPECT_EQ(memo.rationale(), "BIG_SPEND: a spend of $300");
  EXPECT_EQ(memo.estimated_cost_micros_usd(), 300'000'000);
  EXPECT_EQ(memo.risk_tier(), 2);
  ASSERT_EQ(memo.demands_size(), 1);
  EXPECT_EQ(memo.demands(0).count(), 1);
  EXPECT_EQ(memo.payload_sha256(), intent.payload_sha256());
  EXPECT_FALSE(memo.has_expire_time());
  EXPECT_EQ(served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED");
}

// Makes the database refuse any change of the intents titled `stuck`, as a
// trigger of somebody's may.
void RefuseStuck(ServedEngine& served, const std::string& trigger) {
  const auto made = served.database().Super().Run(
      "CREATE FUNCTION refuse_stuck() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN IF OLD.title = 'stuck' THEN RAISE EXCEPTION 'no'; END IF; "
      "RETURN NEW; END $$; " +
      trigger + " FOR EACH ROW EXECUTE FUNCTION refuse_stuck()");
  ASSERT_TRUE(made.ok()) << made.error;
}

TEST(LifecycleTest, WhatTheDatabaseRefusesHoldsNobodyUp) {
  for (const char* trigger :
       {"CREATE TRIGGER refuse_stuck BEFORE UPDATE ON intents",
        // Found at the commit only.
        "CREATE CONSTRAINT TRIGGER refuse_stuck AFTER UPDATE ON intents "
        "DEFERRABLE INITIALLY DEFERRED"}) {
    SCOPED_TRACE(trigger);
    ServedEngine served({});
    RefuseStuck(served, trigger);
    // More than a batch, and older than what can be settled.
    const auto inserted = served.database().Super().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, intent_type, payload, title, "
        "created_at) SELECT '",
        served.tenant().id,
        "', 'POST', '{\"text\": \"x\"}', 'stuck', engine_now() - interval "
        "'1 h' FROM generate_series(1, 300)"));
    ASSERT_TRUE(inserted.ok()) << inserted.error;
    Caller agent = served.As(served.agent_token());
    const Intent draft = agent.MustSubmit("POST", R"({"text": "hi"})");
    // The first turns find out which they are.
    EXPECT_EQ(served.SettleDrafts(), 0);
    EXPECT_EQ(served.SettleDrafts(), 1);
    EXPECT_EQ(agent.MustGet(draft.id()).status(),
              intent::v1::INTENT_STATUS_EXECUTED);
    EXPECT_EQ(served.Value("SELECT count(*) FROM intents WHERE status = "
                           "'DRAFT' AND title = 'stuck'"),
              "300");
    // And pass over them from then on.
    agent.MustSubmit("POST", R"({"text": "hi"})");
    EXPECT_EQ(served.SettleDrafts(), 1);
  }
}

TEST(LifecycleTest, AMemoThatCannotEndHoldsNoOtherUp) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  intent::v1::SubmitIntentRequest stuck =
      Caller::Request("WIRE", R"({"to": "x"})");
  stuck.set_title("stuck");
  ASSERT_TRUE(agent.Submit(stuck).ok());
  const Intent other = agent.MustSubmit("WIRE", R"({"to": "x"})");
  EXPECT_EQ(served.SettleDrafts(), 2);
  RefuseStuck(served, "CREATE TRIGGER refuse_stuck BEFORE UPDATE ON intents");
  served.database().Super().Run(
      "UPDATE decision_memos SET expires_at = engine_now() - interval '1 s'");
  EXPECT_EQ(*served.engine().worker().ExpireMemos(), 1);
  EXPECT_EQ(agent.MustGet(other.id()).failure_reason(), "APPROVAL_EXPIRED");
  EXPECT_EQ(served.Value("SELECT status FROM decision_memos WHERE title = "
                         "'stuck'"),
            "PROPOSED");
}

TEST(LifecycleTest, MemoPastItsTimeExpires) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent draft = agent.MustSubmit("WIRE", R"({"to": "x"})");
  served.SettleDrafts();
  EXPECT_EQ(*served.engine().worker().ExpireMemos(), 0);
  served.database().Super().Run(
      "UPDATE decision_memos SET expires_at = engine_now() - interval '1 s'");
  const auto late = served.As(served.AddUser("erin", "compliance"))
                        .Approve(agent.MustGetMemo(
                            agent.MustGet(draft.id()).decision_memo_id()));
  EXPECT_EQ(ReasonOf(late.status), "MEMO_EXPIRED");
  EXPECT_EQ(*served.engine().worker().ExpireMemos(), 1);
  EXPECT_EQ(*served.engine().worker().ExpireMemos(), 0);
  const Intent intent = agent.MustGet(draft.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(intent.failure_reason(), "APPROVAL_EXPIRED");
  const auto memo = agent.MustGetMemo(intent.decision_memo_id());
  EXPECT_EQ(memo.status(), intent::v1::MEMO_STATUS_REJECTED);
  EXPECT_EQ(memo.resolution(), "APPROVAL_EXPIRED");
  EXPECT_EQ(served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_EXPIRED");
}

TEST(LifecycleTest, AgentCancelsItsDraft) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent draft = agent.MustSubmit("POST", R"({"text": "hi"})");
  const auto canceled = agent.Cancel(draft.id());
  ASSERT_TRUE(canceled.ok()) << canceled.status.error_message();
  EXPECT_EQ(canceled.response.intent().status(),
            intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(canceled.response.intent().failure_reason(), "CANCELED");
  EXPECT_EQ(served.SettleDrafts(), 0);
  EXPECT_EQ(served.Actions(draft.id()), "INTENT_SUBMITTED INTENT_CANCELED");
}

TEST(LifecycleTest, OperatorCancelsWhatAwaitsAHuman) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent draft = agent.MustSubmit("WIRE", R"({"to": "x"})");
  served.SettleDrafts();
  const auto canceled =
      served
          .As(served.AddToken(storage::PrincipalKind::kOperator, "",
                              served.tenant().id))
          .Cancel(draft.id());
  ASSERT_TRUE(canceled.ok()) << canceled.status.error_message();
  EXPECT_EQ(canceled.response.intent().failure_reason(), "CANCELED");
  const auto memo =
      agent.MustGetMemo(canceled.response.intent().decision_memo_id());
  EXPECT_EQ(memo.status(), intent::v1::MEMO_STATUS_REJECTED);
  EXPECT_EQ(memo.resolution(), "CANCELED");
}

TEST(LifecycleTest, RowFromSqlIsAdoptedAndDecided) {
  ServedEngine served({});
  const std::string id = served.InsertBySql(
      "POST", R"({"text": "t", "spendUsd": 12.5, "dataClass": "PII", )"
              R"("requestedBy": "ops"})");
  EXPECT_EQ(served.SettleDrafts(), 1);
  const Intent intent = served.As(served.agent_token()).MustGet(id);
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(intent.spend_micros_usd(), 12'500'000);
  EXPECT_EQ(intent.data_class(), intent::v1::DATA_CLASS_PII);
  EXPECT_EQ(intent.requested_by(), "ops");
  EXPECT_EQ(intent.payload_sha256().size(), 64u);
  EXPECT_EQ(served.Actions(id),
            "INTENT_SUBMITTED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
}

TEST(LifecycleTest, RowFromSqlThatDoesNotFitIsNeverAllowed) {
  ServedEngine served({});
  for (const char* payload :
       {R"({"text": "t", "spendUsd": "5000"})",
        R"({"text": "t", "dataClass": "phi"})",
        R"({"text": "t", "spendUsd": -1})", R"(["text"])", R"("text")"}) {
    SCOPED_TRACE(payload);
    const std::string id = served.InsertBySql("POST", payload);
    EXPECT_EQ(served.SettleDrafts(), 1);
    const Intent intent = served.As(served.agent_token()).MustGet(id);
    EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
    ASSERT_EQ(intent.decision().reasons_size(), 1);
    EXPECT_EQ(intent.decision().reasons(0).code(), "INVALID_PAYLOAD");
    EXPECT_GE(intent.decision().reasons(0).field_violations_size(), 1);
  }
}

TEST(LifecycleTest, UnreadableRowFromSqlFailsAlone) {
  ServedEngine served({});
  std::string numbers = "1e131071";
  for (int i = 1; i < 100; ++i) numbers += ",1e131071";
  const std::string bad =
      served.InsertBySql("POST", absl::StrCat("{\"a\": [", numbers, "]}"));
  const std::string good = served.InsertBySql("POST", R"({"text": "t"})");
  EXPECT_EQ(served.SettleDrafts(), 2);
  Caller agent = served.As(served.agent_token());
  EXPECT_EQ(agent.MustGet(bad).failure_reason(), "PAYLOAD_UNREADABLE");
  EXPECT_EQ(served.Actions(bad), "INTENT_SUBMITTED ENGINE_FAILED");
  EXPECT_EQ(agent.MustGet(good).status(), intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(LifecycleTest, DraftFromSqlCanBeCanceled) {
  ServedEngine served({});
  const std::string id = served.InsertBySql("POST", R"({"text": "t"})");
  const auto canceled = served.As(served.agent_token()).Cancel(id);
  ASSERT_TRUE(canceled.ok()) << canceled.status.error_message();
  EXPECT_EQ(served.Actions(id), "INTENT_SUBMITTED INTENT_CANCELED");
}

TEST(LifecycleTest, KillSwitchStopsClaimsButNotSubmissions) {
  ServedEngine served({});
  served.database().Owner().Run(
      "INSERT INTO system_state (key, value) VALUES "
      "('atlas_online', '{\"engine_enabled\": false}')");
  Caller agent = served.As(served.agent_token());
  const Intent draft = agent.MustSubmit("POST", R"({"text": "hi"})");
  EXPECT_EQ(served.SettleDrafts(), 0);
  EXPECT_EQ(agent.MustGet(draft.id()).status(),
            intent::v1::INTENT_STATUS_DRAFT);
  served.database().Owner().Run("DELETE FROM system_state");
  EXPECT_EQ(served.SettleDrafts(), 1);
}

TEST(LifecycleTest, PolicyThatWasReplacedDecidesNothingMore) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent draft = agent.MustSubmit("POST", R"({"text": "hi"})");
  // The engine still has the old program.
  served.ActivatePolicy(std::string(kPolicy) + "block NO_POSTS on POST\n");
  EXPECT_EQ(served.SettleDrafts(), 1);
  const Intent intent = agent.MustGet(draft.id());
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(intent.decision().reasons(0).code(), "NO_POSTS");
}

TEST(LifecycleTest, WithoutAPolicyNothingIsTakenOrClaimed) {
  ServedEngine served({.policy = ""});
  const auto refused =
      served.As(served.agent_token()).Submit(Caller::Request("POST", "{}"));
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(refused.status), "NO_ACTIVE_POLICY");
  served.InsertBySql("POST", R"({"text": "t"})");
  EXPECT_EQ(served.SettleDrafts(), 0);
}

TEST(LifecycleTest, MemosExpireWhileWorkKeepsComing) {
  ServedEngine served({.runs = true});
  Caller agent = served.As(served.agent_token());
  auto request = Caller::Request("WIRE", R"({"to": "GB1"})");
  request.mutable_wait()->set_seconds(30);
  const std::string id = agent.Submit(request).response.intent().id();
  served.database().Super().Run(
      "UPDATE decision_memos SET expires_at = now() - interval '1 second'");
  // Each of these wakes the worker, so that it never has nothing to do.
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (agent.MustGet(id).status() ==
             intent::v1::INTENT_STATUS_AWAITING_HUMAN &&
         absl::Now() < deadline) {
    agent.MustSubmit("POST", R"({"text": "t"})");
  }
  EXPECT_EQ(agent.MustGet(id).failure_reason(), "APPROVAL_EXPIRED");
}

TEST(LifecycleTest, OneThatBreaksItsBatchFailsAlone) {
  ServedEngine served({});
  served.database().Super().Run(
      "ALTER TABLE intents ADD CONSTRAINT no_bad_end "
      "CHECK (status <> 'EXECUTED' OR payload ->> 'text' <> 'bad')");
  const std::string first = served.InsertBySql("POST", R"({"text": "a"})");
  const std::string bad = served.InsertBySql("POST", R"({"text": "bad"})");
  const std::string last = served.InsertBySql("POST", R"({"text": "b"})");
  EXPECT_EQ(served.SettleDrafts(), 3);
  Caller agent = served.As(served.agent_token());
  EXPECT_EQ(agent.MustGet(first).status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(agent.MustGet(last).status(), intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(agent.MustGet(bad).status(), intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(agent.MustGet(bad).failure_reason(), "SETTLEMENT_REFUSED");
  EXPECT_EQ(served.Actions(bad), "INTENT_SUBMITTED ENGINE_FAILED");
}

TEST(LifecycleTest, ManyAreSettledInBatches) {
  ServedEngine served({});
  served.database().Owner().Run(absl::StrCat(
      "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
      "SELECT '",
      served.tenant().id, "', '", served.tenant().agent,
      "', 'POST', '{\"text\": \"t\"}' FROM generate_series(1, 600)"));
  EXPECT_EQ(served.SettleDrafts(), 600);
  EXPECT_EQ(served.Value("SELECT count(*) FROM intents "
                         "WHERE status = 'EXECUTED'"),
            "600");
}

}  // namespace
}  // namespace sgl::testing
