// Proves what an edit before approval does: a new revision, decided at once
// under the active policy; the old one kept to the byte; votes on it gone; its
// editor barred from it; and that of an edit and whatever else ends or changes
// the memo at the same moment exactly one wins.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/sha256.h"
#include "intent/v1/intent.pb.h"
#include "tests/engine/awaiting.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::DecisionMemo;
using intent::v1::EditDecisionMemoRequest;

// An edit to a spend that still asks for a human.
EditDecisionMemoRequest Spend(const DecisionMemo& memo, int64_t micros) {
  EditDecisionMemoRequest request = Caller::EditOf(memo);
  request.set_spend_micros_usd(micros);
  return request;
}

TEST(MemoEditsTest, AnEditIsANewRevisionToVoteOn) {
  const std::string first = R"({ "text" : "h\u0069" })";
  const std::string second = R"({"text":   "mended"})";
  Awaiting test("POST", first);
  Caller erin = test.User("erin", "member");
  EditDecisionMemoRequest edit = Caller::EditOf(test.memo);
  edit.set_payload(second);
  const auto answer = erin.Edit(edit);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  const DecisionMemo& memo = answer.response.decision_memo();
  EXPECT_EQ(memo.id(), test.memo.id());
  EXPECT_EQ(memo.status(), intent::v1::MEMO_STATUS_PROPOSED);
  EXPECT_EQ(memo.revision(), 2);
  EXPECT_EQ(memo.payload(), second);
  EXPECT_EQ(memo.payload_sha256(), Sha256Hex(second));
  EXPECT_EQ(memo.edited_by(), test.IdOf("erin"));
  EXPECT_EQ(answer.response.intent().revision(), 2);
  EXPECT_EQ(answer.response.intent().payload(), second);
  EXPECT_EQ(answer.response.intent().status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);

  // What was replaced is kept, and nobody changes it.
  EXPECT_EQ(
      test.served.Value("SELECT revision || payload_raw || payload_sha256 || "
                        "spend_micros_usd || data_class || intent_type || "
                        "(edited_by IS NULL) FROM intent_revisions"),
      absl::StrCat("1", first, Sha256Hex(first), kBigSpend, "NONEPOSTtrue"));
  for (const char* sql :
       {"UPDATE intent_revisions SET payload_raw = 'x'",
        "DELETE FROM intent_revisions", "TRUNCATE intent_revisions"}) {
    EXPECT_EQ(test.served.database().Super().Run(sql).sqlstate, "23001");
  }
  EXPECT_EQ(
      test.served.Value("SELECT meta->>'old_payload_sha256' || (meta->>"
                        "'payload_sha256') || (meta->>'comment') || "
                        "(meta->'changes'->'payload_sha256'->>'to') "
                        "FROM audit_log WHERE action = 'DECISION_MEMO_EDITED'"),
      absl::StrCat(Sha256Hex(first), Sha256Hex(second), "mended",
                   Sha256Hex(second)));

  // The editor can't vote on it, nor edit it again; old ballots are stale.
  EXPECT_EQ(ReasonOf(erin.Approve(memo).status), "SELF_APPROVAL");
  EXPECT_EQ(ReasonOf(erin.Edit(Spend(memo, kBigSpend + 1)).status),
            "SELF_APPROVAL");
  Caller frank = test.User("frank", "member");
  EXPECT_EQ(ReasonOf(frank.Approve(test.memo).status), "STALE_REVISION");
  DecisionMemo unnamed = memo;
  unnamed.set_revision(0);
  EXPECT_EQ(ReasonOf(frank.Approve(unnamed).status), "STALE_REVISION");
  const auto approved = frank.Approve(memo);
  ASSERT_TRUE(approved.ok()) << approved.status.error_message();
  EXPECT_EQ(approved.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.served.Actions(test.intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_EDITED SGL_EVALUATED DECISION_MEMO_REOPENED "
            "DECISION_MEMO_APPROVED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
}

TEST(MemoEditsTest, EarlierVotesFallAwayAndStayAsRows) {
  Awaiting test("WIRE", R"({"to": "x"})");
  Caller erin = test.User("erin", "compliance");
  Caller olga = test.User("olga", "owner");
  ASSERT_TRUE(erin.Approve(test.memo).ok());
  EditDecisionMemoRequest edit = Caller::EditOf(test.memo);
  edit.set_payload(R"({"to": "y"})");
  const auto answer = olga.Edit(edit);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  const DecisionMemo& memo = answer.response.decision_memo();
  EXPECT_GE(memo.expire_time().seconds(), test.memo.expire_time().seconds());
  // One new vote alone is not two.
  const auto pete = test.User("pete", "owner").Approve(memo);
  ASSERT_TRUE(pete.ok()) << pete.status.error_message();
  EXPECT_EQ(pete.response.intent().status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  // Who voted on the old one votes anew.
  const auto again = erin.Approve(memo);
  ASSERT_TRUE(again.ok()) << again.status.error_message();
  EXPECT_EQ(again.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(again.response.decision_memo().votes_size(), 3);
  EXPECT_EQ(test.served.Value("SELECT string_agg(revision::text, ' ' ORDER BY "
                              "revision) FROM approvals"),
            "1 2 2");
}

TEST(MemoEditsTest, WhatTheRulesAllowIsExecutedAtOnce) {
  Awaiting test;
  const auto answer =
      test.User("erin", "member").Edit(Spend(test.memo, 10'000'000));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(answer.response.intent().spend_micros_usd(), 10'000'000);
  EXPECT_EQ(answer.response.decision_memo().status(),
            intent::v1::MEMO_STATUS_APPROVED);
  EXPECT_EQ(answer.response.decision_memo().resolution(), "ALLOWED_AFTER_EDIT");
  EXPECT_EQ(test.served.Actions(test.intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_EDITED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
}

TEST(MemoEditsTest, WhatTheRulesBlockIsBlocked) {
  const struct {
    std::string type, payload, code;
  } kCases[] = {{"LAUNCH", "{}", "NO_LAUNCH"},
                {"UNDECLARED", "{}", "UNKNOWN_INTENT_TYPE"},
                {"POST", R"({"text": 7})", "INVALID_PAYLOAD"}};
  for (const auto& one : kCases) {
    SCOPED_TRACE(one.code);
    Awaiting test;
    EditDecisionMemoRequest edit = Caller::EditOf(test.memo);
    edit.set_intent_type(one.type);
    edit.set_payload(one.payload);
    const auto answer = test.User("erin", "member").Edit(edit);
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
    EXPECT_EQ(answer.response.intent().status(),
              intent::v1::INTENT_STATUS_BLOCKED_SGL);
    EXPECT_EQ(answer.response.intent().decision().reasons(0).code(), one.code);
    EXPECT_EQ(answer.response.decision_memo().status(),
              intent::v1::MEMO_STATUS_REJECTED);
    EXPECT_EQ(answer.response.decision_memo().resolution(), "BLOCKED_SGL");
  }
}

TEST(MemoEditsTest, ATypeWithoutExecutorFails) {
  Awaiting test("POST", R"({"text": "hi"})", {.no_executor = {"POST"}});
  const auto answer = test.User("erin", "member").Edit(Spend(test.memo, 1));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().failure_reason(), "NO_EXECUTOR");
}

TEST(MemoEditsTest, ThePolicyOfThatMomentDecides) {
  Awaiting test;
  test.served.ActivatePolicy(
      absl::StrCat(kPolicy, "review POSTS on POST approvals 1 from privacy\n"));
  const auto answer =
      test.User("erin", "member").Edit(Spend(test.memo, 10'000'000));
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  const DecisionMemo& memo = answer.response.decision_memo();
  ASSERT_EQ(memo.reasons_size(), 1);
  EXPECT_EQ(memo.reasons(0).code(), "POSTS");
  ASSERT_EQ(memo.demands_size(), 1);
  EXPECT_EQ(memo.demands(0).roles(0), "privacy");
}

TEST(MemoEditsTest, OnlyWhoMayVoteMayEdit) {
  Awaiting test("WIRE", R"({"to": "x"})");
  const EditDecisionMemoRequest edit = Spend(test.memo, 1);
  EXPECT_EQ(ReasonOf(test.agent.Edit(edit).status), "WRONG_PRINCIPAL_KIND");
  EXPECT_EQ(ReasonOf(test.User("mallory", "member").Edit(edit).status),
            "ROLE_MISSING");
  EXPECT_EQ(ReasonOf(test.Seeded(test.served.tenant().owner).Edit(edit).status),
            "SELF_APPROVAL");
  EXPECT_EQ(test.SecurityEntries("EDIT_REFUSED"), "2");
  const SeededTenant other = test.served.database().Seed("other");
  Caller stranger = test.served.As(test.served.AddToken(
      storage::PrincipalKind::kUser, other.carol, other.id));
  EXPECT_EQ(stranger.Edit(edit).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM intent_revisions"), "0");
  EXPECT_EQ(test.agent.MustGet(test.intent.id()).revision(), 1);
}

TEST(MemoEditsTest, AnEditIsBoundedAndBoundLikeAVote) {
  Awaiting test;
  Caller erin = test.User("erin", "member");
  EditDecisionMemoRequest bad = Caller::EditOf(test.memo);
  bad.set_comment("");
  bad.set_intent_type("");
  bad.set_payload("[1]");
  bad.set_spend_micros_usd(-1);
  EXPECT_EQ(BadFieldsOf(erin.Edit(bad).status),
            (std::vector<std::string>{"comment", "intent_type", "payload",
                                      "spend_micros_usd"}));
  bad = Caller::EditOf(test.memo);
  bad.set_payload(
      absl::StrCat(R"({"text": ")", std::string(262144, 'x'), "\"}"));
  EXPECT_EQ(BadFieldsOf(erin.Edit(bad).status),
            std::vector<std::string>{"payload"});
  bad = Caller::EditOf(test.memo);
  bad.set_data_class(static_cast<intent::v1::DataClass>(77));
  EXPECT_EQ(BadFieldsOf(erin.Edit(bad).status),
            std::vector<std::string>{"data_class"});
  EXPECT_EQ(ReasonOf(erin.Edit(Caller::EditOf(test.memo)).status),
            "NOTHING_CHANGED");
  EditDecisionMemoRequest stale = Spend(test.memo, 1);
  stale.set_payload_sha256(std::string(64, '0'));
  EXPECT_EQ(ReasonOf(erin.Edit(stale).status), "STALE_PAYLOAD");
  stale = Spend(test.memo, 1);
  stale.set_revision(2);
  EXPECT_EQ(ReasonOf(erin.Edit(stale).status), "STALE_REVISION");
  test.served.database().Owner().Run(
      "INSERT INTO system_state (key, value) VALUES "
      "('atlas_online', '{\"engine_enabled\": false}')");
  EXPECT_EQ(ReasonOf(erin.Edit(Spend(test.memo, 1)).status), "KILL_SWITCH");
}

TEST(MemoEditsTest, AnExpiredMemoIsNotEdited) {
  Awaiting test("WIRE", R"({"to": "x"})");
  test.served.SetClockAhead("25 hours");
  EXPECT_EQ(
      ReasonOf(test.User("erin", "owner").Edit(Spend(test.memo, 1)).status),
      "MEMO_EXPIRED");
}

// Runs both at once; returns whether each succeeded.
std::pair<bool, bool> AtOnce(const std::function<bool()>& one,
                             const std::function<bool()>& other) {
  std::latch start(2);
  bool one_ok = false;
  std::thread thread([&] {
    start.arrive_and_wait();
    one_ok = one();
  });
  start.arrive_and_wait();
  const bool other_ok = other();
  thread.join();
  return {one_ok, other_ok};
}

TEST(MemoEditsRaceTest, EditAndApproval) {
  for (int round = 0; round < 5; ++round) {
    Awaiting test;
    Caller erin = test.User("erin", "member");
    Caller frank = test.User("frank", "member");
    const auto [edited, approved] =
        AtOnce([&] { return erin.Edit(Spend(test.memo, kBigSpend + 1)).ok(); },
               [&] { return frank.Approve(test.memo).ok(); });
    EXPECT_NE(edited, approved);
    test.Read();
    // What was executed is what was approved.
    EXPECT_EQ(test.intent.status() == intent::v1::INTENT_STATUS_EXECUTED,
              approved);
    EXPECT_EQ(test.intent.revision(), edited ? 2 : 1);
    EXPECT_EQ(test.intent.spend_micros_usd(), kBigSpend + (edited ? 1 : 0));
  }
}

TEST(MemoEditsRaceTest, TwoEdits) {
  for (int round = 0; round < 3; ++round) {
    Awaiting test;
    Caller erin = test.User("erin", "member");
    Caller frank = test.User("frank", "member");
    const auto [one, other] = AtOnce(
        [&] { return erin.Edit(Spend(test.memo, kBigSpend + 1)).ok(); },
        [&] { return frank.Edit(Spend(test.memo, kBigSpend + 2)).ok(); });
    EXPECT_NE(one, other);
    test.Read();
    EXPECT_EQ(test.intent.revision(), 2);
    EXPECT_EQ(test.intent.spend_micros_usd(), kBigSpend + (one ? 1 : 2));
    EXPECT_EQ(test.served.Value("SELECT count(*) FROM intent_revisions"), "1");
  }
}

TEST(MemoEditsRaceTest, EditAndCancel) {
  for (int round = 0; round < 5; ++round) {
    Awaiting test;
    Caller erin = test.User("erin", "member");
    // Either the edit comes first and the new revision is canceled, or it
    // finds the memo closed.
    const auto [edited, canceled] =
        AtOnce([&] { return erin.Edit(Spend(test.memo, kBigSpend + 1)).ok(); },
               [&] { return test.agent.Cancel(test.intent.id()).ok(); });
    EXPECT_TRUE(canceled);
    test.Read();
    EXPECT_EQ(test.intent.failure_reason(), "CANCELED");
    EXPECT_EQ(test.intent.revision(), edited ? 2 : 1);
    EXPECT_EQ(test.memo.resolution(), "CANCELED");
  }
}

TEST(MemoEditsRaceTest, EditAndExpiry) {
  for (int round = 0; round < 5; ++round) {
    Awaiting test("WIRE", R"({"to": "x"})");
    Caller erin = test.User("erin", "owner");
    EditDecisionMemoRequest edit = Caller::EditOf(test.memo);
    edit.set_payload(R"({"to": "y"})");
    const auto expire = [&] {
      const auto count = test.served.engine().worker().ExpireMemos();
      EXPECT_TRUE(count.ok()) << count.status();
      return count.ok() && *count == 1;
    };
    // The time runs out while both are under way.
    auto [edited, expired] = AtOnce([&] { return erin.Edit(edit).ok(); },
                                    [&] {
                                      test.served.SetClockAhead("25 hours");
                                      return expire();
                                    });
    // The sweep skips what an edit that came too late holds; its next turn
    // finds it.
    if (!edited && !expired) expired = expire();
    test.Read();
    const bool is_failed =
        test.intent.status() == intent::v1::INTENT_STATUS_FAILED;
    EXPECT_EQ(expired, is_failed);
    if (is_failed) {
      // An edit from before the hour gave it a new time, which then is over as
      // well: then both happened, in that order.
      EXPECT_EQ(test.intent.failure_reason(), "APPROVAL_EXPIRED");
      EXPECT_EQ(test.memo.resolution(), "APPROVAL_EXPIRED");
    } else {
      EXPECT_TRUE(edited);
      EXPECT_EQ(test.memo.status(), intent::v1::MEMO_STATUS_PROPOSED);
    }
    EXPECT_EQ(test.intent.revision(), edited ? 2 : 1);
  }
}

}  // namespace
}  // namespace sgl::testing
