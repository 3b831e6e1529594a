// Proves what votes do: who may, what they bind to, that exactly one approval
// resumes an intent, and that a policy swapped meanwhile has the last word.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "intent/v1/intent.pb.h"
#include "tests/engine/awaiting.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::DecisionMemo;

TEST(ApprovalsTest, ApprovalExecutes) {
  Awaiting test;
  const auto answer = test.User("erin", "member").Approve(test.memo);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(answer.response.decision_memo().status(),
            intent::v1::MEMO_STATUS_APPROVED);
  EXPECT_EQ(answer.response.decision_memo().resolution(), "APPROVED");
  ASSERT_EQ(answer.response.decision_memo().votes_size(), 1);
  EXPECT_EQ(answer.response.decision_memo().votes(0).verdict(),
            intent::v1::VERDICT_APPROVE);
  EXPECT_EQ(test.served.Actions(test.intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_APPROVED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
  // On record is by which of her tokens.
  EXPECT_EQ(test.served.Value(
                "SELECT count(*) FROM audit_log AS a JOIN api_tokens AS t "
                "ON t.id::text = a.meta ->> 'token_id' "
                "AND t.user_id = a.actor_user_id "
                "WHERE a.action = 'DECISION_MEMO_APPROVED'"),
            "1");
}

TEST(ApprovalsTest, RejectionFails) {
  Awaiting test;
  Caller erin = test.User("erin", "member");
  const auto silent = erin.Reject(test.memo, "");
  EXPECT_EQ(BadFieldsOf(silent.status), std::vector<std::string>{"comment"});
  const auto answer = erin.Reject(test.memo, "too much");
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(),
            intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(answer.response.intent().failure_reason(), "HUMAN_REJECTED");
  EXPECT_EQ(answer.response.intent().failure_message(), "rejected: too much");
  EXPECT_EQ(answer.response.decision_memo().resolution(), "HUMAN_REJECTED");
  EXPECT_EQ(test.served.Actions(test.intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_REJECTED");
}

TEST(ApprovalsTest, TwoAtOnceResumeItOnce) {
  for (int round = 0; round < 5; ++round) {
    Awaiting test;
    std::vector<Caller> callers;
    callers.push_back(test.User("erin", "member"));
    callers.push_back(test.User("frank", "member"));
    std::vector<grpc::Status> statuses(callers.size());
    std::latch start(static_cast<ptrdiff_t>(callers.size()));
    std::vector<std::thread> threads;
    for (size_t i = 0; i < callers.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        statuses[i] = callers[i].Approve(test.memo).status;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_NE(statuses[0].ok(), statuses[1].ok());
    const grpc::Status& refused = statuses[statuses[0].ok() ? 1 : 0];
    EXPECT_EQ(ReasonOf(refused), "MEMO_CLOSED");
    EXPECT_EQ(test.served.Actions(test.intent.id()),
              "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
              "DECISION_MEMO_APPROVED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
  }
}

TEST(ApprovalsTest, QuorumTakesDifferentPeopleOfTheRoles) {
  Awaiting test("WIRE", R"({"to": "x"})");
  Caller erin = test.User("erin", "compliance");
  const auto first = erin.Approve(test.memo);
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  EXPECT_EQ(first.response.intent().status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  EXPECT_EQ(ReasonOf(erin.Approve(test.memo).status), "ALREADY_VOTED");

  const auto wrong = test.User("mallory", "member").Approve(test.memo);
  EXPECT_EQ(wrong.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(wrong.status), "ROLE_MISSING");
  EXPECT_EQ(test.SecurityEntries(), "1");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM approvals"), "1");

  const auto second = test.User("olga", "owner").Approve(test.memo);
  ASSERT_TRUE(second.ok()) << second.status.error_message();
  EXPECT_EQ(second.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(ApprovalsTest, OwnerOfTheAgentCannotVote) {
  Awaiting test;
  const auto answer =
      test.served
          .As(test.served.AddToken(storage::PrincipalKind::kUser,
                                   test.served.tenant().owner,
                                   test.served.tenant().id))
          .Approve(test.memo);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(answer.status), "SELF_APPROVAL");
  EXPECT_EQ(test.SecurityEntries(), "1");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM approvals"), "0");
}

TEST(ApprovalsTest, VoteIsBoundToRevisionAndPayload) {
  Awaiting test;
  Caller erin = test.User("erin", "member");
  DecisionMemo stale = test.memo;
  stale.set_revision(2);
  const auto revision = erin.Approve(stale);
  EXPECT_EQ(revision.status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(ReasonOf(revision.status), "STALE_REVISION");
  stale = test.memo;
  stale.set_payload_sha256(std::string(64, '0'));
  EXPECT_EQ(ReasonOf(erin.Approve(stale).status), "STALE_PAYLOAD");
  stale.set_payload_sha256(std::string(64, 'A'));
  EXPECT_EQ(BadFieldsOf(erin.Approve(stale).status),
            std::vector<std::string>{"payload_sha256"});
  DecisionMemo first = test.memo;
  first.set_revision(0);
  EXPECT_TRUE(erin.Approve(first).ok());
}

TEST(ApprovalsTest, BlockUnderTheNewPolicyIsNotOverridden) {
  Awaiting test;
  test.served.ActivatePolicy(std::string(kPolicy) + "block NO_POSTS on POST\n");
  const auto answer = test.User("erin", "member").Approve(test.memo);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(answer.response.decision_memo().status(),
            intent::v1::MEMO_STATUS_REJECTED);
  EXPECT_EQ(answer.response.decision_memo().resolution(), "BLOCKED_SGL");
}

TEST(ApprovalsTest, NewDemandsReopenTheMemoAndOldVotesCount) {
  Awaiting test;
  test.served.ActivatePolicy(
      std::string(kPolicy) +
      "review POSTS on POST approvals 1 from privacy within 2h\n");
  const auto first = test.User("erin", "member").Approve(test.memo);
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  EXPECT_EQ(first.response.intent().status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  const DecisionMemo& reopened = first.response.decision_memo();
  EXPECT_EQ(reopened.id(), test.memo.id());
  EXPECT_EQ(reopened.status(), intent::v1::MEMO_STATUS_PROPOSED);
  ASSERT_GE(reopened.demands_size(), 1);
  EXPECT_TRUE(reopened.has_expire_time());
  const auto second = test.User("pat", "privacy").Approve(reopened);
  ASSERT_TRUE(second.ok()) << second.status.error_message();
  EXPECT_EQ(second.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.served.Actions(test.intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_APPROVED SGL_EVALUATED DECISION_MEMO_REOPENED "
            "DECISION_MEMO_APPROVED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
}

TEST(ApprovalsTest, AMemoThatAWriterMadeBecomesTheIntents) {
  ServedEngine served({});
  const std::string id = served.InsertBySql("WIRE", R"({"to": "x"})");
  const std::string memo_id = served.database().Owner().Value(absl::StrCat(
      "INSERT INTO decision_memos (tenant_id, intent_id, agent, title, "
      "requires_approval) VALUES ('",
      served.tenant().id, "', '", id, "', 'me', 'mine', false) RETURNING id"));
  EXPECT_EQ(served.SettleDrafts(), 1);
  Caller erin = served.As(served.AddUser("erin", "compliance"));
  EXPECT_EQ(erin.MustGet(id).status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  EXPECT_EQ(erin.MustGet(id).decision_memo_id(), memo_id);
  const DecisionMemo memo = erin.MustGetMemo(memo_id);
  EXPECT_EQ(memo.agent(), "ATLAS");
  EXPECT_EQ(memo.title(), "WIRE");
  EXPECT_EQ(memo.demands_size(), 1);
  EXPECT_EQ(served.Value("SELECT meta ->> 'memo_id' FROM audit_log "
                         "WHERE action = 'DECISION_MEMO_OPENED'"),
            memo_id);
  EXPECT_EQ(served.Value("SELECT requires_approval FROM decision_memos"), "t");
  ASSERT_TRUE(erin.Approve(memo).ok());
  const auto last = served.As(served.AddUser("olga", "owner")).Approve(memo);
  ASSERT_TRUE(last.ok()) << last.status.error_message();
  EXPECT_EQ(last.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(ApprovalsTest, KillSwitchRefusesVotes) {
  Awaiting test;
  test.served.database().Owner().Run(
      "INSERT INTO system_state (key, value) VALUES "
      "('atlas_online', '{\"engine_enabled\": false}')");
  Caller erin = test.User("erin", "member");
  const auto answer = erin.Approve(test.memo);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(answer.status), "KILL_SWITCH");
  EXPECT_EQ(ReasonOf(erin.Reject(test.memo, "no").status), "KILL_SWITCH");
}

TEST(ApprovalsTest, OnlyUsersVote) {
  Awaiting test;
  const auto answer = test.agent.Approve(test.memo);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(ReasonOf(answer.status), "WRONG_PRINCIPAL_KIND");
}

TEST(ApprovalsTest, AnotherTenantsMemoIsNotFound) {
  Awaiting test;
  const SeededTenant other = test.served.database().Seed("other");
  Caller stranger = test.served.As(test.served.AddToken(
      storage::PrincipalKind::kUser, other.carol, other.id));
  const auto answer = stranger.Approve(test.memo);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(stranger.GetMemo(test.memo.id()).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST(ApprovalsTest, CommentsAreBounded) {
  Awaiting test;
  Caller erin = test.User("erin", "member");
  const auto over = erin.Reject(test.memo, std::string(5001, 'x'));
  EXPECT_EQ(BadFieldsOf(over.status), std::vector<std::string>{"comment"});
  const std::string nul("a\0b", 3);
  EXPECT_EQ(BadFieldsOf(erin.Reject(test.memo, nul).status),
            std::vector<std::string>{"comment"});
  // Characters, not bytes.
  std::string longest;
  for (int i = 0; i < 5000; ++i) longest += "\u00e9";
  const auto answer = erin.Reject(test.memo, longest);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.decision_memo().votes(0).comment(), longest);
}

TEST(ApprovalsTest, VotesAreJudgedAgainWhenTheLastComesIn) {
  for (const char* lost :
       {"UPDATE tenant_members SET role = 'member' WHERE user_id = '",
        "UPDATE tenant_members SET removed_at = engine_now() WHERE user_id = '",
        "SET session_replication_role = replica; DELETE FROM tenant_members "
        "WHERE user_id = '",
        "UPDATE approvals SET expires_at = engine_now() WHERE approved_by = '",
        "UPDATE agent_registry SET owner_user_id = '"}) {
    SCOPED_TRACE(lost);
    Awaiting test("WIRE", R"({"to": "x"})");
    ASSERT_TRUE(test.User("erin", "compliance").Approve(test.memo).ok());
    const auto changed = test.served.database().Super().Run(
        absl::StrCat(lost, test.IdOf("erin"), "'"));
    ASSERT_TRUE(changed.ok()) << changed.error;
    const auto second = test.User("olga", "owner").Approve(test.memo);
    ASSERT_TRUE(second.ok()) << second.status.error_message();
    EXPECT_EQ(second.response.intent().status(),
              intent::v1::INTENT_STATUS_AWAITING_HUMAN);
    const auto third = test.User("pete", "owner").Approve(test.memo);
    EXPECT_EQ(third.response.intent().status(),
              intent::v1::INTENT_STATUS_EXECUTED);
  }
}

TEST(ApprovalsTest, MemosAreListed) {
  Awaiting test;
  intent::v1::ListDecisionMemosRequest request;
  request.mutable_filter()->set_status(intent::v1::MEMO_STATUS_PROPOSED);
  request.mutable_filter()->set_intent_id(test.intent.id());
  const auto found = test.agent.ListMemos(request);
  ASSERT_TRUE(found.ok()) << found.status.error_message();
  ASSERT_EQ(found.response.decision_memos_size(), 1);
  EXPECT_EQ(found.response.decision_memos(0).id(), test.memo.id());
  request.mutable_filter()->set_status(intent::v1::MEMO_STATUS_APPROVED);
  EXPECT_EQ(test.agent.ListMemos(request).response.decision_memos_size(), 0);
}

}  // namespace
}  // namespace sgl::testing
