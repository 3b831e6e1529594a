// Proves escalation: where nobody voted on a memo's revision in time, the
// demands that name a role accept another too, once, on record, by the
// database's clock, and no further than the tenant's own rules say.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/escalations.h"
#include "storage/escalations.h"
#include "tests/engine/awaiting.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

// Sets a rule of the engine's tenant: after an hour.
void SetRule(ServedEngine& served, const std::string& from,
             const std::string& to, const std::string& tenant_id) {
  auto tx = served.database().direct().Begin({.tenants = {tenant_id}});
  ASSERT_TRUE(tx.ok()) << tx.status();
  const absl::Status set = storage::SetEscalationRule(
      *tx, tenant_id,
      {.from_role = from, .to_role = to, .after = absl::Hours(1)});
  ASSERT_TRUE(set.ok()) << set;
  ASSERT_TRUE(tx->Commit().ok());
}

// A WIRE that waits for two of compliance and owner, which legal joins after
// an hour.
struct Escalating : Awaiting {
  Escalating() : Awaiting("WIRE", R"({"to": "x"})") {
    SetRule(served, "compliance", "legal", served.tenant().id);
  }

  int Sweep() {
    const absl::StatusOr<int> count =
        engine::EscalateDueMemos(served.engine().db(), 100);
    EXPECT_TRUE(count.ok()) << count.status();
    return count.value_or(-1);
  }
};

TEST(EscalationTest, AnotherRoleVotesWhenNobodyDid) {
  Escalating test;
  Caller lena = test.User("lena", "legal");
  EXPECT_EQ(test.Sweep(), 0);
  test.served.SetClockAhead("59 minutes");
  EXPECT_EQ(test.Sweep(), 0);
  EXPECT_EQ(ReasonOf(lena.Approve(test.memo).status), "ROLE_MISSING");
  test.served.SetClockAhead("61 minutes");
  EXPECT_EQ(test.Sweep(), 1);
  EXPECT_EQ(test.Sweep(), 0);
  test.Read();
  ASSERT_EQ(test.memo.escalations_size(), 1);
  EXPECT_EQ(test.memo.escalations(0).from_role(), "compliance");
  EXPECT_EQ(test.memo.escalations(0).to_role(), "legal");
  bool is_named = false;
  for (const auto& demand : test.memo.demands()) {
    for (const auto& role : demand.roles()) is_named |= role == "legal";
  }
  EXPECT_TRUE(is_named);
  // The policy's demands stay as they were.
  EXPECT_EQ(test.served.Value("SELECT demands::text LIKE '%legal%' FROM "
                              "decision_memos"),
            "f");
  ASSERT_TRUE(lena.Approve(test.memo).ok());
  // Decided again, under demands that don't name legal: it still counts.
  const auto last = test.User("olga", "owner").Approve(test.memo);
  ASSERT_TRUE(last.ok()) << last.status.error_message();
  EXPECT_EQ(last.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(test.served.Actions(test.intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_ESCALATED DECISION_MEMO_APPROVED SGL_EVALUATED "
            "ENGINE_EXECUTED_INTENT");
}

TEST(EscalationTest, ItSurvivesNewDemands) {
  Escalating test;
  test.served.SetClockAhead("61 minutes");
  ASSERT_EQ(test.Sweep(), 1);
  test.served.ActivatePolicy(absl::StrCat(
      kPolicy, "review MORE on WIRE approvals 3 from compliance, owner\n"));
  ASSERT_TRUE(test.User("lena", "legal").Approve(test.memo).ok());
  const auto second = test.User("olga", "owner").Approve(test.memo);
  EXPECT_EQ(second.response.intent().status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  const auto third = test.User("luke", "legal").Approve(test.memo);
  ASSERT_TRUE(third.ok()) << third.status.error_message();
  EXPECT_EQ(third.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(EscalationTest, OneVoteIsEnoughToWait) {
  Escalating test;
  ASSERT_TRUE(test.User("olga", "owner").Approve(test.memo).ok());
  test.served.SetClockAhead("2 hours");
  EXPECT_EQ(test.Sweep(), 0);
}

TEST(EscalationTest, ANewRevisionStartsOver) {
  Escalating test;
  test.served.SetClockAhead("61 minutes");
  ASSERT_EQ(test.Sweep(), 1);
  auto edit = Caller::EditOf(test.memo);
  edit.set_payload(R"({"to": "y"})");
  ASSERT_TRUE(test.User("olga", "owner").Edit(edit).ok());
  test.Read();
  EXPECT_EQ(test.memo.escalations_size(), 0);
  EXPECT_EQ(test.Sweep(), 0);
  EXPECT_EQ(ReasonOf(test.User("lena", "legal").Approve(test.memo).status),
            "ROLE_MISSING");
  test.served.SetClockAhead("123 minutes");
  EXPECT_EQ(test.Sweep(), 1);
  EXPECT_EQ(test.served.Value("SELECT string_agg(revision::text, ' ' ORDER BY "
                              "revision) FROM memo_escalations"),
            "1 2");
}

TEST(EscalationTest, WhatIsNotMeantIsLeftAlone) {
  Escalating test;
  // A demand without a role, and one of another role.
  test.agent.MustSubmit("POST", R"({"text": "hi"})", kBigSpend);
  auto health = Caller::Request("POST", R"({"text": "hi"})");
  health.set_data_class(intent::v1::DATA_CLASS_PHI);
  ASSERT_TRUE(test.agent.Submit(health).ok());
  test.served.SettleDrafts();
  // A rule of another tenant.
  const SeededTenant other = test.served.database().Seed("other");
  SetRule(test.served, "privacy", "legal", other.id);
  test.served.SetClockAhead("2 hours");
  EXPECT_EQ(test.Sweep(), 1);
  EXPECT_EQ(test.served.Value("SELECT memo_id FROM memo_escalations"),
            test.memo.id());
  // One rule sets off no other.
  SetRule(test.served, "legal", "board", test.served.tenant().id);
  EXPECT_EQ(test.Sweep(), 0);
}

TEST(EscalationTest, WhatIsOverIsNotEscalated) {
  {
    Escalating test;
    test.served.SetClockAhead("25 hours");
    EXPECT_EQ(test.Sweep(), 0);
  }
  Escalating test;
  ASSERT_TRUE(test.agent.Cancel(test.intent.id()).ok());
  test.served.SetClockAhead("2 hours");
  EXPECT_EQ(test.Sweep(), 0);
}

TEST(EscalationTest, RulesAreSetListedAndRemovedOnRecord) {
  ServedEngine served({});
  const std::string& tenant = served.tenant().id;
  SetRule(served, "a", "b", tenant);
  SetRule(served, "a", "b", tenant);
  SetRule(served, "a", "c", tenant);
  auto tx = served.database().direct().Begin({.tenants = {tenant}});
  ASSERT_TRUE(tx.ok());
  auto rules = storage::ListEscalationRules(*tx, tenant);
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ(rules->size(), 2u);
  EXPECT_TRUE(storage::RemoveEscalationRule(*tx, tenant,
                                            {.from_role = "a", .to_role = "b"})
                  .ok());
  EXPECT_EQ(storage::RemoveEscalationRule(*tx, tenant,
                                          {.from_role = "a", .to_role = "b"})
                .code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(storage::ListEscalationRules(*tx, tenant)->size(), 1u);
  ASSERT_TRUE(tx->Commit().ok());
  EXPECT_EQ(served.Value("SELECT string_agg(action, ' ' ORDER BY created_at) "
                         "FROM audit_log WHERE action LIKE 'ESCALATION_%'"),
            "ESCALATION_RULE_SET ESCALATION_RULE_SET ESCALATION_RULE_SET "
            "ESCALATION_RULE_REMOVED");
  EXPECT_EQ(served.Value("SELECT string_agg(DISTINCT actor_external_id, ' ') "
                         "FROM audit_log WHERE action LIKE 'ESCALATION_%'"),
            "sql:intent_owner");
  // The engine itself makes no rules, and writes no escalation but by the
  // function that knows them.
  SqlConnection runtime(served.database().runtime_url());
  runtime.Run(absl::StrCat("SET intent.tenants = '{", tenant, "}'"));
  EXPECT_EQ(runtime.Run("SELECT * FROM escalation_rules").sqlstate, "42501");
  EXPECT_EQ(runtime
                .Run("INSERT INTO memo_escalations (tenant_id, memo_id, "
                     "revision, from_role, to_role) VALUES (gen_random_uuid"
                     "(), gen_random_uuid(), 1, 'a', 'b')")
                .sqlstate,
            "42501");
}

}  // namespace
}  // namespace sgl::testing
