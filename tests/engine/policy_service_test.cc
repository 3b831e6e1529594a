// Proves what PolicyService says of rule files, that versions are kept as they
// came, and that a tenant's own layer holds for that tenant alone, tightens
// only, and fails closed where it no longer fits the platform's policy.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/policies.h"
#include "storage/uuid.h"
#include "tests/engine/policy_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::Intent;

constexpr char kBroken[] =
    "policy p version 1\ndefault allow\nintent POST { text: string }\n"
    "block LONG on POST when payload.txet == \"a\"\n";

// No POSTs for acme.
constexpr char kLayer[] =
    "policy acme.own version 1\nlayer tenant \"acme\"\n"
    "block NO_POSTS_HERE \"acme does not post\" on POST\n";

struct People {
  explicit People(const ServedEngine::Options& options = {})
      : served(options),
        ann(served.AddMember(kSystem, "ann", "policy")),
        pat(served.AddUser("pat", "policy")),
        other(served.database().Seed("other")) {}

  PolicyCaller Platform() { return PolicyCaller(served, ann); }
  PolicyCaller Acme() { return PolicyCaller(served, pat); }
  // Submits a POST as an agent of that tenant; returns what became of it.
  Intent Post(const std::string& token) {
    Caller agent = served.As(token);
    const Intent intent = agent.MustSubmit("POST", R"({"text": "hi"})");
    served.SettleDrafts();
    return agent.MustGet(intent.id());
  }
  Intent PostOfAcme() { return Post(served.agent_token()); }
  Intent PostOfOther() {
    return Post(
        served.AddToken(storage::PrincipalKind::kAgent, other.agent, other.id));
  }

  ServedEngine served;
  std::string ann;
  std::string pat;
  SeededTenant other;
};

TEST(PolicyServiceTest, CheckTellsAllAndStoresNothing) {
  People test;
  const auto answer = test.Platform().Check(kBroken);
  ASSERT_TRUE(answer.ok()) << answer.status.error_message();
  EXPECT_EQ(answer.response.error_count(), 1);
  ASSERT_EQ(answer.response.diagnostics_size(), 1);
  const auto& diagnostic = answer.response.diagnostics(0);
  EXPECT_EQ(diagnostic.kind(), "UnknownPayloadField");
  EXPECT_EQ(diagnostic.severity(), intent::v1::DIAGNOSTIC_SEVERITY_ERROR);
  EXPECT_EQ(diagnostic.file(), "new.sgl");
  EXPECT_EQ(diagnostic.line(), 4);
  EXPECT_EQ(diagnostic.column(), 33);
  EXPECT_EQ(diagnostic.end_column(), 37);
  EXPECT_EQ(diagnostic.rendered(),
            "new.sgl:4:33: error: `POST` declares no payload field `txet` "
            "[UnknownPayloadField]\n"
            "  block LONG on POST when payload.txet == \"a\"\n"
            "                                  ^~~~\n"
            "  help: did you mean `text`?\n");
  EXPECT_EQ(answer.response.report().obstacle(), "it has 1 error");
  EXPECT_EQ(test.Platform().Check(kPolicy).response.report().obstacle(), "");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM policies"), "1");
}

TEST(PolicyServiceTest, ErrorsOfAProposalAreDetails) {
  People test;
  const auto answer = test.Platform().Propose(kBroken);
  EXPECT_EQ(answer.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(ReasonOf(answer.status), "POLICY_ERRORS");
  EXPECT_EQ(
      answer.status.error_message(),
      "the policy has 1 error, the first at new.sgl:4:33: `POST` declares "
      "no payload field `txet`; CheckPolicy tells all");
  const auto diagnostics = DiagnosticsOf(answer.status);
  ASSERT_EQ(diagnostics.size(), 1u);
  EXPECT_EQ(diagnostics[0].line(), 4);
  EXPECT_EQ(diagnostics[0].helps(0), "did you mean `text`?");
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM policies"), "1");
}

TEST(PolicyServiceTest, ManyErrorsStillReachTheCaller) {
  People test;
  std::string text = "policy p version 1\ndefault allow\n";
  for (int i = 0; i < 500; ++i) {
    absl::StrAppend(&text, "block A", i, " when nothing", i, " == 1\n");
  }
  const auto answer = test.Platform().Propose(text);
  EXPECT_EQ(ReasonOf(answer.status), "POLICY_ERRORS");
  const auto diagnostics = DiagnosticsOf(answer.status);
  EXPECT_GE(diagnostics.size(), 3u);
  EXPECT_LT(diagnostics.size(), 500u);
  EXPECT_GE(test.Platform().Check(text).response.diagnostics_size(), 500);
}

TEST(PolicyServiceTest, VersionsAreKeptAsTheyCame) {
  People test;
  const std::string text =
      absl::StrCat(kPolicy,
                   "review POSTS \"a \\\"quoted\\\" reason\" on POST when "
                   "payload.text == \"x\"\n"
                   "test \"others pass\" { given { intent: { type: POST, "
                   "payload: { text: \"y\" } } } expect allow }\n");
  const auto first = test.Platform().Propose(text);
  ASSERT_TRUE(first.ok()) << first.status.error_message();
  EXPECT_FALSE(first.response.existed());
  const auto& policy = first.response.policy();
  EXPECT_EQ(policy.author(), "ann");
  EXPECT_EQ(policy.description(), "for the test");
  EXPECT_EQ(policy.report().rule_count(), 5);
  EXPECT_EQ(policy.report().test_count(), 1);
  EXPECT_EQ(policy.report().failed_test_count(), 0);
  EXPECT_FALSE(policy.active());
  const auto again = test.Platform().Propose(text);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again.response.existed());
  EXPECT_EQ(again.response.policy().id(), policy.id());

  const auto read = test.Platform().Get(policy.digest());
  ASSERT_TRUE(read.ok()) << read.status.error_message();
  ASSERT_EQ(read.response.policy().sources_size(), 1);
  EXPECT_EQ(read.response.policy().sources(0).name(), "new.sgl");
  EXPECT_EQ(read.response.policy().sources(0).text(), text);
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM audit_log WHERE action = "
                              "'POLICY_PROPOSED' AND tenant_id IS NULL"),
            "1");
  EXPECT_EQ(ReasonOf(test.Platform().Get("sha256:none").status),
            "POLICY_NOT_FOUND");
}

TEST(PolicyServiceTest, ListsPageNewestFirstAndSayWhichIsActive) {
  People test;
  std::vector<std::string> digests;
  for (int i = 0; i < 4; ++i) {
    digests.push_back(test.Platform().MustPropose(
        absl::StrCat(kPolicy, "// version ", i, "\n")));
  }
  intent::v1::ListPoliciesRequest request;
  request.set_page_size(2);
  std::vector<std::string> listed;
  int active = 0;
  do {
    const auto page = test.Platform().List(request);
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    for (const auto& policy : page.response.policies()) {
      listed.push_back(policy.digest());
      EXPECT_EQ(policy.sources_size(), 0);
      if (!policy.active()) continue;
      ++active;
      EXPECT_EQ(policy.activated_by(), "intentd");
      EXPECT_TRUE(policy.has_activate_time());
    }
    request.set_page_token(page.response.next_page_token());
  } while (!request.page_token().empty());
  ASSERT_EQ(listed.size(), 5u);
  EXPECT_EQ(listed[0], digests[3]);
  EXPECT_EQ(listed[3], digests[0]);
  EXPECT_EQ(active, 1);
}

TEST(PolicyServiceTest, OthersSeeThePlatformsActiveVersionOnly) {
  People test;
  const std::string secret =
      test.Platform().MustPropose(absl::StrCat(kPolicy, "// soon\n"));
  const auto seen = test.Acme().Get(secret, intent::v1::POLICY_SCOPE_PLATFORM);
  EXPECT_EQ(ReasonOf(seen.status), "POLICY_NOT_FOUND");
  intent::v1::ListPoliciesRequest request;
  request.mutable_filter()->set_scope(intent::v1::POLICY_SCOPE_PLATFORM);
  const auto listed = test.Acme().List(request);
  ASSERT_TRUE(listed.ok()) << listed.status.error_message();
  ASSERT_EQ(listed.response.policies_size(), 1);
  EXPECT_TRUE(listed.response.policies(0).active());
}

TEST(PolicyServiceTest, BadFilesAreNamed) {
  People test;
  intent::v1::ProposePolicyRequest request;
  EXPECT_EQ(BadFieldsOf(test.Platform().Propose(request).status),
            std::vector<std::string>{"sources"});
  for (const char* name : {"a.sgl", "a.sgl", "", "b\nc.sgl"}) {
    request.add_sources()->set_name(name);
  }
  EXPECT_EQ(
      BadFieldsOf(test.Platform().Propose(request).status),
      (std::vector<std::string>{"sources[1]", "sources[2]", "sources[3]"}));
  request.clear_sources();
  for (int i = 0; i < 1001; ++i) {
    request.add_sources()->set_name(absl::StrCat(i));
  }
  EXPECT_EQ(BadFieldsOf(test.Platform().Propose(request).status),
            std::vector<std::string>{"sources"});
  request.clear_sources();
  request.add_sources()->set_name("big.sgl");
  request.mutable_sources(0)->set_text(std::string(9 << 20, ' '));
  EXPECT_EQ(BadFieldsOf(test.Platform().Propose(request).status),
            std::vector<std::string>{"sources"});
}

TEST(TenantLayerTest, AFileNamedAsAPlatformsSaysWhatToDo) {
  People test;
  intent::v1::ProposePolicyRequest request;
  request.add_sources()->set_name("test.sgl");
  request.mutable_sources(0)->set_text(kLayer);
  const grpc::Status refused = test.Acme().Propose(request).status;
  EXPECT_EQ(BadFieldsOf(refused), std::vector<std::string>{"sources[0]"});
  EXPECT_NE(refused.error_message().find(
                "give the tenant's file another name, or check and propose it "
                "for the platform"),
            std::string::npos)
      << refused.error_message();
  request.mutable_sources(0)->set_name("own.sgl");
  EXPECT_TRUE(test.Acme().Propose(request).ok());
}

TEST(TenantLayerTest, HoldsForItsTenantAlone) {
  People test;
  const std::string digest = test.Acme().MustPropose(kLayer);
  EXPECT_EQ(test.PostOfAcme().status(), intent::v1::INTENT_STATUS_EXECUTED);
  const auto activated = test.Acme().Activate(digest);
  ASSERT_TRUE(activated.ok()) << activated.status.error_message();
  EXPECT_TRUE(activated.response.policy().active());
  EXPECT_FALSE(activated.response.has_intent());

  const Intent blocked = test.PostOfAcme();
  EXPECT_EQ(blocked.status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
  ASSERT_EQ(blocked.decision().reasons_size(), 1);
  EXPECT_EQ(blocked.decision().reasons(0).code(), "NO_POSTS_HERE");
  EXPECT_EQ(blocked.decision().reasons(0).layer(), "tenant:acme");
  const Intent passed = test.PostOfOther();
  EXPECT_EQ(passed.status(), intent::v1::INTENT_STATUS_EXECUTED);
  // Over the platform's files and this tenant's.
  EXPECT_EQ(passed.decision().policy_digest(), ActiveDigest(test.served));
  EXPECT_NE(blocked.decision().policy_digest(), ActiveDigest(test.served));
  EXPECT_NE(blocked.decision().policy_digest(), digest);
  EXPECT_EQ(test.served.Value(absl::StrCat(
                "SELECT concat_ws(' ', action, actor_type, meta ->> 'digest') "
                "FROM audit_log WHERE action = 'POLICY_ACTIVATED' AND "
                "tenant_id = '",
                test.served.tenant().id, "'")),
            absl::StrCat("POLICY_ACTIVATED user ", digest));

  // Another version of it takes its place at once.
  const std::string milder = test.Acme().MustPropose(
      "policy acme.own version 2\nlayer tenant \"acme\"\n"
      "review POSTS_HERE on POST\n");
  ASSERT_TRUE(test.Acme().Activate(milder).ok());
  EXPECT_EQ(test.PostOfAcme().status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  EXPECT_EQ(ReasonOf(test.Acme().Activate(milder).status), "POLICY_ACTIVE");
}

TEST(TenantLayerTest, AnEngineThatDidNotHearOfItDecidesAgain) {
  // The listener does not run here: only the settlement's check tells.
  People test;
  const std::string first = test.Acme().MustPropose(kLayer);
  EXPECT_EQ(test.PostOfAcme().status(), intent::v1::INTENT_STATUS_EXECUTED);
  test.served.Value(absl::StrCat(
      "WITH layer AS (INSERT INTO active_policies (tenant_id, policy_id) "
      "SELECT tenant_id, id FROM policies WHERE digest = '",
      first, "' RETURNING 1) SELECT count(*) FROM layer"));
  EXPECT_EQ(test.PostOfAcme().status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
}

TEST(TenantLayerTest, LayersAreCompiledAFewAtATimeAndHoldNobodyUp) {
  People test;
  constexpr int kLayers = engine::Policies::kWaitingMax + 2;
  std::vector<std::string> ids;
  std::vector<Caller> agents;
  for (int i = 0; i < kLayers; ++i) {
    const std::string slug = absl::StrCat("layered-", i);
    const SeededTenant tenant = test.served.database().Seed(slug);
    PolicyCaller member(test.served,
                        test.served.AddMember(tenant.id, slug, "policy"));
    const std::string digest = member.MustPropose(
        absl::StrCat("policy own.layer version 1\nlayer tenant \"", slug,
                     "\"\nblock NO_POSTS_HERE on POST\n"));
    ASSERT_TRUE(member.Activate(digest).ok());
    agents.push_back(test.served.As(test.served.AddToken(
        storage::PrincipalKind::kAgent, tenant.agent, tenant.id)));
    ids.push_back(agents.back().MustSubmit("POST", R"({"text": "hi"})").id());
  }
  // A tenant without a layer, whose intent is in the same batch.
  EXPECT_EQ(test.PostOfOther().status(), intent::v1::INTENT_STATUS_EXECUTED);
  for (int i = 0; i < kLayers; ++i) {
    EXPECT_EQ(agents[i].MustGet(ids[i]).status(),
              intent::v1::INTENT_STATUS_BLOCKED_SGL)
        << i;
  }
}

TEST(TenantLayerTest, TightensOnlyAndIsItsOwn) {
  People test;
  const struct {
    const char* text;
    const char* reason;
  } kCases[] = {
      // A platform file, and another tenant's.
      {"policy p version 1\nintent MINE { a: int }\n", "BAD_REQUEST"},
      {"policy p version 1\ndefault allow\n", "BAD_REQUEST"},
      {"policy p version 1\nlayer tenant \"other\"\nblock A on POST\n",
       "BAD_REQUEST"},
      // What would loosen, or declare what the platform declares.
      {"policy p version 1\nlayer tenant \"acme\"\nallow A on POST\n",
       "POLICY_ERRORS"},
      {"policy p version 1\nlayer tenant \"acme\"\ndefault allow\n",
       "POLICY_ERRORS"},
      {"policy p version 1\nlayer tenant \"acme\"\nintent POST { a: int }\n",
       "POLICY_ERRORS"},
      {"policy p version 1\nlayer tenant \"acme\"\nintent * {}\n",
       "POLICY_ERRORS"},
  };
  for (const auto& refused : kCases) {
    SCOPED_TRACE(refused.text);
    EXPECT_EQ(ReasonOf(test.Acme().Propose(refused.text).status),
              refused.reason);
  }
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM policies"), "1");
}

TEST(TenantLayerTest, OnlyItsOwnMembersWithTheRoleActivateIt) {
  People test;
  const std::string digest = test.Acme().MustPropose(kLayer);
  PolicyCaller member(test.served, test.served.AddUser("max", "member"));
  EXPECT_EQ(ReasonOf(member.Propose(kLayer).status), "ROLE_MISSING");
  EXPECT_EQ(ReasonOf(member.Activate(digest).status), "ROLE_MISSING");
  PolicyCaller operator_of(
      test.served, test.served.AddToken(storage::PrincipalKind::kOperator, "",
                                        test.served.tenant().id));
  EXPECT_TRUE(operator_of.Propose(kLayer).ok());
  EXPECT_EQ(ReasonOf(operator_of.Activate(digest).status), "ROLE_MISSING");
  PolicyCaller stranger(test.served,
                        test.served.AddMember(test.other.id, "sam", "policy"));
  EXPECT_EQ(ReasonOf(stranger.Activate(digest).status), "POLICY_NOT_FOUND");
  EXPECT_EQ(ReasonOf(stranger.Get(digest).status), "POLICY_NOT_FOUND");
  PolicyCaller agent(test.served, test.served.agent_token());
  EXPECT_EQ(ReasonOf(agent.Check(kLayer).status), "WRONG_PRINCIPAL_KIND");
  EXPECT_EQ(BadFieldsOf(test.Platform()
                            .Propose(kLayer, intent::v1::POLICY_SCOPE_TENANT)
                            .status),
            std::vector<std::string>{"scope"});
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM active_policies"), "1");
}

TEST(TenantLayerTest, ALayerThatNoLongerFitsBlocksItsTenantAlone) {
  People test;
  ASSERT_TRUE(test.Acme()
                  .Activate(test.Acme().MustPropose(
                      "policy acme.own version 1\nlayer tenant \"acme\"\n"
                      "intent FAX { to: string }\nblock NO_FAX on FAX\n"))
                  .ok());
  EXPECT_EQ(test.PostOfAcme().status(), intent::v1::INTENT_STATUS_EXECUTED);
  // The platform declares the type itself from here on.
  const std::string next = test.Platform().MustPropose(
      absl::StrCat(kPolicy, "intent FAX { to: string }\n"));
  intent::v1::ActivatePolicyRequest request;
  request.set_request_id(storage::NewUuid());
  request.set_digest(next);
  const auto warned = test.Platform().Activate(request);
  EXPECT_EQ(ReasonOf(warned.status), "LAYERS_BREAK");
  EXPECT_EQ(warned.status.error_message(),
            "the active layers of 1 tenant don't compile with this version: "
            "acme; with allow_broken_layers they are blocked until they have "
            "one that does");
  // No tenant has a veto.
  request.set_allow_broken_layers(true);
  const auto asked = test.Platform().Activate(request);
  ASSERT_TRUE(asked.ok()) << asked.status.error_message();
  for (const char* name : {"bob", "cy"}) {
    Caller voter =
        test.served.As(test.served.AddMember(kSystem, name, "policy"));
    const auto voted = voter.Approve(
        voter.MustGetMemo(asked.response.intent().decision_memo_id()));
    ASSERT_TRUE(voted.ok()) << voted.status.error_message();
  }
  EXPECT_EQ(ActiveDigest(test.served), next);

  const Intent blocked = test.PostOfAcme();
  EXPECT_EQ(blocked.status(), intent::v1::INTENT_STATUS_BLOCKED_SGL);
  ASSERT_EQ(blocked.decision().reasons_size(), 1);
  EXPECT_EQ(blocked.decision().reasons(0).code(), "TENANT_POLICY_BROKEN");
  EXPECT_EQ(blocked.decision().reasons(0).layer(), "tenant:acme");
  EXPECT_EQ(test.PostOfOther().status(), intent::v1::INTENT_STATUS_EXECUTED);
  // One that fits mends it.
  ASSERT_TRUE(test.Acme()
                  .Activate(test.Acme().MustPropose(
                      "policy acme.own version 2\nlayer tenant \"acme\"\n"
                      "block NO_FAX on FAX\n"))
                  .ok());
  EXPECT_EQ(test.PostOfAcme().status(), intent::v1::INTENT_STATUS_EXECUTED);
}

}  // namespace
}  // namespace sgl::testing
