// Proves batch approval: each item by itself, in order, as a vote of its own
// would go; and never on a memo that anything but the one rule asked for.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "intent/v1/decision_service.pb.h"
#include "tests/engine/awaiting.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::BatchApproveDecisionMemosRequest;
using intent::v1::DecisionMemo;

void Add(const DecisionMemo& memo, BatchApproveDecisionMemosRequest* request) {
  auto* item = request->add_items();
  item->set_id(memo.id());
  item->set_revision(memo.revision());
  item->set_payload_sha256(memo.payload_sha256());
}

TEST(BatchApprovalTest, EachItemFaresByItself) {
  Awaiting test;
  const auto more = [&](const std::string& type, const std::string& payload) {
    const auto intent = test.agent.MustSubmit(type, payload, kBigSpend);
    test.served.SettleDrafts();
    return test.agent.MustGetMemo(
        test.agent.MustGet(intent.id()).decision_memo_id());
  };
  const DecisionMemo second = more("POST", R"({"text": "2"})");
  const DecisionMemo wire = more("WIRE", R"({"to": "x"})");
  DecisionMemo stale = more("POST", R"({"text": "3"})");
  stale.set_payload_sha256(std::string(64, '0'));
  DecisionMemo unknown = second;
  unknown.set_id("00000000-0000-4000-8000-000000000000");

  BatchApproveDecisionMemosRequest request;
  request.set_reason_code("BIG_SPEND");
  request.set_comment("month's end");
  for (const DecisionMemo& memo :
       {test.memo, wire, stale, unknown, second, test.memo}) {
    Add(memo, &request);
  }
  const auto answer = test.User("olga", "owner").BatchApprove(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  ASSERT_EQ(answer.response.results_size(), 6);
  const std::vector<std::string> kReasons = {
      "", "OTHER_REASONS", "STALE_PAYLOAD", "MEMO_NOT_FOUND",
      "", "MEMO_CLOSED"};
  for (int i = 0; i < 6; ++i) {
    SCOPED_TRACE(i);
    const auto& result = answer.response.results(i);
    EXPECT_EQ(result.status().reason(), kReasons[static_cast<size_t>(i)]);
    EXPECT_EQ(result.status().code() == 0, result.has_decision_memo());
    if (result.status().code() != 0) continue;
    EXPECT_EQ(result.intent().status(), intent::v1::INTENT_STATUS_EXECUTED);
    EXPECT_EQ(result.decision_memo().votes(0).comment(), "month's end");
  }
  EXPECT_EQ(answer.response.results(2).status().code(),
            static_cast<int>(grpc::StatusCode::ABORTED));
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM approvals"), "2");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM intents "
                              "WHERE status = 'AWAITING_HUMAN'"),
            "2");
}

TEST(BatchApprovalTest, TheReasonMustHoldUnderTheRulesOfTheMoment) {
  Awaiting test;
  test.served.ActivatePolicy(absl::StrReplaceAll(
      kPolicy, {{"review BIG_SPEND", "review SANCTIONED"}}));
  BatchApproveDecisionMemosRequest request;
  request.set_reason_code("BIG_SPEND");
  Add(test.memo, &request);
  Caller olga = test.User("olga", "owner");
  const auto answer = olga.BatchApprove(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.results(0).status().reason(), "OTHER_REASONS");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM approvals"), "0");
  // By itself it can be approved.
  EXPECT_EQ(olga.Approve(test.memo).response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(BatchApprovalTest, WhoMayNotVoteMayNotHere) {
  Awaiting test("WIRE", R"({"to": "x"})", {}, /*spend_micros_usd=*/0);
  BatchApproveDecisionMemosRequest request;
  request.set_reason_code("WIRES");
  Add(test.memo, &request);
  EXPECT_EQ(ReasonOf(test.agent.BatchApprove(request).status),
            "WRONG_PRINCIPAL_KIND");
  const auto refused = test.User("mallory", "member").BatchApprove(request);
  ASSERT_TRUE(refused.ok()) << refused.status.error_message();
  EXPECT_EQ(refused.response.results(0).status().reason(), "ROLE_MISSING");
  EXPECT_EQ(test.SecurityEntries(), "1");
  const auto owner =
      test.Seeded(test.served.tenant().owner).BatchApprove(request);
  EXPECT_EQ(owner.response.results(0).status().reason(), "SELF_APPROVAL");
}

TEST(BatchApprovalTest, RequestsAreBounded) {
  Awaiting test;
  Caller erin = test.User("erin", "member");
  BatchApproveDecisionMemosRequest request;
  EXPECT_EQ(BadFieldsOf(erin.BatchApprove(request).status),
            (std::vector<std::string>{"reason_code", "items"}));
  request.set_reason_code("BIG_SPEND");
  for (int i = 0; i < 201; ++i) Add(test.memo, &request);
  EXPECT_EQ(BadFieldsOf(erin.BatchApprove(request).status),
            std::vector<std::string>{"items"});
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM approvals"), "0");
}

TEST(BatchApprovalTest, ALargeAnswerLeavesPayloadsOut) {
  const std::string text(200'000, 'x');
  const std::string payload = absl::StrCat(R"({"text": ")", text, "\"}");
  Awaiting test("POST", payload);
  for (int i = 0; i < 9; ++i) test.agent.MustSubmit("POST", payload, kBigSpend);
  test.served.SettleDrafts();
  BatchApproveDecisionMemosRequest request;
  request.set_reason_code("BIG_SPEND");
  const auto listed = test.agent.ListMemos({});
  ASSERT_EQ(listed.response.decision_memos_size(), 10);
  for (const auto& memo : listed.response.decision_memos()) Add(memo, &request);
  const auto answer = test.User("erin", "member").BatchApprove(request);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  ASSERT_EQ(answer.response.results_size(), 10);
  EXPECT_EQ(answer.response.results(0).intent().payload(), payload);
  EXPECT_TRUE(answer.response.results(9).intent().payload().empty());
  EXPECT_EQ(answer.response.results(9).intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_LT(answer.response.ByteSizeLong(), 4u << 20);
}

}  // namespace
}  // namespace sgl::testing
