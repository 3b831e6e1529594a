// Proves that the platform's active policy changes by two approvals of the
// system tenant's people and in no other way: whatever policy is active or
// none, whoever asks, whatever is forged in the database, however many
// activations and settlements run at once.

#include "engine/policy_activation.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <gtest/gtest.h>

#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/database.h"
#include "storage/uuid.h"
#include "tests/engine/policy_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::DecisionMemo;
using intent::v1::Intent;

std::string With(const std::string& rules) {
  return absl::StrCat(kPolicy, rules, "\n");
}

// An engine with people of the system tenant: ann, bob and cy hold the role
// `policy`, mia does not.
struct Platform {
  explicit Platform(const ServedEngine::Options& options = {})
      : served(options) {
    for (const char* name : {"ann", "bob", "cy"}) {
      tokens.push_back(served.AddMember(kSystem, name, "policy"));
    }
  }

  PolicyCaller Policy(int person) {
    return PolicyCaller(served, tokens[static_cast<size_t>(person)]);
  }
  Caller Voter(int person) {
    return served.As(tokens[static_cast<size_t>(person)]);
  }
  DecisionMemo Memo(const Intent& intent) {
    return Voter(1).MustGetMemo(intent.decision_memo_id());
  }
  // ann proposes and asks.
  Intent Ask(const std::string& text) {
    return Policy(0).MustActivate(Policy(0).MustPropose(text));
  }
  Intent Approve(int person, const Intent& intent) {
    const auto answer = Voter(person).Approve(Memo(intent));
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    return answer.response.intent();
  }
  Intent ApproveByTwo(const Intent& intent) {
    EXPECT_EQ(Approve(1, intent).status(),
              intent::v1::INTENT_STATUS_AWAITING_HUMAN);
    return Approve(2, intent);
  }
  std::string Entries(const std::string& columns) {
    return served.Value(absl::StrCat("SELECT coalesce(string_agg(", columns,
                                     ", ';' ORDER BY created_at), '') FROM "
                                     "audit_log WHERE tenant_id IS NULL AND "
                                     "action = 'POLICY_ACTIVATED'"));
  }
  // Writes past all triggers and row security.
  void Tamper(const std::string& sql) {
    auto& super = served.database().Super();
    const auto done =
        super.Run(absl::StrCat("SET session_replication_role = replica; ", sql,
                               "; SET session_replication_role = origin"));
    ASSERT_TRUE(done.ok()) << done.error;
  }
  std::string InsertBySql(const std::string& payload) {
    return served.Value(absl::StrCat(
        "INSERT INTO intents (tenant_id, intent_type, payload) "
        "VALUES ('",
        kSystem, "', 'SGL_POLICY_ACTIVATE', '", payload, "') RETURNING id"));
  }

  ServedEngine served;
  std::vector<std::string> tokens;
};

void ExpectBuiltIn(const Intent& intent) {
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  EXPECT_EQ(intent.decision().kind(), intent::v1::DECISION_KIND_REVIEW);
  EXPECT_EQ(intent.decision().policy_digest(), "built-in:1");
  ASSERT_EQ(intent.decision().demands_size(), 1);
  EXPECT_EQ(intent.decision().demands(0).count(), 2);
  ASSERT_EQ(intent.decision().demands(0).roles_size(), 1);
  EXPECT_EQ(intent.decision().demands(0).roles(0), "policy");
}

TEST(PolicyActivationTest, TwoApprovalsActivate) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  Intent intent = test.Ask(With("block NO_POSTS on POST"));
  ExpectBuiltIn(intent);
  EXPECT_EQ(ActiveDigest(test.served), before);
  intent = test.ApproveByTwo(intent);
  EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED);
  const std::string after = ActiveDigest(test.served);
  EXPECT_NE(after, before);
  EXPECT_EQ(test.Entries("concat_ws(' ', level, meta ->> 'digest', "
                         "meta ->> 'replaced', meta ->> 'intent_id', "
                         "actor_type)"),
            absl::StrCat("warn ", before, " system;security ", after, " ",
                         before, " ", intent.id(), " user"));
  EXPECT_EQ(test.served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_APPROVED SGL_EVALUATED ENGINE_EXECUTED_INTENT");
  // It holds at once.
  Caller agent = test.served.As(test.served.agent_token());
  const Intent post = agent.MustSubmit("POST", R"({"text": "hi"})");
  test.served.SettleDrafts();
  EXPECT_EQ(agent.MustGet(post.id()).status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  const auto version = test.Policy(0).Get("");
  EXPECT_EQ(version.response.policy().digest(), after);
  EXPECT_EQ(version.response.policy().intent_id(), intent.id());
}

TEST(PolicyActivationTest, OnePersonIsNotTwo) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const Intent intent = test.Ask(With("block NO_POSTS on POST"));
  test.Approve(1, intent);
  EXPECT_EQ(ReasonOf(test.Voter(1).Approve(test.Memo(intent)).status),
            "ALREADY_VOTED");
  EXPECT_EQ(ActiveDigest(test.served), before);
  EXPECT_EQ(test.Voter(0).MustGet(intent.id()).status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
}

TEST(PolicyActivationTest, WhoProposedOrAskedCannotVote) {
  Platform test;
  const std::string digest =
      test.Policy(0).MustPropose(With("block NO_POSTS on POST"));
  const Intent intent = test.Policy(1).MustActivate(digest);
  for (const int person : {0, 1}) {
    const auto answer = test.Voter(person).Approve(test.Memo(intent));
    EXPECT_EQ(ReasonOf(answer.status), "SELF_APPROVAL") << person;
  }
  EXPECT_EQ(test.Approve(2, intent).status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
}

TEST(PolicyActivationTest, OnlyHoldersOfTheRoleInTheSystemTenant) {
  Platform test;
  const Intent intent = test.Ask(With("block NO_POSTS on POST"));
  const DecisionMemo memo = test.Memo(intent);
  const std::string mia = test.served.AddMember(kSystem, "mia", "member");
  EXPECT_EQ(ReasonOf(test.served.As(mia).Approve(memo).status), "ROLE_MISSING");
  EXPECT_EQ(ReasonOf(PolicyCaller(test.served, mia)
                         .Activate(intent.decision().policy_digest())
                         .status),
            "ROLE_MISSING");
  EXPECT_EQ(ReasonOf(PolicyCaller(test.served, mia).Propose(With("")).status),
            "ROLE_MISSING");
  // The same role elsewhere is another one.
  const std::string eve = test.served.AddUser("eve", "policy");
  EXPECT_EQ(test.served.As(eve).Approve(memo).status.error_code(),
            grpc::StatusCode::NOT_FOUND);
  PolicyCaller policies(test.served, eve);
  EXPECT_EQ(
      ReasonOf(
          policies.Propose(With(""), intent::v1::POLICY_SCOPE_PLATFORM).status),
      "NOT_SYSTEM_TENANT");
  intent::v1::ActivatePolicyRequest request;
  request.set_request_id(storage::NewUuid());
  request.set_scope(intent::v1::POLICY_SCOPE_PLATFORM);
  request.set_digest(test.served.Value(
      "SELECT digest FROM policies ORDER BY created_at DESC LIMIT 1"));
  EXPECT_EQ(ReasonOf(policies.Activate(request).status), "NOT_SYSTEM_TENANT");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM approvals"), "0");
}

TEST(PolicyActivationTest, NeitherLentNorEscalatedRolesVote) {
  Platform test;
  Caller mia = test.served.As(test.served.AddMember(kSystem, "mia", "member"));
  Caller oda = test.served.As(test.served.AddMember(kSystem, "oda", "ops"));
  const Intent intent = test.Ask(With("block NO_POSTS on POST"));
  test.Tamper(absl::StrCat(
      "INSERT INTO approval_delegations (tenant_id, from_user_id, to_user_id, "
      "starts_at, ends_at, reason, created_by) SELECT '",
      kSystem,
      "', cy.id, mia.id, now() - interval '1 hour', now() + interval '1 hour', "
      "'away', cy.id FROM app_users AS cy, app_users AS mia "
      "WHERE cy.name = 'cy' AND mia.name = 'mia'; "
      "INSERT INTO memo_escalations (tenant_id, memo_id, revision, from_role, "
      "to_role) VALUES ('",
      kSystem, "', '", intent.decision_memo_id(), "', 1, 'policy', 'ops')"));
  EXPECT_EQ(ReasonOf(mia.Approve(test.Memo(intent)).status), "ROLE_MISSING");
  EXPECT_EQ(ReasonOf(oda.Approve(test.Memo(intent)).status), "ROLE_MISSING");
  // A vote by lent roles, however it came in, ends nothing: the activation
  // waits for the second who holds the role, and does not fail for want of it.
  test.Tamper(absl::StrCat(
      "INSERT INTO approvals (tenant_id, intent_type, payload_hash, "
      "approved_by, memo_id, intent_id, roles, delegation_ids) SELECT "
      "i.tenant_id, i.intent_type, i.payload_sha256, d.to_user_id, "
      "i.decision_memo_id, i.id, '{}', ARRAY[d.id] FROM intents AS i, "
      "approval_delegations AS d WHERE i.id = '",
      intent.id(), "'"));
  EXPECT_EQ(test.Approve(1, intent).status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  EXPECT_EQ(test.Approve(2, intent).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(PolicyActivationTest, AnOperatorOfTheSystemTenantAsksAndDoesNotVote) {
  Platform test;
  const std::string operator_token =
      test.served.AddToken(storage::PrincipalKind::kOperator, "", kSystem);
  PolicyCaller policies(test.served, operator_token);
  const Intent intent = policies.MustActivate(
      policies.MustPropose(With("block NO_POSTS on POST")));
  const auto vote = test.served.As(operator_token).Approve(test.Memo(intent));
  EXPECT_EQ(ReasonOf(vote.status), "WRONG_PRINCIPAL_KIND");
  EXPECT_EQ(test.ApproveByTwo(intent).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
}

TEST(PolicyActivationTest, NowhereElseIsItMoreThanABlock) {
  // A policy that lets everything pass, and an executor for every type.
  Platform test({.policy = "policy p version 1\ndefault allow\nintent * {}\n"});
  const std::string before = ActiveDigest(test.served);
  const std::string digest =
      test.Policy(0).MustPropose(With("block NO_POSTS on POST"));
  const std::string payload = absl::StrCat(
      R"({"digest": ")", digest, R"(", "replaces": ")", before, "\"}");
  Caller agent = test.served.As(test.served.agent_token());
  const Intent submitted = agent.MustSubmit("SGL_POLICY_ACTIVATE", payload);
  const std::string by_sql =
      test.served.InsertBySql("SGL_POLICY_ACTIVATE", payload);
  test.served.SettleDrafts();
  for (const std::string& id : {submitted.id(), by_sql}) {
    const Intent intent = agent.MustGet(id);
    EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
    ASSERT_EQ(intent.decision().reasons_size(), 1);
    EXPECT_EQ(intent.decision().reasons(0).code(), "UNKNOWN_INTENT_TYPE");
  }
  EXPECT_EQ(ActiveDigest(test.served), before);
}

TEST(PolicyActivationTest, ARowBySqlGetsTheSameReview) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const std::string digest =
      test.Policy(0).MustPropose(With("block NO_POSTS on POST"));
  const std::string id = test.InsertBySql(absl::StrCat(
      R"({"digest": ")", digest, R"(", "replaces": ")", before, "\"}"));
  const std::string malformed = test.InsertBySql(R"({"digest": 7})");
  test.served.SettleDrafts();
  EXPECT_EQ(test.Voter(0).MustGet(malformed).status(),
            intent::v1::INTENT_STATUS_BLOCKED_SGL);
  const Intent intent = test.Voter(0).MustGet(id);
  ExpectBuiltIn(intent);
  EXPECT_EQ(ReasonOf(test.Voter(0).Approve(test.Memo(intent)).status),
            "SELF_APPROVAL");
  EXPECT_EQ(test.ApproveByTwo(intent).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(ActiveDigest(test.served), digest);
}

TEST(PolicyActivationTest, NoPolicyLoosensOrBlocksIt) {
  for (const char* rules :
       {"policy p version 1\ndefault allow\nintent * {}\n"
        "allow ALL\n",
        "policy p version 1\ndefault block\nintent * {}\n"
        "block ALL\n",
        "policy p version 1\ndefault review\nintent SGL_POLICY_ACTIVATE "
        "{ digest: string }\nreview MANY approvals 9 from nobody\n"}) {
    SCOPED_TRACE(rules);
    Platform test({.policy = rules});
    Intent intent = test.Ask(kPolicy);
    ExpectBuiltIn(intent);
    intent = test.ApproveByTwo(intent);
    EXPECT_EQ(intent.status(), intent::v1::INTENT_STATUS_EXECUTED);
  }
}

TEST(PolicyActivationTest, ItNeedsNoActivePolicy) {
  Platform test({.policy = ""});
  const std::string digest = test.Policy(0).MustPropose(kPolicy);
  const std::string by_sql = test.InsertBySql(
      absl::StrCat(R"({"digest": ")", digest, R"(", "replaces": ""})"));
  EXPECT_EQ(test.served.SettleDrafts(), 1);
  ExpectBuiltIn(test.Voter(0).MustGet(by_sql));
  const Intent intent = test.Policy(0).MustActivate(digest);
  EXPECT_EQ(test.ApproveByTwo(intent).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_EQ(ActiveDigest(test.served), digest);
  Caller agent = test.served.As(test.served.agent_token());
  EXPECT_TRUE(agent.Submit(Caller::Request("POST", R"({"text": "hi"})")).ok());
}

TEST(PolicyActivationTest, ABrokenActivePolicyIsReplacedLikeAnyOther) {
  Platform test({.policy = ""});
  test.Tamper(
      "INSERT INTO policies (digest, sources) VALUES "
      "('sha256:' || repeat('0', 64), "
      "'[{\"name\": \"a.sgl\", \"text\": \"no policy\"}]'); "
      "INSERT INTO active_policies (policy_id) SELECT id FROM policies");
  EXPECT_FALSE(test.served.engine().policies().Reload().ok());
  const Intent intent = test.Ask(kPolicy);
  EXPECT_EQ(test.ApproveByTwo(intent).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_NE(test.served.engine().policies().active(), nullptr);
}

// The broken set is active, then another, then the broken one again: whatever
// was active between, nothing is decided under it any more.
TEST(PolicyActivationTest, ABrokenPolicyThatComesBackLeavesNoneActive) {
  Platform test;
  engine::Policies& policies = test.served.engine().policies();
  Caller agent = test.served.As(test.served.agent_token());
  const auto activate = [&](const std::string& which) {
    test.Tamper(
        "DELETE FROM active_policies WHERE tenant_id IS NULL; "
        "INSERT INTO active_policies (policy_id) SELECT id FROM policies "
        "WHERE tenant_id IS NULL AND digest " +
        which);
    return policies.Reload();
  };
  const std::string broken = "= 'sha256:' || repeat('0', 64)";
  const std::string sound = "<> 'sha256:' || repeat('0', 64)";
  test.Tamper(
      "INSERT INTO policies (digest, sources) VALUES "
      "('sha256:' || repeat('0', 64), "
      "'[{\"name\": \"a.sgl\", \"text\": \"no policy\"}]')");
  EXPECT_FALSE(activate(broken).ok());
  EXPECT_EQ(policies.active(), nullptr);
  EXPECT_TRUE(activate(sound).ok());
  EXPECT_NE(policies.active(), nullptr);
  const std::string waiting =
      agent.MustSubmit("POST", R"({"text": "x"})", 300'000'000).id();
  test.served.SettleDrafts();
  // A vote is the first to hear of it, and is told how it is.
  test.Tamper(
      "UPDATE active_policies SET policy_id = (SELECT id FROM policies WHERE "
      "digest " +
      broken + ") WHERE tenant_id IS NULL");
  const auto vote = test.served.As(test.served.AddUser("erin", "owner"))
                        .Approve(agent.MustGetMemo(
                            agent.MustGet(waiting).decision_memo_id()));
  EXPECT_EQ(vote.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(ReasonOf(vote.status), "NO_ACTIVE_POLICY");
  EXPECT_EQ(policies.active(), nullptr);
  EXPECT_EQ(ReasonOf(agent.Submit(Caller::Request("POST", "{}")).status),
            "NO_ACTIVE_POLICY");
}

TEST(PolicyActivationTest, WhatFailsItsTestsIsRefused) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const struct {
    std::string rules;
    const char* why;
  } kCases[] = {
      {"test \"posts pass\" { given { intent: { type: POST, payload: "
       "{ text: \"a\" } } } expect block }",
       "this version can't be activated: 1 of its 1 test fails"},
  };
  for (const auto& refused : kCases) {
    SCOPED_TRACE(refused.why);
    const auto proposed = test.Policy(0).Propose(With(refused.rules));
    ASSERT_TRUE(proposed.ok()) << proposed.status.error_message();
    EXPECT_NE(proposed.response.policy().report().obstacle(), "");
    const std::string digest = proposed.response.policy().digest();
    const auto answer = test.Policy(0).Activate(digest);
    EXPECT_EQ(ReasonOf(answer.status), "POLICY_REFUSED");
    EXPECT_EQ(answer.status.error_message(), refused.why);
    // Nor by way of a row that nobody checked.
    const std::string id = test.InsertBySql(absl::StrCat(
        R"({"digest": ")", digest, R"(", "replaces": ")", before, "\"}"));
    test.served.SettleDrafts();
    const Intent ended = test.ApproveByTwo(test.Voter(0).MustGet(id));
    EXPECT_EQ(ended.status(), intent::v1::INTENT_STATUS_FAILED);
    EXPECT_EQ(ended.failure_reason(), "EFFECT_REFUSED");
  }
  EXPECT_EQ(ActiveDigest(test.served), before);
}

TEST(PolicyActivationTest, WhatThisEngineNeverCheckedIsCheckedByTheVote) {
  // Nobody asked this engine for its activation, which checks it otherwise.
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const auto voted = [&](const std::string& rules) {
    const std::string digest = test.Policy(0).MustPropose(With(rules));
    const std::string id = test.InsertBySql(absl::StrCat(
        R"({"digest": ")", digest, R"(", "replaces": ")", before, "\"}"));
    test.served.SettleDrafts();
    return test.ApproveByTwo(test.Voter(0).MustGet(id));
  };
  const Intent failing =
      voted("test \"t\" { given { intent: { type: LAUNCH } } expect allow }");
  EXPECT_EQ(failing.failure_reason(), "EFFECT_REFUSED");
  EXPECT_EQ(failing.failure_message().find("1 of its 1 test fails"), 0u)
      << failing.failure_message();
  EXPECT_EQ(ActiveDigest(test.served), before);
  EXPECT_EQ(voted("block NO_POSTS on POST").status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  EXPECT_NE(ActiveDigest(test.served), before);
}

TEST(PolicyActivationTest, FilesSwappedAfterTheProposalAreFound) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const Intent intent = test.Ask(With("block NO_POSTS on POST"));
  const std::string digest = test.served.Value(
      "SELECT digest FROM policies ORDER BY created_at DESC LIMIT 1");
  test.Tamper(absl::StrCat(
      "UPDATE policies SET sources = '[{\"name\": \"new.sgl\", \"text\": "
      "\"policy evil version 1\\ndefault allow\\nintent * {}\\n\"}]' WHERE "
      "digest = '",
      digest, "'"));
  const Intent ended = test.ApproveByTwo(intent);
  EXPECT_EQ(ended.status(), intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(ended.failure_reason(), "EFFECT_REFUSED");
  EXPECT_EQ(ended.failure_message().find(
                "the stored files are not those of the digest"),
            0u);
  EXPECT_EQ(ActiveDigest(test.served), before);
  EXPECT_EQ(test.served.Actions(intent.id()),
            "INTENT_SUBMITTED SGL_EVALUATED DECISION_MEMO_OPENED "
            "DECISION_MEMO_APPROVED SGL_EVALUATED ENGINE_FAILED");
}

TEST(PolicyActivationTest, ARejectionEndsIt) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const Intent intent = test.Ask(With("block NO_POSTS on POST"));
  test.Approve(1, intent);
  const auto answer = test.Voter(2).Reject(test.Memo(intent), "too strict");
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.intent().failure_reason(), "HUMAN_REJECTED");
  EXPECT_EQ(ActiveDigest(test.served), before);
}

TEST(PolicyActivationTest, VotesAreForOneChange) {
  // What was approved replaces what was active then, and nothing else.
  Platform test;
  const Intent strict = test.Ask(With("block NO_POSTS on POST"));
  const Intent lax = test.Ask(With("allow POSTS on POST"));
  EXPECT_EQ(test.ApproveByTwo(strict).status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  const std::string active = ActiveDigest(test.served);
  const Intent late = test.ApproveByTwo(lax);
  EXPECT_EQ(late.status(), intent::v1::INTENT_STATUS_FAILED);
  EXPECT_EQ(late.failure_reason(), "EFFECT_REFUSED");
  EXPECT_EQ(ActiveDigest(test.served), active);
}

TEST(PolicyActivationTest, LooserDemandsInTheMemoDoNotHelp) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const Intent intent = test.Ask(With("block NO_POSTS on POST"));
  test.Tamper(
      "UPDATE decision_memos SET demands = "
      "'[{\"count\": 1, \"roles\": []}]'");
  const Intent after = test.Approve(1, intent);
  ExpectBuiltIn(after);
  EXPECT_EQ(test.Memo(intent).demands(0).count(), 2);
  EXPECT_EQ(ActiveDigest(test.served), before);
}

TEST(PolicyActivationTest, TheEnginesOwnRoleCannotGetPastTheVotes) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const Intent intent = test.Ask(With("block NO_POSTS on POST"));
  test.Approve(1, intent);
  const std::string digest = test.served.Value(
      "SELECT digest FROM policies ORDER BY created_at DESC LIMIT 1");
  SqlConnection runtime(test.served.database().runtime_url());
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", kSystem, "}'")).ok());
  const auto forced =
      runtime.Run(absl::StrCat("SELECT force_policy('", digest, "', 'x', '')"));
  EXPECT_EQ(forced.sqlstate, "42501") << forced.error;
  EXPECT_EQ(
      runtime.Value(absl::StrCat("SELECT seed_policy('", digest, "', 'x')")),
      "occupied");
  EXPECT_EQ(runtime.Value(absl::StrCat("SELECT activate_approved_policy('",
                                       intent.id(), "', NULL)")),
            "unapproved");
  // A vote of who asked, of a member without the role, or of one who held it
  // and was removed, does not count.
  test.served.AddMember(kSystem, "mia", "member");
  test.served.AddMember(kSystem, "rex", "policy");
  test.served.database().Super().Run(
      "UPDATE tenant_members SET removed_at = engine_now() WHERE user_id = "
      "(SELECT id FROM app_users WHERE name = 'rex')");
  for (const char* name : {"ann", "mia", "rex"}) {
    const auto voted = runtime.Run(absl::StrCat(
        "INSERT INTO approvals (tenant_id, intent_type, payload_hash, "
        "approved_by, intent_id) SELECT i.tenant_id, i.intent_type, "
        "i.payload_sha256, u.id, i.id FROM intents AS i, app_users AS u "
        "WHERE i.id = '",
        intent.id(), "' AND u.name = '", name, "'"));
    ASSERT_TRUE(voted.ok()) << voted.error;
    EXPECT_EQ(runtime.Value(absl::StrCat("SELECT activate_approved_policy('",
                                         intent.id(), "', NULL)")),
              "unapproved")
        << name;
  }
  EXPECT_EQ(
      runtime.Run("UPDATE active_policies SET activated_at = now()").sqlstate,
      "42501");
  EXPECT_EQ(ActiveDigest(test.served), before);
}

TEST(PolicyActivationTest, ARepeatedRequestAnswersTheIntentAsItStands) {
  Platform test;
  PolicyCaller ann = test.Policy(0);
  intent::v1::ActivatePolicyRequest request;
  request.set_request_id(storage::NewUuid());
  request.set_digest(ann.MustPropose(With("block NO_POSTS on POST")));
  const auto first = ann.Activate(request);
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  test.ApproveByTwo(first.response.intent());
  const auto again = ann.Activate(request);
  ASSERT_TRUE(again.ok()) << again.status.error_message();
  EXPECT_EQ(again.response.intent().id(), first.response.intent().id());
  EXPECT_EQ(again.response.intent().status(),
            intent::v1::INTENT_STATUS_EXECUTED);
  request.set_rationale("another");
  EXPECT_EQ(ReasonOf(ann.Activate(request).status), "REQUEST_ID_REUSED");
  request.set_request_id(storage::NewUuid());
  EXPECT_EQ(ReasonOf(ann.Activate(request).status), "POLICY_ACTIVE");
  request.set_request_id("");
  EXPECT_EQ(BadFieldsOf(ann.Activate(request).status),
            std::vector<std::string>{"request_id"});
}

TEST(PolicyActivationTest, OffMeansOff) {
  Platform test;
  test.served.database().Owner().Run(
      "INSERT INTO system_state (key, value) VALUES "
      "('atlas_online', '{\"engine_enabled\": false}')");
  const Intent queued = test.Ask(With("block NO_POSTS on POST"));
  EXPECT_EQ(queued.status(), intent::v1::INTENT_STATUS_DRAFT);
  EXPECT_EQ(test.served.SettleDrafts(), 0);
  test.served.database().Owner().Run("DELETE FROM system_state");
  EXPECT_EQ(test.served.SettleDrafts(), 1);
  ExpectBuiltIn(test.Voter(0).MustGet(queued.id()));
}

// A first activation that an agent of the system tenant asks for by SQL.
struct AgentsRequest {
  explicit AgentsRequest(Platform& test) {
    auto& served = test.served;
    const std::string digest =
        test.Policy(0).MustPropose(With("block NO_POSTS on POST"));
    agent = served.Value(
        absl::StrCat("INSERT INTO agent_registry (tenant_id, name) VALUES ('",
                     kSystem, "', 'bot') RETURNING id"));
    id = test.InsertBySql(
        absl::StrCat(R"({"digest": ")", digest, R"(", "replaces": ""})"));
    test.Tamper(absl::StrCat("UPDATE intents SET agent_id = '", agent,
                             "' WHERE id = '", id, "'"));
  }
  void SetAgent(Platform& test, bool enabled) const {
    test.served.database().Owner().Run(absl::StrCat(
        "INSERT INTO system_state (key, tenant_id, value) VALUES ('tenant:",
        kSystem, ":agent:", agent, ":atlas_online', '", kSystem,
        "', '{\"engine_enabled\": ", enabled ? "true" : "false",
        "}') ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value"));
  }

  std::string agent;
  std::string id;
};

TEST(PolicyActivationTest, OffMeansOffForAnAgentsToo) {
  Platform test({.policy = ""});
  const AgentsRequest request(test);
  request.SetAgent(test, false);
  EXPECT_EQ(test.served.SettleDrafts(), 0);
  request.SetAgent(test, true);
  EXPECT_EQ(test.served.SettleDrafts(), 1);
  const Intent intent = test.Voter(0).MustGet(request.id);
  ExpectBuiltIn(intent);
  test.Approve(1, intent);
  // The agent is switched off between the second vote and its effect.
  test.Tamper(absl::StrCat(
      "INSERT INTO approvals (tenant_id, intent_type, payload_hash, "
      "approved_by, memo_id, intent_id) SELECT i.tenant_id, i.intent_type, "
      "i.payload_sha256, u.id, i.decision_memo_id, i.id FROM intents AS i, "
      "app_users AS u WHERE i.id = '",
      request.id, "' AND u.name = 'cy'"));
  const auto activate = [&] {
    SqlConnection runtime(test.served.database().runtime_url());
    return runtime.Value(absl::StrCat("SET intent.tenants = '{", kSystem,
                                      "}'; SELECT activate_approved_policy('",
                                      request.id, "', NULL)"));
  };
  request.SetAgent(test, false);
  EXPECT_EQ(activate(), "switched_off");
  EXPECT_EQ(ReasonOf(test.Voter(2).Approve(test.Memo(intent)).status),
            "KILL_SWITCH");
  request.SetAgent(test, true);
  EXPECT_EQ(activate(), "activated");
}

TEST(PolicyActivationTest, BreakingTheGlassTakesTheOwnerAndAReason) {
  Platform test;
  const std::string before = ActiveDigest(test.served);
  const std::string digest =
      test.Policy(0).MustPropose(With("block NO_POSTS on POST"));
  const std::string failing = test.Policy(0).MustPropose(
      With("test \"t\" { given { intent: { type: LAUNCH } } expect allow }"));
  storage::Database& direct = test.served.database().direct();
  EXPECT_TRUE(absl::IsInvalidArgument(engine::BreakGlass(direct, digest, "")));
  EXPECT_TRUE(absl::IsNotFound(engine::BreakGlass(direct, "sha256:none", "x")));
  EXPECT_TRUE(
      absl::IsFailedPrecondition(engine::BreakGlass(direct, failing, "x")));
  EXPECT_TRUE(absl::IsInternal(
      engine::BreakGlass(test.served.database().runtime(), digest, "x")));
  EXPECT_EQ(ActiveDigest(test.served), before);
  EXPECT_TRUE(engine::BreakGlass(direct, digest, "payroll is blocked").ok());
  EXPECT_EQ(ActiveDigest(test.served), digest);
  EXPECT_EQ(test.Entries("concat_ws(' ', level, actor_external_id, "
                         "meta ->> 'reason')"),
            "warn intentd;security break-glass payroll is blocked");
}

TEST(PolicyActivationTest, RacingActivationsAndSettlementsHaveOneWinner) {
  Platform test({.runs = true});
  Caller agent = test.served.As(test.served.agent_token());
  for (int round = 0; round < 4; ++round) {
    const Intent pending[] = {
        test.Ask(With(absl::StrCat("block A", round, " on LAUNCH"))),
        test.Ask(With(absl::StrCat("block B", round, " on LAUNCH")))};
    for (const Intent& intent : pending) test.Approve(1, intent);
    const DecisionMemo memos[] = {test.Memo(pending[0]), test.Memo(pending[1])};
    grpc::Status statuses[2];
    std::vector<Intent> posts(40);
    std::latch start(3);
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&, i] {
        Caller voter = test.Voter(2);
        start.arrive_and_wait();
        statuses[i] = voter.Approve(memos[i]).status;
      });
    }
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (Intent& post : posts) {
        auto request = Caller::Request("POST", R"({"text": "hi"})");
        request.mutable_wait()->set_seconds(20);
        const auto answer = agent.Submit(request);
        EXPECT_TRUE(answer.ok()) << answer.status.error_message();
        post = answer.response.intent();
      }
    });
    for (std::thread& thread : threads) thread.join();
    int executed = 0;
    for (int i = 0; i < 2; ++i) {
      EXPECT_TRUE(statuses[i].ok()) << statuses[i].error_message();
      const Intent ended = test.Voter(0).MustGet(pending[i].id());
      if (ended.status() == intent::v1::INTENT_STATUS_EXECUTED) {
        ++executed;
      } else {
        EXPECT_EQ(ended.failure_reason(), "EFFECT_REFUSED");
      }
    }
    EXPECT_EQ(executed, 1);
    for (const Intent& post : posts) {
      EXPECT_EQ(post.status(), intent::v1::INTENT_STATUS_EXECUTED);
    }
  }
  // Each decision was settled under the policy that was active then.
  EXPECT_EQ(
      test.served.Value(
          "SELECT count(*) FROM intents WHERE intent_type = 'POST' AND NOT "
          "EXISTS (SELECT FROM policies AS p WHERE p.digest = policy_digest)"),
      "0");
}

}  // namespace
}  // namespace sgl::testing
