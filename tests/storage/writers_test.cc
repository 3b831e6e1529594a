// Proves what existing writers can't do with SQL, be it a role that was adopted
// or the tables' owner: make outcomes, swap what was decided on, cast votes, or
// hand in payloads past the engine's bounds. And that they go on as before.

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "storage/intents.h"
#include "storage/memos.h"
#include "storage/migrator.h"
#include "storage/settlement.h"
#include "storage/submissions.h"
#include "storage/uuid.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::SqlResult;
using ::sgl::testing::TestDatabase;
using ::testing::AnyOf;
using ::testing::IsEmpty;

constexpr char kPayload[] = R"({"to": "alice"})";

class WritersTest : public ::testing::Test {
 protected:
  WritersTest() {
    database_->Super().Run("CREATE ROLE old_writer LOGIN");
    EXPECT_THAT(AdoptWriter(database_->direct_url(), "old_writer"), IsOk());
    std::string url = database_->direct_url();
    const std::string owner = "intent_owner";
    url.replace(url.find(owner), owner.size(), "old_writer");
    writer_ = std::make_unique<SqlConnection>(url);
  }
  ~WritersTest() override {
    writer_.reset();
    database_->Super().Run("DROP OWNED BY old_writer");
  }

  // An adopted role, and the owner, who is adopted too.
  std::vector<SqlConnection*> Writers() {
    return {writer_.get(), &database_->Owner()};
  }

  std::string Value(const std::string& sql) {
    return database_->Super().Value(sql);
  }

  // A DRAFT that came over gRPC; returns its id.
  std::string Submit(const std::string& request_id) {
    auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
    EXPECT_THAT(tx, IsOk());
    const auto inserted =
        InsertIntent(*tx, {.tenant_id = acme_.id,
                           .agent_id = acme_.agent,
                           .principal_id = acme_.agent,
                           .request_id = request_id,
                           .body_sha256 = "b",
                           .intent_type = "PAY",
                           .payload = kPayload,
                           .payload_sha256 = Sha256Hex(kPayload),
                           .submitted_by_token = acme_.agent_token,
                           .audit = {.action = "INTENT_SUBMITTED"}});
    EXPECT_THAT(inserted, IsOk());
    EXPECT_THAT(tx->Commit(), IsOk());
    return inserted->row.id;
  }

  // Settles it as REVIEW; returns the memo's id.
  std::string OpenMemo(const std::string& intent_id) {
    auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
    EXPECT_THAT(tx, IsOk());
    const Settlement review = {
        .intent_id = intent_id,
        .tenant_id = acme_.id,
        .status = IntentStatus::kAwaitingHuman,
        .decision = "{}",
        .sgl_result = "REVIEW",
        .policy_digest = "sha256:0",
        .memo = MemoDraft{.id = NewUuid(), .agent = "ATLAS"},
        .audit = {{.action = "DECISION_MEMO_OPENED"}}};
    EXPECT_THAT(SettleIntents(*tx, "", std::vector{review}), IsOk());
    const auto row = GetIntent(*tx, intent_id);
    EXPECT_THAT(row, IsOk());
    EXPECT_THAT(tx->Commit(), IsOk());
    return row->decision_memo_id;
  }

  // Fails the test unless every writer is refused, by its rights or by a
  // trigger.
  void ExpectRefused(const std::string& sql) {
    for (SqlConnection* writer : Writers()) {
      SCOPED_TRACE(sql);
      const SqlResult result = writer->Run(sql);
      EXPECT_THAT(result.sqlstate, AnyOf("42501", "23514")) << result.error;
    }
  }

  void ExpectDone(const std::string& sql) {
    for (SqlConnection* writer : Writers()) {
      SCOPED_TRACE(sql);
      const SqlResult result = writer->Run(sql);
      EXPECT_TRUE(result.ok()) << result.error;
    }
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  std::unique_ptr<SqlConnection> writer_;
};

TEST_F(WritersTest, DraftsAreHandedInAndWithdrawnAsBefore) {
  ExpectDone(absl::StrCat(
      "INSERT INTO intents (tenant_id, agent_id, intent_type, payload, "
      "sgl_result, status, created_at, spend_micros_usd) VALUES ('",
      acme_.id, "', '", acme_.agent,
      "', 'PAY', '{}', NULL, 'DRAFT', now(), 5)"));
  ExpectDone(
      "UPDATE intents SET payload = '{\"n\": 2}', status = 'DRAFT', "
      "title = 'x'");
  EXPECT_EQ(Value("SELECT count(*) FROM intents WHERE title = 'x'"), "2");
  ExpectDone("DELETE FROM intents");
  ExpectDone(absl::StrCat(
      "INSERT INTO decision_memos (tenant_id, agent, title, status) VALUES ('",
      acme_.id, "', 'a', 't', 'APPROVED')"));
  ExpectDone("UPDATE decision_memos SET status = 'REJECTED'");
  ExpectDone(
      absl::StrCat("INSERT INTO approvals (tenant_id, intent_type, "
                   "payload_hash, approved_by) VALUES ('",
                   acme_.id, "', 'PAY', 'h', '", acme_.dave, "')"));
  ExpectDone("DELETE FROM approvals");
}

TEST_F(WritersTest, NoOutcomeIsMadeWithSql) {
  const std::string id = Submit("r1");
  for (const char* change : {
           "status = 'EXECUTED', sgl_result = 'ALLOW', decision = '{}', "
           "policy_digest = 'x'",
           "status = 'FAILED', failure_reason = 'x'",
           "status = 'VALIDATING'",
           "payload_raw = '{}', payload_sha256 = repeat('0', 64), revision = 2",
           "edited_by = NULL, submitted_by_token = NULL",
           "payload = '{}'",
           "requested_by = 'mallory'",
           "rationale = 'all is well'",
           "created_at = '2020-01-01'",
       }) {
    ExpectRefused(
        absl::StrCat("UPDATE intents SET ", change, " WHERE id = '", id, "'"));
  }
  // What the table's owner says of these is passed over.
  for (const char* change : {"transition_number = 5", "revision = 2"}) {
    const std::string update = absl::StrCat("UPDATE intents SET ", change);
    EXPECT_EQ(writer_->Run(update).sqlstate, "42501");
    EXPECT_TRUE(database_->Owner().Run(update).ok());
  }
  EXPECT_EQ(Value("SELECT transition_number || ' ' || revision FROM intents"),
            "1 1");
  OpenMemo(id);
  ExpectRefused("UPDATE intents SET rationale = 'all is well'");
  ExpectRefused("UPDATE intents SET status = 'EXECUTED'");
  ExpectRefused("DELETE FROM intents");
  EXPECT_EQ(Value("SELECT status FROM intents"), "AWAITING_HUMAN");
}

TEST_F(WritersTest, AMemoOfTheEnginesIsNotChangedWithSql) {
  OpenMemo(Submit("r1"));
  for (const char* change : {
           "demands = '[]', title = 'x'",
           "status = 'APPROVED', resolution = 'APPROVED', resolved_at = now()",
           "revision = 2",
           "payload_sha256 = repeat('0', 64)",
           "expires_at = now()",
           "opened_at = '2020-01-01'",
           "policy_digest = NULL",
           "rationale = 'all is well'",
       }) {
    // The owner and the other are both refused, whatever columns they may set.
    ExpectRefused(absl::StrCat("UPDATE decision_memos SET ", change));
  }
  ExpectRefused("DELETE FROM decision_memos");
}

TEST_F(WritersTest, NoVoteIsCastWithSql) {
  const std::string id = Submit("r1");
  const std::string memo = OpenMemo(id);
  const std::string vote = absl::StrCat(
      "INSERT INTO approvals (tenant_id, intent_type, payload_hash, "
      "approved_by, memo_id, intent_id, revision) VALUES ('",
      acme_.id, "', 'PAY', '", Sha256Hex(kPayload), "', '", acme_.dave, "', ");
  ExpectRefused(absl::StrCat(vote, "'", memo, "', '", id, "', 1)"));
  ExpectRefused(absl::StrCat(vote, "'", memo, "', NULL, 1)"));
  ExpectRefused(absl::StrCat(vote, "NULL, '", id, "', 1)"));
  ExpectDone(
      absl::StrCat("INSERT INTO approvals (tenant_id, intent_type, "
                   "payload_hash, approved_by) VALUES ('",
                   acme_.id, "', 'PAY', 'h', '", acme_.dave, "')"));
  ExpectRefused(absl::StrCat("UPDATE approvals SET memo_id = '", memo,
                             "', intent_id = '", id, "'"));
  // Nor is one taken back.
  auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
  ASSERT_THAT(tx, IsOk());
  ASSERT_THAT(InsertVote(*tx, {.memo_id = memo, .approved_by = acme_.carol}),
              IsOk());
  ASSERT_THAT(tx->Commit(), IsOk());
  ExpectRefused("DELETE FROM approvals WHERE memo_id IS NOT NULL");
  ExpectRefused(
      "UPDATE approvals SET expires_at = now() WHERE memo_id IS NOT NULL");
}

// As by whoever got past all of that.
TEST_F(WritersTest, OnlyVotesOnTheMemosIntentAndPayloadCount) {
  const std::string id = Submit("r1");
  const std::string memo = OpenMemo(id);
  const auto forge = [&](const std::string& hash, const std::string& intent) {
    const SqlResult forged = database_->Super().Run(absl::StrCat(
        "DELETE FROM approvals; INSERT INTO approvals (tenant_id, intent_type, "
        "payload_hash, approved_by, memo_id, intent_id) VALUES ('",
        acme_.id, "', 'PAY', '", hash, "', '", acme_.dave, "', '", memo, "', ",
        intent, ")"));
    EXPECT_TRUE(forged.ok()) << forged.error;
    auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
    EXPECT_THAT(tx, IsOk());
    const auto votes = Votes(*tx, memo);
    EXPECT_THAT(votes, IsOk());
    return votes->size();
  };
  const std::string quoted = absl::StrCat("'", id, "'");
  EXPECT_EQ(forge(Sha256Hex(kPayload), quoted), 1u);
  EXPECT_EQ(forge("not a hash", quoted), 0u);
  EXPECT_EQ(forge(Sha256Hex(kPayload), "NULL"), 0u);
  EXPECT_EQ(forge(Sha256Hex(kPayload), absl::StrCat("'", Submit("r2"), "'")),
            0u);
}

TEST_F(WritersTest, TheExactTextOfAPayloadIsNotTheirsToSay) {
  const std::string forged = absl::StrCat(
      "INSERT INTO intents (tenant_id, intent_type, payload, payload_raw, "
      "payload_sha256, transition_number, submitted_by_token) VALUES ('",
      acme_.id, "', 'PAY', '{\"to\": \"bob\"}', ");
  // Who was adopted has no right to these columns; for the owner they are
  // ignored, so that the engine reads the payload itself.
  const SqlResult refused =
      writer_->Run(absl::StrCat(forged, "'{}', repeat('0', 64), 1, NULL)"));
  EXPECT_EQ(refused.sqlstate, "42501") << refused.error;
  const SqlResult ignored = database_->Owner().Run(
      absl::StrCat(forged, "repeat('x', 100000000), repeat('0', 64), 1, '",
                   acme_.agent_token, "')"));
  ASSERT_TRUE(ignored.ok()) << ignored.error;
  EXPECT_EQ(Value("SELECT count(*) FROM intents WHERE payload_raw IS NULL AND "
                  "payload_sha256 IS NULL AND transition_number = 0 AND "
                  "submitted_by_token IS NULL"),
            "1");
  auto tx = database_->runtime().Begin({});
  ASSERT_THAT(tx, IsOk());
  const auto claimed = ClaimDraftIntents(*tx, 10);
  ASSERT_THAT(claimed, IsOk());
  ASSERT_EQ(claimed->size(), 1u);
  EXPECT_FALSE((*claimed)[0].adopted);
  EXPECT_EQ((*claimed)[0].payload, R"({"to": "bob"})");
  // Not even who may say it says more than the engine reads.
  const SqlResult large = database_->Super().Run(
      absl::StrCat(forged, "repeat('x', 262145), repeat('0', 64), 1, NULL)"));
  EXPECT_EQ(large.sqlstate, "23514") << large.error;
}

TEST_F(WritersTest, AdoptingAgainTakesTheWholeTableRightsOfBefore) {
  for (const char* table : {"intents", "decision_memos", "approvals"}) {
    ASSERT_TRUE(database_->Super()
                    .Run(absl::StrCat("GRANT ALL ON ", table, " TO old_writer"))
                    .ok());
  }
  ASSERT_THAT(AdoptWriter(database_->direct_url(), "old_writer"), IsOk());
  EXPECT_EQ(Value("SELECT string_agg(table_name || '.' || column_name, ' ') "
                  "FROM information_schema.column_privileges "
                  "WHERE grantee = 'old_writer' "
                  "AND privilege_type IN ('INSERT', 'UPDATE') "
                  "AND (column_name IN ('revision', 'payload_raw', 'memo_id', "
                  "'demands', 'transition_number', 'policy_digest'))"),
            "");
}

}  // namespace
}  // namespace sgl::storage
