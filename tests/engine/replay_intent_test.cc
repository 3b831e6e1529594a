// Proves that every decision can be taken again from what was recorded with
// it: after the rules, the payload and the facts changed, for each decision on
// an intent that was voted on or edited, for rows of SQL and for what is built
// in; that the recorded facts are a line that `sgl eval` decides alike; and
// that what was not recorded, or was tampered with, is said and never guessed.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/zone_loader.h"
#include "policy/policy.h"
#include "tests/engine/awaiting.h"
#include "tests/engine/policy_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::DecisionReplay;
using intent::v1::Intent;

std::string With(const std::string& rules) {
  return absl::StrCat(kPolicy, rules, "\n");
}

// Replays as a member of the first tenant.
std::vector<DecisionReplay> ReplaysOf(ServedEngine& served,
                                      const std::string& intent_id) {
  static int members = 0;
  PolicyCaller caller(served,
                      served.AddUser(absl::StrCat("m", ++members), "member"));
  const auto answer = caller.Replay(intent_id);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return {answer.response.replays().begin(), answer.response.replays().end()};
}

void ExpectSame(const std::vector<DecisionReplay>& replays) {
  for (const DecisionReplay& replay : replays) {
    EXPECT_EQ(replay.problem(), "");
    EXPECT_EQ(replay.differences_size(), 0) << replay.DebugString();
    EXPECT_EQ(replay.recorded().DebugString(), replay.replayed().DebugString());
  }
}

// Writes past all triggers and row security.
void Tamper(ServedEngine& served, const std::string& sql) {
  const auto done = served.database().Super().Run(
      absl::StrCat("SET session_replication_role = replica; ", sql,
                   "; SET session_replication_role = origin"));
  ASSERT_TRUE(done.ok()) << done.error;
}

TEST(ReplayIntentTest, TheRulesAndFactsOfThenDecide) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent posted = agent.MustSubmit("POST", R"({"text": "hi"})");
  const Intent launched = agent.MustSubmit("LAUNCH", "{}");
  served.SettleDrafts();
  // Since then other rules are active, and the agent is another.
  served.ActivatePolicy(
      With("block NO_POSTS on POST\n"
           "block UNKNOWN_AGENTS when agent.name != \"ATLAS\""));
  served.Value(
      "UPDATE agent_registry SET name = 'other', tier = 9 "
      "RETURNING 1");
  const auto replays = ReplaysOf(served, posted.id());
  ASSERT_EQ(replays.size(), 1u);
  ExpectSame(replays);
  EXPECT_EQ(replays[0].recorded().kind(), intent::v1::DECISION_KIND_ALLOW);
  EXPECT_EQ(replays[0].replayed().kind(), intent::v1::DECISION_KIND_ALLOW);
  EXPECT_EQ(replays[0].platform_digest(),
            replays[0].recorded().policy_digest());
  EXPECT_NE(replays[0].platform_digest(), ActiveDigest(served));
  EXPECT_GT(replays[0].recorded().decide_time().seconds(), 0);
  const auto blocked = ReplaysOf(served, launched.id());
  ASSERT_EQ(blocked.size(), 1u);
  ExpectSame(blocked);
  EXPECT_EQ(blocked[0].replayed().reasons(0).code(), "NO_LAUNCH");
}

TEST(ReplayIntentTest, EachDecisionOnItsOwnRevisionAndRules) {
  Awaiting test("WIRE", R"({"to": "first"})");
  Caller erin = test.User("erin", "compliance");
  Caller frank = test.User("frank", "owner");
  test.served.ActivatePolicy(
      With("review TO_SECOND on WIRE when payload.to == \"second\" risk 4"));
  auto edit = Caller::EditOf(test.memo);
  edit.set_payload(R"({"to": "second"})");
  edit.set_spend_micros_usd(kBigSpend + 1);
  ASSERT_TRUE(test.User("olga", "owner").Edit(edit).ok());
  test.Read();
  ASSERT_TRUE(erin.Approve(test.memo).ok());
  const auto approved = frank.Approve(test.memo);
  ASSERT_TRUE(approved.ok()) << approved.status.error_message();
  ASSERT_EQ(approved.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);

  const auto replays = ReplaysOf(test.served, test.intent.id());
  ASSERT_EQ(replays.size(), 3u);
  ExpectSame(replays);
  EXPECT_EQ(replays[0].revision(), 1);
  EXPECT_EQ(replays[1].revision(), 2);
  EXPECT_EQ(replays[2].revision(), 2);
  EXPECT_NE(replays[0].platform_digest(), replays[1].platform_digest());
  EXPECT_EQ(replays[0].replayed().risk_tier(), 3);
  EXPECT_EQ(replays[2].replayed().risk_tier(), 4);
  EXPECT_EQ(replays[0].replayed().within().seconds(), 24 * 3600);
  EXPECT_LT(replays[1].transition_number(), replays[2].transition_number());
}

TEST(ReplayIntentTest, TheFactsAreALineThatSglEvalDecidesAlike) {
  Awaiting test("WIRE", "{\n  \"to\": \"a\\nb\"\n}");
  const auto replays = ReplaysOf(test.served, test.intent.id());
  ASSERT_EQ(replays.size(), 1u);
  const std::string& text = replays[0].request();
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto line = RequestLine::Read(text);
  ASSERT_TRUE(line.ok()) << line.status() << text;
  const std::vector<SourceFile> sources = {{"policy.sgl", kPolicy}};
  const Compilation compilation =
      Compile(sources, LoadZones(ZonesNamed(sources)));
  const Decision decision = Evaluate(*compilation.program, line->request());
  EXPECT_EQ(decision.kind, DecisionKind::kReview);
  ASSERT_EQ(decision.reasons.size(),
            static_cast<size_t>(replays[0].recorded().reasons_size()));
  for (size_t i = 0; i < decision.reasons.size(); ++i) {
    const auto& recorded = replays[0].recorded().reasons(static_cast<int>(i));
    EXPECT_EQ(decision.reasons[i].code, recorded.code());
    EXPECT_EQ(decision.reasons[i].message, recorded.message());
  }
  EXPECT_EQ(decision.policy_digest, replays[0].recorded().policy_digest());
}

TEST(ReplayIntentTest, WhatABudgetHeldIsReadBack) {
  ServedEngine served(
      {.policy = With("block OVER when intent.spend > budget.remaining\n"
                      "review HALF when budget.used >= 0.5"),
       .executors = "executors { intent_type: 'POST' record {} }"
                    "spends { intent_type: 'POST' category: 'misc' }"});
  served.Value(absl::StrCat(
      "INSERT INTO budgets (tenant_id, name, category, limit_cents) VALUES ('",
      served.tenant().id, "', 'b', 'misc', 1000) RETURNING 1"));
  Caller agent = served.As(served.agent_token());
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(
        agent.MustSubmit("POST", R"({"text": "hi"})", 4'000'000).id());
  }
  EXPECT_EQ(served.SettleDrafts(), 3);
  EXPECT_EQ(served.Value("SELECT string_agg(DISTINCT sgl_result, ' ') "
                         "FROM intents"),
            "ALLOW BLOCK");
  std::string lines;
  for (const std::string& id : ids) {
    const auto replays = ReplaysOf(served, id);
    ExpectSame(replays);
    ASSERT_EQ(replays.size(), 1u);
    absl::StrAppend(&lines, replays[0].request(), "\n");
  }
  EXPECT_NE(lines.find(R"("budget":{"remaining_usd":2.000000,)"
                       R"("limit_usd":10.000000})"),
            std::string::npos)
      << lines;
}

TEST(ReplayIntentTest, RowsOfSqlAndWhatDidNotFit) {
  ServedEngine served({});
  std::vector<std::string> ids;
  for (const char* payload :
       {R"({"text": "hi", "spendUsd": 300.5, "requestedBy": "ann"})",
        R"({"text": "hi", "spendUsd": "much"})", "[1, 2]",
        R"({"text": "hi", "n": 12345678901234567890})"}) {
    ids.push_back(served.InsertBySql("POST", payload));
  }
  served.SettleDrafts();
  for (const std::string& id : ids) {
    SCOPED_TRACE(id);
    const auto replays = ReplaysOf(served, id);
    ASSERT_EQ(replays.size(), 1u);
    ExpectSame(replays);
  }
  const auto first = ReplaysOf(served, ids[0]);
  EXPECT_EQ(first[0].replayed().reasons(0).message(), "a spend of $300.50");
  const auto list = ReplaysOf(served, ids[2]);
  EXPECT_EQ(list[0].replayed().reasons(0).code(), "INVALID_PAYLOAD");
  EXPECT_EQ(list[0].request(), "");
}

TEST(ReplayIntentTest, TenantsLayersAndWhatNoLongerFits) {
  ServedEngine served({});
  PolicyCaller pat(served, served.AddUser("pat", "policy"));
  const auto activate = [&](const std::string& rules) {
    const auto done = pat.Activate(pat.MustPropose(absl::StrCat(
        "policy acme.own version 1\nlayer tenant \"acme\"\n", rules, "\n")));
    ASSERT_TRUE(done.ok()) << done.status.error_message();
  };
  Caller agent = served.As(served.agent_token());
  activate("block HERE on POST when payload.text == \"bad\"");
  const Intent own = agent.MustSubmit("POST", R"({"text": "bad"})");
  served.SettleDrafts();
  // The platform stops knowing POST, so the layer does not compile any more.
  served.ActivatePolicy("policy p version 1\ndefault allow\nintent OTHER {}\n");
  const Intent broken = agent.MustSubmit("OTHER", "{}");
  served.SettleDrafts();
  // The engine hears of what is active where it settles something.
  served.ActivatePolicy(kPolicy);
  agent.MustSubmit("POST", R"({"text": "good"})");
  served.SettleDrafts();
  activate("block ELSEWHERE on LAUNCH");

  const auto first = ReplaysOf(served, own.id());
  ASSERT_EQ(first.size(), 1u);
  ExpectSame(first);
  EXPECT_EQ(first[0].replayed().reasons(0).code(), "HERE");
  EXPECT_NE(first[0].layer_digest(), "");
  EXPECT_NE(first[0].platform_digest(), first[0].recorded().policy_digest());
  const auto second = ReplaysOf(served, broken.id());
  ASSERT_EQ(second.size(), 1u);
  ExpectSame(second);
  EXPECT_EQ(second[0].replayed().reasons(0).code(), "TENANT_POLICY_BROKEN");
}

TEST(ReplayIntentTest, WhatIsBuiltInIsReplayedToo) {
  ServedEngine served({});
  const std::string token = served.AddMember(kSystem, "ann", "policy");
  PolicyCaller ann(served, token);
  const Intent intent =
      ann.MustActivate(ann.MustPropose(With("block NO_POSTS on POST")));
  const auto answer = ann.Replay(intent.id());
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  ASSERT_EQ(answer.response.replays_size(), 1);
  EXPECT_EQ(answer.response.replays(0).differences_size(), 0)
      << answer.response.DebugString();
  EXPECT_EQ(answer.response.replays(0).replayed().policy_digest(),
            "built-in:1");
}

TEST(ReplayIntentTest, WhatWasNotRecordedIsSaidAndNotGuessed) {
  ServedEngine served({});
  PolicyCaller pat(served, served.AddUser("pat", "policy"));
  Caller agent = served.As(served.agent_token());
  const Intent old = agent.MustSubmit("POST", R"({"text": "hi"})");
  const Intent draft = [&] {
    served.SettleDrafts();
    return agent.MustSubmit("POST", R"({"text": "later"})");
  }();
  EXPECT_EQ(ReasonOf(pat.Replay(draft.id()).status), "NOT_DECIDED");
  Tamper(served, absl::StrCat("UPDATE audit_log SET meta = meta - "
                              "'platform_digest' WHERE entity_id = '",
                              old.id(), "'"));
  const auto answer = pat.Replay(old.id());
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(answer.status), "FACTS_NOT_RECORDED");
  EXPECT_EQ(answer.status.error_message(),
            "it was recorded before decisions kept all that the rules read, so "
            "this decision can't be replayed");
}

TEST(ReplayIntentTest, ASwappedPayloadAndAForgedDecisionAreTold) {
  ServedEngine served({});
  PolicyCaller pat(served, served.AddUser("pat", "policy"));
  Caller agent = served.As(served.agent_token());
  const Intent swapped = agent.MustSubmit("POST", R"({"text": "hi"})");
  const Intent forged = agent.MustSubmit("LAUNCH", "{}");
  served.SettleDrafts();
  Tamper(served, absl::StrCat("UPDATE intents SET payload_raw = "
                              "'{\"text\": \"ho\"}' WHERE id = '",
                              swapped.id(), "'"));
  Tamper(served, absl::StrCat("UPDATE audit_log SET meta = meta || "
                              "'{\"decision\": \"ALLOW\"}' WHERE entity_id = '",
                              forged.id(), "'"));
  EXPECT_EQ(pat.Replay(swapped.id()).status.error_message(),
            "the stored payload of revision 1 is not the one that was decided");
  const auto answer = pat.Replay(forged.id());
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  ASSERT_EQ(answer.response.replays(0).differences_size(), 1);
  EXPECT_EQ(answer.response.replays(0).differences(0),
            "decision: recorded ALLOW, replayed BLOCK");
}

TEST(ReplayIntentTest, AnotherTenantsIntentIsNotThere) {
  ServedEngine served({});
  Caller agent = served.As(served.agent_token());
  const Intent intent = agent.MustSubmit("POST", R"({"text": "hi"})");
  served.SettleDrafts();
  const SeededTenant other = served.database().Seed("other");
  PolicyCaller spy(served, served.AddMember(other.id, "spy", "policy"));
  EXPECT_EQ(ReasonOf(spy.Replay(intent.id()).status), "INTENT_NOT_FOUND");
  EXPECT_EQ(ReasonOf(spy.Replay("nonsense").status), "INTENT_NOT_FOUND");
}

// The engine's role sees a version of the platform that decided, and no other.
TEST(ReplayIntentTest, ProposedVersionsStayTheSystemTenants) {
  ServedEngine served({});
  PolicyCaller ann(served, served.AddMember(kSystem, "ann", "policy"));
  const std::string first = ActiveDigest(served);
  const std::string secret = ann.MustPropose(With("block SECRET on POST"));
  served.ActivatePolicy(With("block NO_POSTS on POST"));
  SqlConnection runtime(served.database().runtime_url());
  const auto count = [&](const std::string& digest) {
    return runtime.Value(absl::StrCat(
        "SELECT count(*) FROM once_active_policy('", digest, "')"));
  };
  EXPECT_EQ(count(first), "0");  // No tenant is set.
  ASSERT_TRUE(runtime
                  .Run(absl::StrCat("SET intent.tenants = '{",
                                    served.tenant().id, "}'"))
                  .ok());
  EXPECT_EQ(count(first), "1");
  EXPECT_EQ(count(ActiveDigest(served)), "1");
  EXPECT_EQ(count(secret), "0");
  // Nor can that role make it look as if it had been active.
  const auto forged = runtime.Run(absl::StrCat(
      "INSERT INTO audit_log (tenant_id, action, entity_type, entity_id) "
      "SELECT NULL, 'POLICY_ACTIVATED', 'policy', gen_random_uuid()"));
  EXPECT_EQ(forged.sqlstate, "42501") << forged.error;
}

}  // namespace
}  // namespace sgl::testing
