// Proves settlements against a real server: state, memo and entries come
// together or not at all, one faulty member can be told from its batch, and
// nothing is settled under a policy that was replaced meanwhile.

#include "storage/settlement.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/sha256.h"
#include "storage/audit.h"
#include "storage/intents.h"
#include "storage/memos.h"
#include "storage/policies.h"
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

constexpr char kDigest[] =
    "sha256:1111111111111111111111111111111111111111111111111111111111111111";
constexpr char kOtherDigest[] =
    "sha256:2222222222222222222222222222222222222222222222222222222222222222";

Settlement Executed(const IntentRow& row) {
  return {.intent_id = row.id,
          .tenant_id = row.tenant_id,
          .status = IntentStatus::kExecuted,
          .decision = R"({"decision":"ALLOW"})",
          .sgl_result = "ALLOW",
          .policy_digest = kDigest,
          .output = R"({"ok": "\"\\ {}"})",
          .audit = {{.action = "SGL_EVALUATED", .meta = R"({"a": "\\\""})"},
                    {.action = "ENGINE_EXECUTED_INTENT"}}};
}

Settlement Review(const IntentRow& row) {
  return {.intent_id = row.id,
          .tenant_id = row.tenant_id,
          .status = IntentStatus::kAwaitingHuman,
          .decision = R"({"decision":"REVIEW"})",
          .sgl_result = "REVIEW",
          .policy_digest = kDigest,
          .memo = MemoDraft{.id = NewUuid(),
                            .agent = "ATLAS",
                            .title = "Pay",
                            .rationale = "it's dear",
                            .estimated_cost_micros_usd = 1500000,
                            .risk_tier = 3,
                            .demands = R"([{"count":1,"roles":["owner"]}])",
                            .within = absl::Hours(1)},
          .audit = {{.action = "SGL_EVALUATED", .level = AuditLevel::kWarn},
                    {.action = "DECISION_MEMO_OPENED"}}};
}

Settlement Failed(const IntentRow& row) {
  return {.intent_id = row.id,
          .tenant_id = row.tenant_id,
          .status = IntentStatus::kFailed,
          .failure_reason = "CANCELED",
          .failure_message = "by test",
          .audit = {{.action = "INTENT_CANCELED"}}};
}

class SettlementTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Transaction tx = Begin();
    for (const char* digest : {kDigest, kOtherDigest}) {
      ASSERT_THAT(StorePolicy(tx, {.digest = digest}, "test"), IsOk());
    }
    ASSERT_THAT(ActivatePolicy(tx, kDigest, Activation::kFirstOnly, {}),
                IsOk());
    ASSERT_THAT(tx.Commit(), IsOk());
  }

  Transaction Begin(std::vector<std::string> tenants = {}) {
    auto tx = database_->runtime().Begin({.tenants = std::move(tenants)});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }

  // Replacing a policy without a vote is the tables' owner's alone.
  Transaction BeginDirect() {
    auto tx = database_->direct().Begin({});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }

  void InsertBySql(int count) {
    const auto inserted = database_->Owner().Run(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
        "SELECT '",
        acme_.id, "', '", acme_.agent, "', 'PAY', '{\"n\": 1}' ",
        "FROM generate_series(1, ", count, ")"));
    ASSERT_TRUE(inserted.ok()) << inserted.error;
  }

  std::vector<IntentRow> Claim(Transaction& tx) {
    auto claimed = ClaimDraftIntents(tx, 1000);
    EXPECT_THAT(claimed, IsOk());
    return *std::move(claimed);
  }

  // Whether another transaction is held up by ours before long.
  bool SomebodyWaitsForTheDigest() {
    const absl::Time deadline = absl::Now() + absl::Seconds(30);
    while (absl::Now() < deadline) {
      if (database_->Super().Value("SELECT count(*) FROM pg_locks "
                                   "WHERE locktype = 'advisory' "
                                   "AND NOT granted") != "0") {
        return true;
      }
    }
    return false;
  }

  std::vector<std::string> Actions(const std::string& id) {
    Transaction tx = Begin({acme_.id});
    std::vector<std::string> actions;
    int64_t number = 1;
    const auto entries = ListAudit(tx, "intent", id);
    EXPECT_THAT(entries, IsOk());
    for (const AuditRow& row : *entries) {
      EXPECT_EQ(row.transition_number, number++);
      actions.push_back(row.entry.action);
    }
    return actions;
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
};

TEST_F(SettlementTest, StateMemoAndEntriesComeTogether) {
  InsertBySql(3);
  Transaction tx = Begin();
  const std::vector<IntentRow> rows = Claim(tx);
  ASSERT_EQ(rows.size(), 3u);
  const Settlement review = Review(rows[1]);
  EXPECT_THAT(
      SettleIntents(tx, kDigest,
                    std::vector{Executed(rows[0]), review, Failed(rows[2])}),
      IsOk());
  EXPECT_THAT(tx.Commit(), IsOk());

  Transaction read = Begin({acme_.id});
  const auto executed = GetIntent(read, rows[0].id);
  ASSERT_THAT(executed, IsOk());
  EXPECT_EQ(executed->status, IntentStatus::kExecuted);
  EXPECT_EQ(executed->decision, R"({"decision":"ALLOW"})");
  EXPECT_EQ(executed->output, R"({"ok": "\"\\ {}"})");
  EXPECT_EQ(executed->policy_digest, kDigest);
  EXPECT_EQ(executed->transition_number, 2);
  EXPECT_THAT(Actions(rows[0].id),
              ElementsAre("SGL_EVALUATED", "ENGINE_EXECUTED_INTENT"));

  const auto waiting = GetIntent(read, rows[1].id);
  ASSERT_THAT(waiting, IsOk());
  EXPECT_EQ(waiting->status, IntentStatus::kAwaitingHuman);
  EXPECT_EQ(waiting->decision_memo_id, review.memo->id);
  const auto memo = GetMemo(read, review.memo->id);
  ASSERT_THAT(memo, IsOk());
  EXPECT_EQ(memo->intent_id, rows[1].id);
  EXPECT_EQ(memo->status, MemoStatus::kProposed);
  EXPECT_EQ(memo->estimated_cost_micros_usd, 1500000);
  EXPECT_EQ(memo->demands, R"([{"count":1,"roles":["owner"]}])");
  EXPECT_EQ(memo->rationale, "it's dear");
  ASSERT_TRUE(memo->expires_at.has_value());
  EXPECT_LT(
      absl::AbsDuration(*memo->expires_at - memo->created_at - absl::Hours(1)),
      absl::Minutes(1));

  const auto failed = GetIntent(read, rows[2].id);
  ASSERT_THAT(failed, IsOk());
  EXPECT_EQ(failed->failure_reason, "CANCELED");
  EXPECT_EQ(failed->failure_message, "by test");
  EXPECT_THAT(Actions(rows[2].id), ElementsAre("INTENT_CANCELED"));
}

TEST_F(SettlementTest, WhatIsBuiltInHeedsTheSwitchWithoutAPolicy) {
  InsertBySql(2);
  const auto settle = [&](const std::string& enabled) {
    Transaction tx = Begin();
    const std::vector<IntentRow> rows = Claim(tx);
    EXPECT_TRUE(
        database_->Super()
            .Run(absl::StrCat("INSERT INTO system_state (key, value) VALUES "
                              "('atlas_online', '{\"engine_enabled\": ",
                              enabled,
                              "}') ON CONFLICT (key) DO UPDATE SET value = "
                              "EXCLUDED.value"))
            .ok());
    Settlement built_in = Review(rows[0]);
    built_in.is_built_in = true;
    return SettleIntents(tx, "", std::vector{built_in, Failed(rows[1])});
  };
  EXPECT_THAT(settle("false"), StatusIs(absl::StatusCode::kAborted));
  database_->Super().Run("DELETE FROM system_state");
  // What fails beside it was decided under no policy, whichever is active.
  EXPECT_THAT(settle("true"), IsOk());
}

TEST_F(SettlementTest, AdoptionFillsInOnlyWhatWasNull) {
  database_->Owner().Run(absl::StrCat(
      "INSERT INTO intents (tenant_id, intent_type, payload, data_class) "
      "VALUES ('",
      acme_.id, "', 'PAY', '{\"n\": 1}', 'PHI')"));
  Transaction tx = Begin();
  const IntentRow row = Claim(tx)[0];
  EXPECT_FALSE(row.adopted);
  EXPECT_EQ(row.payload, R"({"n": 1})");
  Settlement settlement = Review(row);
  settlement.adoption = Adoption{.payload = row.payload,
                                 .payload_sha256 = Sha256Hex(row.payload),
                                 .spend_micros_usd = 7,
                                 .data_class = "PII",
                                 .requested_by = "bob"};
  EXPECT_THAT(SettleIntents(tx, kDigest, std::vector{settlement}), IsOk());
  const auto adopted = GetIntent(tx, row.id);
  ASSERT_THAT(adopted, IsOk());
  EXPECT_TRUE(adopted->adopted);
  EXPECT_EQ(adopted->payload, row.payload);
  EXPECT_EQ(adopted->spend_micros_usd, 7);
  EXPECT_EQ(adopted->data_class, "PHI");
  EXPECT_EQ(adopted->requested_by, "bob");
  // The memo binds to the hash that the adoption brought.
  EXPECT_EQ(GetMemo(tx, settlement.memo->id)->payload_sha256,
            Sha256Hex(row.payload));
}

TEST_F(SettlementTest, AReopenedMemoKeepsItsId) {
  InsertBySql(1);
  Transaction tx = Begin();
  const IntentRow row = Claim(tx)[0];
  const Settlement first = Review(row);
  ASSERT_THAT(SettleIntents(tx, kDigest, std::vector{first}), IsOk());
  Settlement again = Review(row);
  again.memo->demands = R"([{"count":2,"roles":[]}])";
  again.memo->within = std::nullopt;
  ASSERT_THAT(SettleIntents(tx, kDigest, std::vector{again}), IsOk());
  const auto memo = GetMemo(tx, first.memo->id);
  ASSERT_THAT(memo, IsOk());
  EXPECT_EQ(memo->demands, R"([{"count":2,"roles":[]}])");
  EXPECT_FALSE(memo->expires_at.has_value());
  EXPECT_THAT(GetMemo(tx, again.memo->id),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(GetIntent(tx, row.id)->decision_memo_id, first.memo->id);
}

TEST_F(SettlementTest, OneFaultyMemberIsFoundBySavepoints) {
  InsertBySql(3);
  Transaction tx = Begin();
  const std::vector<IntentRow> rows = Claim(tx);
  std::vector<Settlement> batch = {Executed(rows[0]), Executed(rows[1]),
                                   Executed(rows[2])};
  batch[1].sgl_result = "BLOCK";  // No authority for EXECUTED.
  const auto settle = [&](std::vector<Settlement> members) {
    return tx.InSavepoint([&] { return SettleIntents(tx, kDigest, members); });
  };
  EXPECT_THAT(settle(batch), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(settle({batch[0]}), IsOk());
  EXPECT_THAT(settle({batch[1]}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(settle({batch[2]}), IsOk());
  EXPECT_THAT(settle({Failed(rows[1])}), IsOk());
  EXPECT_THAT(tx.Commit(), IsOk());
  EXPECT_EQ(database_->Super().Value(
                "SELECT string_agg(status, ',' ORDER BY status) FROM intents"),
            "EXECUTED,EXECUTED,FAILED");
  EXPECT_EQ(Actions(rows[0].id).size(), 2u);
  EXPECT_EQ(Actions(rows[1].id).size(), 1u);
}

TEST_F(SettlementTest, AfterAFailureOnlyARollbackIsPossible) {
  InsertBySql(2);
  Transaction tx = Begin();
  const std::vector<IntentRow> rows = Claim(tx);
  Settlement gone = Failed(rows[1]);
  gone.intent_id = NewUuid();
  EXPECT_THAT(SettleIntents(tx, "", std::vector{Failed(rows[0]), gone}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(GetIntent(tx, rows[0].id), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(tx.Commit(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(database_->Super().Value(
                "SELECT count(*) FROM intents WHERE status = 'DRAFT'"),
            "2");
}

TEST_F(SettlementTest, FinalIsFinal) {
  InsertBySql(1);
  Transaction tx = Begin();
  const IntentRow row = Claim(tx)[0];
  ASSERT_THAT(SettleIntents(tx, kDigest, std::vector{Executed(row)}), IsOk());
  EXPECT_THAT(tx.InSavepoint([&] {
    return SettleIntents(tx, "", std::vector{Failed(row)});
  }),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(tx.Commit(), IsOk());
  // Nor by SQL, whoever asks.
  const auto changed = database_->Super().Run(
      "UPDATE intents SET status = 'FAILED', failure_reason = 'X'");
  EXPECT_EQ(changed.sqlstate, "23514") << changed.error;
}

TEST_F(SettlementTest, ImpossibleStatesAreRefusedByName) {
  InsertBySql(1);
  struct Case {
    const char* constraint;
    const char* set;
  };
  for (const Case& refused : std::vector<Case>{
           {"intents_failed_has_reason", "status = 'FAILED'"},
           {"intents_failed_has_reason", "failure_reason = 'X'"},
           {"intents_executed_has_authority", "status = 'EXECUTED'"},
           {"intents_blocked_has_decision", "status = 'BLOCKED_SGL'"},
           {"intents_awaiting_has_memo", "status = 'AWAITING_HUMAN'"},
           {"intents_status_known", "status = 'DONE'"},
           {"intents_decision_whole", "sgl_result = 'ALLOW'"},
           {"intents_spend_not_negative", "spend_micros_usd = -1"},
           {"intents_data_class_known", "data_class = 'pii'"},
           {"intents_payload_hashed", "payload_raw = '{}'"},
       }) {
    SCOPED_TRACE(refused.set);
    const auto result = database_->Super().Run(
        absl::StrCat("UPDATE intents SET ", refused.set));
    EXPECT_EQ(result.sqlstate, "23514");
    EXPECT_THAT(result.error, ::testing::HasSubstr(refused.constraint));
  }
}

TEST_F(SettlementTest, AReplacedPolicyMeansDecideAgain) {
  InsertBySql(1);
  {
    Transaction activate = BeginDirect();
    ASSERT_THAT(
        ActivatePolicy(activate, kOtherDigest, Activation::kReplace, {}),
        IsOk());
    ASSERT_THAT(activate.Commit(), IsOk());
  }
  Transaction tx = Begin();
  const IntentRow row = Claim(tx)[0];
  EXPECT_THAT(tx.InSavepoint([&] {
    return SettleIntents(tx, kDigest, std::vector{Executed(row)});
  }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(SettleIntents(tx, kOtherDigest, std::vector{Executed(row)}),
              IsOk());
}

TEST_F(SettlementTest, AnActivationWaitsForSettlementsInFlight) {
  InsertBySql(1);
  Transaction tx = Begin();
  const IntentRow row = Claim(tx)[0];
  ASSERT_THAT(SettleIntents(tx, kDigest, std::vector{Executed(row)}), IsOk());
  absl::Status activated = absl::UnknownError("not run");
  std::thread other([&] {
    Transaction activate = BeginDirect();
    activated =
        ActivatePolicy(activate, kOtherDigest, Activation::kReplace, {});
    if (activated.ok()) activated = activate.Commit();
  });
  EXPECT_TRUE(SomebodyWaitsForTheDigest());
  Transaction read = Begin();
  EXPECT_EQ(*GetActiveDigest(read), kDigest);
  EXPECT_THAT(tx.Commit(), IsOk());
  other.join();
  EXPECT_THAT(activated, IsOk());
  EXPECT_EQ(*GetActiveDigest(read), kOtherDigest);
}

TEST_F(SettlementTest, ASettlementReadsTheDigestAfterItsLock) {
  // It waits for an activation under way, and must then see what that one did,
  // not what was active when it began.
  InsertBySql(1);
  Transaction activate = BeginDirect();
  ASSERT_THAT(ActivatePolicy(activate, kOtherDigest, Activation::kReplace, {}),
              IsOk());
  absl::Status settled = absl::OkStatus();
  std::thread other([&] {
    Transaction tx = Begin();
    const IntentRow row = Claim(tx)[0];
    settled = SettleIntents(tx, kDigest, std::vector{Executed(row)});
  });
  EXPECT_TRUE(SomebodyWaitsForTheDigest());
  EXPECT_THAT(activate.Commit(), IsOk());
  other.join();
  EXPECT_THAT(settled, StatusIs(absl::StatusCode::kAborted));
}

TEST_F(SettlementTest, AWholeBatchSettlesInOneCall) {
  InsertBySql(kBatchIntentsMax);
  Transaction tx = Begin();
  std::vector<Settlement> batch;
  for (const IntentRow& row : Claim(tx)) {
    batch.push_back(batch.size() % 2 == 0 ? Executed(row) : Review(row));
  }
  ASSERT_EQ(batch.size(), static_cast<size_t>(kBatchIntentsMax));
  EXPECT_THAT(SettleIntents(tx, kDigest, batch), IsOk());
  EXPECT_THAT(tx.Commit(), IsOk());
  EXPECT_EQ(database_->Super().Value("SELECT count(*) FROM decision_memos"),
            "500");
  EXPECT_EQ(database_->Super().Value(
                "SELECT count(*) FROM audit_log WHERE entity_type = 'intent'"),
            "2000");
  batch.push_back(batch[0]);
  Transaction more = Begin({acme_.id});
  EXPECT_THAT(SettleIntents(more, kDigest, batch),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(SettleIntents(more, kDigest, std::vector{batch[0], batch[0]}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace sgl::storage
