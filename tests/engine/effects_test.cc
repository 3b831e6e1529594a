// Proves the effects that are built in, through gRPC and on PostgreSQL: each
// does what it says, one that is refused fails alone, no row of another tenant
// is reached, and what an intent may not do leaves no trace.

#include "storage/effects.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "engine/effects/registry.h"
#include "intent/v1/intent.pb.h"
#include "tests/engine/awaiting.h"
#include "tests/engine/effect_cases.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::Intent;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kMine[] = "00000000-0000-4000-8000-00000000000a";
constexpr char kTheirs[] = "00000000-0000-4000-8000-00000000000b";

// Names every type and says of none what it has for its payload, so that the
// effect alone judges it.
std::string OpenPolicy() {
  std::string policy = R"sgl(
policy test.effects version 1
layer platform
default allow
intent * {}
review BIG_SPEND when intent.spend >= $250 risk 2
)sgl";
  for (const EffectCase& one : kEffectCases) {
    absl::StrAppend(&policy, "intent ", one.intent_type, " {}\n");
  }
  return policy;
}

class EffectsTest : public ::testing::Test {
 protected:
  EffectsTest() {
    Seed(served_.tenant().id, kMine);
    bolt_ = served_.database().Seed("bolt");
    Seed(bolt_.id, kTheirs);
  }

  void Seed(const std::string& tenant, const std::string& id) {
    const auto seeded = served_.database().Super().Run(
        absl::StrReplaceAll(kSeedRows, {{"$TENANT", tenant}, {"$ID", id}}));
    ASSERT_TRUE(seeded.ok()) << seeded.error;
  }

  static std::string With(absl::string_view text, absl::string_view mine,
                          absl::string_view id = "") {
    return absl::StrReplaceAll(text, {{"$MINE", mine}, {"$ID", id}});
  }

  // Submits and settles one.
  Intent Settled(const std::string& type, const std::string& payload) {
    const Intent draft = agent_.MustSubmit(type, payload);
    EXPECT_EQ(served_.SettleDrafts(), 1);
    return agent_.MustGet(draft.id());
  }

  void ExpectRefused(const Intent& intent, absl::string_view message) {
    EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_FAILED);
    EXPECT_EQ(intent.failure_reason(), "EFFECT_REFUSED");
    EXPECT_EQ(intent.failure_message(), message);
    EXPECT_EQ(intent.output(), "");
    EXPECT_EQ(served_.Actions(intent.id()),
              "INTENT_SUBMITTED SGL_EVALUATED ENGINE_FAILED");
  }

  // A digest of all that a tenant has in the tables that effects write.
  std::string Everything(const std::string& tenant) {
    std::set<std::string> tables;
    for (const engine::EffectDecl& decl : effects_.decls()) {
      for (const absl::string_view table : decl.tables) {
        tables.insert(std::string(table));
      }
    }
    std::string all;
    for (const std::string& table : tables) {
      absl::StrAppend(
          &all, table, " ",
          served_.Value(absl::StrCat(
              "SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM ",
              table, " AS t WHERE ", table == "tenants" ? "id" : "tenant_id",
              " = '", tenant, "'")),
          "\n");
    }
    return all;
  }

  ServedEngine served_{{.policy = OpenPolicy()}};
  Caller agent_ = served_.As(served_.agent_token());
  SeededTenant bolt_;
  const engine::EffectRegistry effects_;
};

TEST_F(EffectsTest, EachHasAStatementAndACase) {
  std::vector<std::string> declared;
  for (const engine::EffectDecl& decl : effects_.decls()) {
    declared.emplace_back(decl.intent_type);
  }
  std::sort(declared.begin(), declared.end());
  EXPECT_THAT(storage::EffectTypes(), ElementsAreArray(declared));
  std::vector<std::string> tested;
  for (const EffectCase& one : kEffectCases) tested.push_back(one.intent_type);
  std::sort(tested.begin(), tested.end());
  EXPECT_THAT(tested, ElementsAreArray(declared));
}

TEST_F(EffectsTest, EachIsDoneAndOneThatIsRefusedFailsAlone) {
  const std::string bolt_before = Everything(bolt_.id);
  for (const EffectCase& one : kEffectCases) {
    SCOPED_TRACE(one.intent_type);
    const engine::EffectDecl* decl = effects_.Find(one.intent_type);
    ASSERT_NE(decl, nullptr);
    const std::string refused =
        agent_.MustSubmit(one.intent_type, With(one.refused_payload, kMine))
            .id();
    const std::string good =
        agent_.MustSubmit(one.intent_type, With(one.payload, kMine)).id();
    const std::string recorded = agent_.MustSubmit("NOTE", "{}").id();
    EXPECT_EQ(served_.SettleDrafts(), 3);
    EXPECT_EQ(agent_.MustGet(recorded).status(),
              intent::v1::INTENT_STATUS_EXECUTED);
    ExpectRefused(agent_.MustGet(refused), one.refusal);

    const Intent intent = agent_.MustGet(good);
    ASSERT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED)
        << intent.failure_reason() << ": " << intent.failure_message();
    EXPECT_EQ(served_.Actions(good),
              "INTENT_SUBMITTED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
    const nlohmann::json output = nlohmann::json::parse(intent.output());
    ASSERT_EQ(output.size(), decl->output.size()) << intent.output();
    for (const absl::string_view member : decl->output) {
      EXPECT_TRUE(output.contains(std::string(member))) << intent.output();
    }
    const std::string id = output.begin()->get<std::string>();
    EXPECT_EQ(served_.Value(With(one.query, kMine, id)),
              With(one.answer, kMine));
  }
  EXPECT_EQ(Everything(bolt_.id), bolt_before);
}

TEST_F(EffectsTest, ARowOfAnotherTenantIsNotThere) {
  const std::string bolt_before = Everything(bolt_.id);
  int reached_for = 0;
  for (const EffectCase& one : kEffectCases) {
    const engine::EffectDecl* decl = effects_.Find(one.intent_type);
    if (decl->missing.empty() ||
        With(one.payload, kMine) == With(one.payload, kTheirs)) {
      continue;
    }
    SCOPED_TRACE(one.intent_type);
    ++reached_for;
    ExpectRefused(Settled(one.intent_type, With(one.payload, kTheirs)),
                  decl->missing);
  }
  EXPECT_GE(reached_for, 10);
  EXPECT_EQ(Everything(bolt_.id), bolt_before);
}

TEST_F(EffectsTest, OtherTenantsOfTheSameBatchAreServedEachWithItsOwn) {
  const std::string payload =
      R"({"email": "ann@x.example", "first_name": "$"})";
  std::vector<std::string> ids;
  for (const SeededTenant& tenant : {served_.tenant(), bolt_}) {
    ids.push_back(served_.Value(absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
        "VALUES ('",
        tenant.id, "', '", tenant.agent, "', 'CRM_CONTACT_UPSERT', '",
        absl::StrReplaceAll(payload, {{"$", tenant.slug}}),
        "') RETURNING id")));
  }
  EXPECT_EQ(served_.SettleDrafts(), 2);
  EXPECT_EQ(served_.Value("SELECT string_agg(t.slug || ' ' || c.first_name, "
                          "', ' ORDER BY t.slug) FROM crm_contacts AS c "
                          "JOIN tenants AS t ON t.id = c.tenant_id"),
            "acme acme, bolt bolt");
  EXPECT_EQ(served_.Value(absl::StrCat(
                "SELECT count(*) FROM intents WHERE status = 'EXECUTED' AND "
                "id IN ('",
                absl::StrJoin(ids, "', '"), "')")),
            "2");
}

TEST_F(EffectsTest, APayloadThatDoesNotFitNamesItsField) {
  struct Bad {
    const char* type;
    const char* payload;
    const char* message;
  };
  for (const Bad& bad : {
           Bad{"TICKET_OPEN",
               R"({"title": "t", "description": "d", "category": "BUG"})",
               "`payload.severity` is missing; it is declared `enum(LOW, "
               "MEDIUM, HIGH, BLOCKER)`"},
           Bad{"TICKET_STATUS_CHANGE",
               R"({"ticket_id": "$MINE", "status": "closed"})",
               "`payload.status` is none of OPEN, TRIAGED, IN_PROGRESS, "
               "CLOSED"},
           Bad{"LEDGER_ENTRY_POST",
               R"({"entry_type": "debit", "category": "misc",
                   "amount_cents": "5", "currency": "EUR"})",
               "`payload.amount_cents` is a string where `int` is declared"},
           Bad{"KB_DOCUMENT_UPDATE", R"({"document_id": "$MINE", "boddy": ""})",
               "give at least one of `title`, `slug`, `body`"},
       }) {
    SCOPED_TRACE(bad.payload);
    const Intent intent = Settled(bad.type, With(bad.payload, kMine));
    EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_FAILED);
    EXPECT_EQ(intent.failure_reason(), "INVALID_PAYLOAD");
    EXPECT_EQ(intent.failure_message(), bad.message);
  }
}

TEST_F(EffectsTest, SeveralOfABatchMayMeanOneRow) {
  std::vector<std::string> ids;
  for (const char* status : {"TRIAGED", "IN_PROGRESS", "CLOSED"}) {
    ids.push_back(
        agent_
            .MustSubmit("TICKET_STATUS_CHANGE",
                        absl::StrCat(R"({"ticket_id": ")", kMine,
                                     R"(", "status": ")", status, "\"}"))
            .id());
    ids.push_back(
        agent_.MustSubmit("CRM_CONTACT_UPSERT", R"({"email": "bo@x.example"})")
            .id());
  }
  EXPECT_EQ(served_.SettleDrafts(), 6);
  for (const std::string& id : ids) {
    EXPECT_EQ(agent_.MustGet(id).status(), intent::v1::INTENT_STATUS_EXECUTED);
  }
  // In their order: the last one's word holds.
  EXPECT_EQ(served_.Value(absl::StrCat(
                "SELECT status FROM tickets WHERE id = '", kMine, "'")),
            "CLOSED");
  EXPECT_EQ(served_.Value("SELECT count(*) FROM crm_contacts "
                          "WHERE email = 'bo@x.example'"),
            "1");
}

TEST_F(EffectsTest, OneOfManyIsFoundAndTheOthersAreDone) {
  for (int i = 0; i < 40; ++i) {
    agent_.MustSubmit(
        "KB_DOCUMENT_CREATE",
        absl::StrCat(R"({"title": "t", "body": "", "slug": ")",
                     i == 23 ? "home" : absl::StrCat("s", i), "\"}"));
  }
  EXPECT_EQ(served_.SettleDrafts(), 40);
  EXPECT_EQ(served_.Value("SELECT count(*) FROM intents "
                          "WHERE status = 'EXECUTED'"),
            "39");
  EXPECT_EQ(served_.Value("SELECT payload ->> 'slug' FROM intents "
                          "WHERE failure_reason = 'EFFECT_REFUSED'"),
            "home");
}

TEST_F(EffectsTest, AnApprovedEffectIsDoneOrRefusedAndTheVoteStays) {
  const std::string erin = served_.AddUser("erin", "member");
  for (const bool is_there : {true, false}) {
    SCOPED_TRACE(is_there);
    const Intent draft =
        agent_.MustSubmit("TICKET_COMMENT",
                          absl::StrCat(R"({"body": "b", "ticket_id": ")",
                                       is_there ? kMine : kTheirs, "\"}"),
                          kBigSpend);
    served_.SettleDrafts();
    const auto memo =
        agent_.MustGetMemo(agent_.MustGet(draft.id()).decision_memo_id());
    const auto approved = served_.As(erin).Approve(memo);
    ASSERT_TRUE(approved.ok()) << approved.status.error_message();
    EXPECT_EQ(approved.response.decision_memo().status(),
              intent::v1::MEMO_STATUS_APPROVED);
    const Intent intent = agent_.MustGet(draft.id());
    if (is_there) {
      EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED);
      EXPECT_THAT(intent.output(), HasSubstr("comment_id"));
    } else {
      EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_FAILED);
      EXPECT_EQ(intent.failure_message(), kNoTicket);
    }
    EXPECT_EQ(served_.Value(absl::StrCat("SELECT count(*) FROM approvals "
                                         "WHERE intent_id = '",
                                         draft.id(), "'")),
              "1");
  }
  EXPECT_EQ(served_.Value("SELECT count(*) FROM ticket_comments"), "1");
}

TEST_F(EffectsTest, NothingIsDoneForAnIntentThatCannotBeSettled) {
  const auto made = served_.database().Super().Run(
      "CREATE FUNCTION refuse_stuck() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN IF OLD.title = 'stuck' AND NEW.status = 'EXECUTED' THEN "
      "RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; "
      "CREATE TRIGGER refuse_stuck BEFORE UPDATE ON intents "
      "FOR EACH ROW EXECUTE FUNCTION refuse_stuck()");
  ASSERT_TRUE(made.ok()) << made.error;
  const std::string payload =
      R"({"title": "$", "description": "", "severity": "LOW",)"
      R"( "category": "UX"})";
  intent::v1::SubmitIntentRequest stuck = Caller::Request(
      "TICKET_OPEN", absl::StrReplaceAll(payload, {{"$", "stuck"}}));
  stuck.set_title("stuck");
  const auto submitted = agent_.Submit(stuck);
  ASSERT_TRUE(submitted.ok()) << submitted.status.error_message();
  agent_.MustSubmit("TICKET_OPEN",
                    absl::StrReplaceAll(payload, {{"$", "good"}}));
  EXPECT_EQ(served_.SettleDrafts(), 2);
  EXPECT_EQ(agent_.MustGet(submitted.response.intent().id()).failure_reason(),
            "SETTLEMENT_REFUSED");
  EXPECT_EQ(served_.Value("SELECT string_agg(title, ' ') FROM tickets "
                          "WHERE title <> 't'"),
            "good");
}

TEST_F(EffectsTest, EveryConstraintSaysWhatWouldFit) {
  std::set<std::string> tables;
  for (const engine::EffectDecl& decl : effects_.decls()) {
    for (const absl::string_view table : decl.tables) {
      tables.insert(absl::StrCat("'", table, "'::regclass"));
    }
  }
  const std::string in = absl::StrJoin(tables, ", ");
  // Primary keys are made here, and a tenant is the intent's own.
  const SqlResult silent = served_.database().Super().Run(absl::StrCat(
      "SELECT c.conname FROM pg_constraint AS c WHERE c.conrelid IN (", in,
      ") AND c.contype IN ('c', 'f', 'u') "
      "AND c.conname !~ '_tenant_fkey$|_tenant_id_key$' "
      "AND obj_description(c.oid, 'pg_constraint') IS NULL "
      "UNION ALL SELECT r.relname FROM pg_index AS i "
      "JOIN pg_class AS r ON r.oid = i.indexrelid WHERE i.indrelid IN (",
      in,
      ") AND i.indisunique AND NOT EXISTS (SELECT FROM pg_constraint AS k "
      "WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u')) "
      "AND obj_description(r.oid, 'pg_class') IS NULL"));
  ASSERT_TRUE(silent.ok()) << silent.error;
  EXPECT_THAT(silent.rows, IsEmpty());
}

TEST(UnnamedEffectTest, WhatOnlyAWildcardLetsThroughFails) {
  ServedEngine served({.policy = "policy test.open version 1\n"
                                 "layer platform\ndefault allow\n"
                                 "intent * {}\n"});
  Caller agent = served.As(served.agent_token());
  const auto intent =
      agent.MustSubmit("MEMBER_ROLE_CHANGE",
                       absl::StrCat(R"({"user_id": ")", served.tenant().dave,
                                    R"(", "role": "owner"})"));
  const auto other = agent.MustSubmit("ANYTHING", "{}");
  EXPECT_EQ(served.SettleDrafts(), 2);
  EXPECT_EQ(agent.MustGet(intent.id()).failure_reason(), "TYPE_NOT_NAMED");
  EXPECT_EQ(agent.MustGet(other.id()).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(served.Value(absl::StrCat(
                "SELECT role FROM tenant_members WHERE user_id = '",
                served.tenant().dave, "'")),
            "member");
}

TEST(ConnectedTest, RulesSeeWhatATenantIsConnectedTo) {
  ServedEngine served({.policy = R"sgl(
policy test.connected version 1
layer platform
default allow
intent POST { text: string }
intent INTEGRATION_CONNECT {}
block NOT_CONNECTED on POST when not connected("crm")
)sgl"});
  Caller agent = served.As(served.agent_token());
  const auto outcome = [&](const std::string& type,
                           const std::string& payload) {
    const auto intent = agent.MustSubmit(type, payload);
    EXPECT_EQ(served.SettleDrafts(), 1);
    return agent.MustGet(intent.id()).status();
  };
  EXPECT_EQ(outcome("POST", R"({"text": "1"})"),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  EXPECT_EQ(outcome("INTEGRATION_CONNECT",
                    R"({"provider": "crm", "scopes": ["read"]})"),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(outcome("POST", R"({"text": "2"})"),
            intent::v1::INTENT_STATUS_EXECUTED);
}

// The switch holds from the end of the transaction on: an agent's own last
// intents are on record, and none holds its batch up.
TEST_F(EffectsTest, AnAgentSwitchesItselfOff) {
  const std::string self = served_.Value(
      absl::StrCat("SELECT id FROM agent_registry WHERE tenant_id = '",
                   served_.tenant().id, "' AND name = 'ATLAS'"));
  const std::string last =
      agent_
          .MustSubmit("AGENT_SWITCH_OFF",
                      absl::StrCat(R"({"agent_id": ")", self,
                                   R"(", "reason": "enough"})"))
          .id();
  const std::string beside =
      agent_.MustSubmit("TENANT_RENAME", R"({"name": "y"})").id();
  EXPECT_EQ(served_.SettleDrafts(), 2);
  for (const std::string& id : {last, beside}) {
    const Intent intent = agent_.MustGet(id);
    EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED)
        << intent.failure_message();
  }
  const Intent next = agent_.MustSubmit("TENANT_RENAME", R"({"name": "x"})");
  EXPECT_EQ(served_.SettleDrafts(), 0);
  EXPECT_EQ(agent_.MustGet(next.id()).status(),
            intent::v1::INTENT_STATUS_DRAFT);
  EXPECT_EQ(served_.Value("SELECT count(*) FROM audit_log WHERE action = "
                          "'KILL_SWITCH_SET'"),
            "1");
}

}  // namespace
}  // namespace sgl::testing
