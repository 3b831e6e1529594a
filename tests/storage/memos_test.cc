// Proves memos and votes against a real server: who may not vote, one vote a
// person and revision, roles and expiry as of now, and the sweep.

#include "storage/memos.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "storage/intents.h"
#include "storage/settlement.h"
#include "storage/submissions.h"
#include "storage/uuid.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MemosTest : public ::testing::Test {
 protected:
  Transaction Begin(std::vector<std::string> tenants = {}) {
    auto tx = database_->runtime().Begin({.tenants = std::move(tenants)});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }

  // Submits an intent and settles it as REVIEW; returns the memo's id.
  std::string OpenMemo(const SeededTenant& tenant,
                       std::optional<absl::Duration> within = {}) {
    Transaction tx = Begin({tenant.id});
    const std::string payload = absl::StrCat(R"({"n": )", ++submitted_, "}");
    const auto inserted =
        InsertIntent(tx, {.tenant_id = tenant.id,
                          .agent_id = tenant.agent,
                          .principal_id = tenant.agent,
                          .request_id = absl::StrCat("r", submitted_),
                          .body_sha256 = "b",
                          .intent_type = "PAY",
                          .payload = payload,
                          .payload_sha256 = Sha256Hex(payload),
                          .rationale = "the agent's own",
                          .submitted_by_token = tenant.agent_token,
                          .audit = {.action = "INTENT_SUBMITTED"}});
    EXPECT_THAT(inserted, IsOk());
    const std::string memo_id = NewUuid();
    const Settlement review = {
        .intent_id = inserted->row.id,
        .tenant_id = tenant.id,
        .status = IntentStatus::kAwaitingHuman,
        .decision = "{}",
        .sgl_result = "REVIEW",
        .policy_digest = "sha256:0",
        .memo = MemoDraft{.id = memo_id, .agent = "ATLAS", .within = within},
        .audit = {{.action = "DECISION_MEMO_OPENED"}}};
    EXPECT_THAT(SettleIntents(tx, "", std::vector{review}), IsOk());
    EXPECT_THAT(tx.Commit(), IsOk());
    return memo_id;
  }

  int submitted_ = 0;
  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
};

TEST_F(MemosTest, ALockedMemoSaysWhoMayNotVote) {
  const std::string id = OpenMemo(acme_);
  database_->Super().Run(absl::StrCat("UPDATE api_tokens SET issued_by = '",
                                      acme_.dave, "' WHERE id = '",
                                      acme_.agent_token, "'"));
  Transaction tx = Begin({acme_.id});
  const auto locked = LockMemo(tx, id);
  ASSERT_THAT(locked, IsOk());
  std::vector<std::string> barred = {acme_.owner, acme_.dave};
  std::sort(barred.begin(), barred.end());
  EXPECT_EQ(locked->barred_user_ids, barred);
  EXPECT_FALSE(locked->switched_off.has_value());
  EXPECT_EQ(locked->intent.id, locked->memo.intent_id);
  EXPECT_EQ(locked->memo.intent_rationale, "the agent's own");
  EXPECT_EQ(locked->memo.payload, locked->intent.payload);
  EXPECT_FALSE(locked->memo.expired);
}

TEST_F(MemosTest, OneVoteAPersonAndRevision) {
  const std::string id = OpenMemo(acme_);
  Transaction tx = Begin({acme_.id});
  ASSERT_THAT(LockMemo(tx, id), IsOk());
  const NewVote vote = {.memo_id = id,
                        .approved_by = acme_.carol,
                        .comment = "fine",
                        .roles = {"compliance", "privacy"}};
  EXPECT_THAT(InsertVote(tx, vote), IsOk());
  EXPECT_THAT(InsertVote(tx, vote), StatusIs(absl::StatusCode::kAlreadyExists));
  const NewVote against = {
      .memo_id = id, .approved_by = acme_.carol, .verdict = Verdict::kReject};
  EXPECT_THAT(InsertVote(tx, against),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(InsertVote(tx, {.memo_id = id, .approved_by = acme_.dave}),
              IsOk());
  const auto votes = Votes(tx, id);
  ASSERT_THAT(votes, IsOk());
  ASSERT_EQ(votes->size(), 2u);
  const VoteRow& first = (*votes)[0];
  EXPECT_EQ(first.approved_by, acme_.carol);
  EXPECT_EQ(first.comment, "fine");
  EXPECT_EQ(first.payload_sha256, GetMemo(tx, id)->payload_sha256);
  EXPECT_THAT(first.roles, ElementsAre("compliance", "privacy"));
  EXPECT_TRUE(first.is_member);
  EXPECT_FALSE(first.expired);
}

TEST_F(MemosTest, OnlyMembersVote) {
  const std::string id = OpenMemo(acme_);
  Transaction tx = Begin({acme_.id});
  EXPECT_THAT(InsertVote(tx, {.memo_id = id, .approved_by = bolt_.carol}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(MemosTest, OnlyRolesOfThenAndNowCount) {
  const std::string id = OpenMemo(acme_);
  Transaction tx = Begin({acme_.id});
  ASSERT_THAT(InsertVote(tx, {.memo_id = id,
                              .approved_by = acme_.carol,
                              .roles = {"compliance", "privacy"}}),
              IsOk());
  ASSERT_THAT(tx.Commit(), IsOk());
  database_->Super().Run(absl::StrCat(
      "DELETE FROM member_roles WHERE user_id = '", acme_.carol,
      "'; INSERT INTO member_roles SELECT tenant_id, user_id, 'gained' FROM "
      "tenant_members WHERE user_id = '",
      acme_.carol, "'"));
  database_->Super().Run(
      "UPDATE approvals SET expires_at = engine_now() - interval '1 s'");
  Transaction read = Begin({acme_.id});
  const auto votes = Votes(read, id);
  ASSERT_THAT(votes, IsOk());
  EXPECT_THAT((*votes)[0].roles, ElementsAre("compliance"));
  EXPECT_TRUE((*votes)[0].expired);
}

TEST_F(MemosTest, AMemoIsResolvedOnce) {
  const std::string id = OpenMemo(acme_);
  Transaction tx = Begin({acme_.id});
  EXPECT_THAT(ResolveMemo(tx, id, MemoStatus::kRejected, "HUMAN_REJECTED"),
              IsOk());
  EXPECT_THAT(ResolveMemo(tx, id, MemoStatus::kApproved, "APPROVED"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(InsertVote(tx, {.memo_id = id, .approved_by = acme_.carol}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(GetMemo(tx, id)->resolution, "HUMAN_REJECTED");
}

TEST_F(MemosTest, TheSweepFindsWhatIsDueAndSkipsWhatIsHeld) {
  const std::string due = OpenMemo(acme_, absl::Seconds(-1));
  const std::string held = OpenMemo(bolt_, absl::Seconds(-1));
  const std::string later = OpenMemo(acme_, absl::Hours(1));
  const std::string never = OpenMemo(acme_);
  Transaction holder = Begin({bolt_.id});
  ASSERT_THAT(LockMemo(holder, held), IsOk());
  Transaction tx = Begin();
  const auto swept = DueMemos(tx, 100);
  ASSERT_THAT(swept, IsOk());
  ASSERT_EQ(swept->size(), 1u);
  EXPECT_EQ((*swept)[0].memo.id, due);
  EXPECT_TRUE((*swept)[0].memo.expired);
  EXPECT_EQ((*swept)[0].intent.tenant_id, acme_.id);
  EXPECT_THAT(ResolveMemo(tx, due, MemoStatus::kRejected, "APPROVAL_EXPIRED"),
              IsOk());
}

TEST_F(MemosTest, WhatCannotBeEndedStarvesNobody) {
  const std::string stuck = OpenMemo(acme_, absl::Seconds(-20));
  const std::string held = OpenMemo(bolt_, absl::Seconds(-10));
  const std::string due = OpenMemo(acme_, absl::Seconds(-1));
  // Ended behind the engine's back, and its memo left open.
  database_->Super().Run(
      absl::StrCat("UPDATE intents SET status = 'FAILED', failure_reason = 'X' "
                   "WHERE decision_memo_id = '",
                   stuck, "'"));
  // A memo of another writer, which has no intent.
  database_->Super().Run(
      absl::StrCat("INSERT INTO decision_memos (tenant_id, expires_at) VALUES "
                   "('",
                   acme_.id, "', engine_now() - interval '1 day')"));
  Transaction holder = Begin({bolt_.id});
  ASSERT_THAT(LockMemo(holder, held), IsOk());
  Transaction tx = Begin();
  const auto swept = DueMemos(tx, 1);
  ASSERT_THAT(swept, IsOk());
  ASSERT_EQ(swept->size(), 1u);
  EXPECT_EQ((*swept)[0].memo.id, due);
}

TEST_F(MemosTest, ListsAndFilters) {
  const std::string first = OpenMemo(acme_);
  const std::string second = OpenMemo(acme_);
  OpenMemo(bolt_);
  Transaction tx = Begin({acme_.id});
  const auto all = ListMemos(tx, {}, std::nullopt, 10);
  ASSERT_THAT(all, IsOk());
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].id, second);
  const PageCursor cursor = {.created_at = (*all)[0].created_at,
                             .id = (*all)[0].id};
  EXPECT_EQ((*ListMemos(tx, {}, cursor, 10))[0].id, first);
  const std::string intent_id = (*all)[0].intent_id;
  EXPECT_EQ(ListMemos(tx, {.intent_id = intent_id}, std::nullopt, 10)->size(),
            1u);
  EXPECT_THAT(
      *ListMemos(tx, {.status = MemoStatus::kApproved}, std::nullopt, 10),
      IsEmpty());
  EXPECT_THAT(*ListMemos(tx, {.intent_type = "OTHER"}, std::nullopt, 10),
              IsEmpty());
}

TEST_F(MemosTest, AnotherTenantsMemoIsNotFound) {
  const std::string id = OpenMemo(bolt_);
  Transaction tx = Begin({acme_.id});
  EXPECT_THAT(GetMemo(tx, id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(LockMemo(tx, id), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(GetMemo(tx, "no id"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace sgl::storage
