// Proves what operators can do over AdminService, and what they can't: each
// change takes effect and is on record, a token is shown once and its hash
// never, another tenant's rows aren't there, and nobody makes themselves an
// approver.

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "intent/v1/admin_service.pb.h"
#include "intent/v1/intent.pb.h"
#include "storage/identity.h"
#include "tests/engine/admin_caller.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using storage::PrincipalKind;
using ::testing::ElementsAre;

struct Fixture {
  Fixture()
      : served({}),
        platform(served, served.AddToken(PrincipalKind::kOperator, "",
                                         storage::kSystemTenantId)),
        operator_(served, served.AddToken(PrincipalKind::kOperator, "",
                                          served.tenant().id)) {}

  std::string Actions() {
    return served.Value(
        "SELECT coalesce(string_agg(action, ' ' ORDER BY created_at), '') "
        "FROM audit_log WHERE actor_external_id LIKE 'operator:%'");
  }

  ServedEngine served;
  AdminCaller platform;
  AdminCaller operator_;
};

intent::v1::CreateTokenRequest TokenFor(intent::v1::PrincipalKind kind,
                                        const std::string& principal) {
  intent::v1::CreateTokenRequest request;
  request.set_kind(kind);
  request.set_principal(principal);
  return request;
}

TEST(AdminTest, ATenantIsSetUpFromNothing) {
  Fixture test;
  intent::v1::CreateTenantRequest tenant;
  tenant.set_slug("novo");
  tenant.set_name("Novo");
  const auto made = test.platform.Call(&AdminStub::CreateTenant, tenant);
  ASSERT_TRUE(made.ok()) << made.status.error_message();
  EXPECT_EQ(made.response.tenant().seat(), "free_beta");
  EXPECT_EQ(
      ReasonOf(test.platform.Call(&AdminStub::CreateTenant, tenant).status),
      "ALREADY_EXISTS");
  tenant.set_slug("A B");
  EXPECT_EQ(
      BadFieldsOf(test.platform.Call(&AdminStub::CreateTenant, tenant).status),
      std::vector<std::string>{"slug"});

  auto wanted = TokenFor(intent::v1::PRINCIPAL_KIND_OPERATOR, "");
  wanted.set_tenant("novo");
  wanted.set_name("ops");
  const auto ops = test.platform.Call(&AdminStub::CreateToken, wanted);
  ASSERT_TRUE(ops.ok()) << ops.status.error_message();
  AdminCaller novo(test.served, ops.response.secret());

  intent::v1::CreateMemberRequest member;
  member.set_email("ann@novo.example");
  member.set_role("compliance");
  member.add_further_roles("privacy");
  const auto ann = novo.Call(&AdminStub::CreateMember, member);
  ASSERT_TRUE(ann.ok()) << ann.status.error_message();
  EXPECT_EQ(ReasonOf(novo.Call(&AdminStub::CreateMember, member).status),
            "ALREADY_EXISTS");

  intent::v1::CreateAgentRequest agent;
  agent.set_name("Atlas");
  agent.add_labels("blue");
  agent.set_owner("ann@novo.example");
  const auto atlas = novo.Call(&AdminStub::CreateAgent, agent);
  ASSERT_TRUE(atlas.ok()) << atlas.status.error_message();
  EXPECT_EQ(atlas.response.agent().owner_user_id(),
            ann.response.member().user_id());
  EXPECT_EQ(atlas.response.agent().tenant_id(), made.response.tenant().id());

  const auto token =
      novo.Call(&AdminStub::CreateToken,
                TokenFor(intent::v1::PRINCIPAL_KIND_AGENT, "Atlas"));
  ASSERT_TRUE(token.ok()) << token.status.error_message();
  EXPECT_EQ(token.response.api_token().name(), "Atlas");
  // It works.
  Caller caller = test.served.As(token.response.secret());
  const auto intent = caller.MustSubmit("POST", R"({"text": "hi"})");
  EXPECT_EQ(intent.tenant_id(), made.response.tenant().id());
  EXPECT_EQ(test.Actions(),
            "TENANT_CREATED TOKEN_CREATED MEMBER_CREATED AGENT_CREATED "
            "TOKEN_CREATED");
}

TEST(AdminTest, AnAgentIsChangedInPart) {
  Fixture test;
  intent::v1::UpdateAgentRequest change;
  change.set_agent("ATLAS");
  change.set_tier(3);
  change.add_labels("x");
  EXPECT_EQ(
      BadFieldsOf(test.operator_.Call(&AdminStub::UpdateAgent, change).status),
      std::vector<std::string>{"update_mask"});
  change.mutable_update_mask()->add_paths("tier");
  change.mutable_update_mask()->add_paths("labels");
  auto changed = test.operator_.Call(&AdminStub::UpdateAgent, change);
  ASSERT_TRUE(changed.ok()) << changed.status.error_message();
  EXPECT_EQ(changed.response.agent().tier(), 3);
  EXPECT_THAT(changed.response.agent().labels(), ElementsAre("x"));
  EXPECT_EQ(changed.response.agent().status(), "active");
  EXPECT_EQ(changed.response.agent().owner_user_id(),
            test.served.tenant().owner);
  change.Clear();
  change.set_agent(test.served.tenant().agent);
  change.set_status("paused");
  change.mutable_update_mask()->add_paths("status");
  change.mutable_update_mask()->add_paths("owner");
  changed = test.operator_.Call(&AdminStub::UpdateAgent, change);
  ASSERT_TRUE(changed.ok()) << changed.status.error_message();
  EXPECT_EQ(changed.response.agent().status(), "paused");
  EXPECT_EQ(changed.response.agent().tier(), 3);
  EXPECT_EQ(changed.response.agent().owner_user_id(), "");
  EXPECT_EQ(test.served.Value(
                "SELECT concat_ws(' ', meta -> 'before' ->> 'status', "
                "meta -> 'after' ->> 'status') FROM audit_log WHERE action = "
                "'AGENT_UPDATED' ORDER BY created_at DESC LIMIT 1"),
            "active paused");
  change.set_agent("nobody");
  EXPECT_EQ(
      ReasonOf(test.operator_.Call(&AdminStub::UpdateAgent, change).status),
      "AGENT_NOT_FOUND");
}

TEST(AdminTest, ATokenOfALongNameIsCalledByItsBeginning) {
  Fixture test;
  // 200 characters, as many as an agent's name may have; byte 200 is inside
  // one of them.
  intent::v1::CreateAgentRequest agent;
  std::string name = "a";
  while (name.size() < 1 + 199 * 3) name += "\u20ac";
  agent.set_name(name);
  ASSERT_TRUE(test.operator_.Call(&AdminStub::CreateAgent, agent).ok());
  const auto made =
      test.operator_.Call(&AdminStub::CreateToken,
                          TokenFor(intent::v1::PRINCIPAL_KIND_AGENT, name));
  ASSERT_TRUE(made.ok()) << made.status.error_message();
  EXPECT_EQ(made.response.api_token().name(), name.substr(0, 1 + 66 * 3));
}

TEST(AdminTest, TokensAreShownOnceBoundedAndRevocable) {
  Fixture test;
  auto wanted = TokenFor(intent::v1::PRINCIPAL_KIND_AGENT, "ATLAS");
  const auto made = test.operator_.Call(&AdminStub::CreateToken, wanted);
  ASSERT_TRUE(made.ok()) << made.status.error_message();
  const auto& token = made.response.api_token();
  // 90 days where nothing is said.
  EXPECT_EQ(token.expire_time().seconds() - token.create_time().seconds(),
            90 * 24 * 3600);
  for (const int64_t seconds : {int64_t{59}, int64_t{366 * 24 * 3600}}) {
    wanted.mutable_lifetime()->set_seconds(seconds);
    EXPECT_EQ(BadFieldsOf(
                  test.operator_.Call(&AdminStub::CreateToken, wanted).status),
              std::vector<std::string>{"lifetime"});
  }
  intent::v1::ListTokensRequest list;
  list.mutable_filter()->set_only_live(true);
  auto listed = test.operator_.Call(&AdminStub::ListTokens, list);
  ASSERT_TRUE(listed.ok());
  EXPECT_EQ(listed.response.api_tokens(0).id(), token.id());
  const std::string text = listed.response.DebugString();
  EXPECT_EQ(text.find(made.response.secret()), std::string::npos);
  EXPECT_EQ(text.find(test.served.Value(
                absl::StrCat("SELECT token_sha256 FROM api_tokens WHERE id = '",
                             token.id(), "'"))),
            std::string::npos);
  EXPECT_EQ(test.served.Value(absl::StrCat(
                "SELECT count(*) FROM audit_log WHERE meta::text LIKE '%",
                made.response.secret(), "%'")),
            "0");

  intent::v1::RevokeTokenRequest revoke;
  revoke.set_id(token.id());
  EXPECT_TRUE(test.operator_.Call(&AdminStub::RevokeToken, revoke).ok());
  EXPECT_TRUE(test.operator_.Call(&AdminStub::RevokeToken, revoke).ok());
  const auto refused = test.served.As(made.response.secret()).Get("x");
  EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  const int live = listed.response.api_tokens_size();
  listed = test.operator_.Call(&AdminStub::ListTokens, list);
  EXPECT_EQ(listed.response.api_tokens_size(), live - 1);
}

TEST(AdminTest, ListsComeInPages) {
  Fixture test;
  for (int i = 0; i < 4; ++i) {
    intent::v1::CreateAgentRequest agent;
    agent.set_name(absl::StrCat("a", i));
    ASSERT_TRUE(test.operator_.Call(&AdminStub::CreateAgent, agent).ok());
  }
  intent::v1::ListAgentsRequest request;
  request.set_page_size(2);
  std::vector<std::string> names;
  for (int page = 0; page < 3; ++page) {
    const auto answer = test.operator_.Call(&AdminStub::ListAgents, request);
    ASSERT_TRUE(answer.ok()) << answer.status.error_message();
    for (const auto& agent : answer.response.agents()) {
      names.push_back(agent.name());
    }
    request.set_page_token(answer.response.next_page_token());
  }
  EXPECT_THAT(names, ElementsAre("a3", "a2", "a1", "a0", "ATLAS"));
  EXPECT_EQ(request.page_token(), "");
  request.set_page_size(201);
  EXPECT_EQ(
      BadFieldsOf(test.operator_.Call(&AdminStub::ListAgents, request).status),
      std::vector<std::string>{"page_size"});
}

TEST(AdminTest, ARemovedMemberIsOut) {
  Fixture test;
  const std::string erin = test.served.AddUser("erin", "member");
  const std::string frank = test.served.AddUser("frank", "owner");
  Caller agent = test.served.As(test.served.agent_token());
  const auto intent = agent.MustSubmit("WIRE", R"({"to": "x"})");
  test.served.SettleDrafts();
  const auto memo =
      agent.MustGetMemo(agent.MustGet(intent.id()).decision_memo_id());
  // One of two votes.
  ASSERT_TRUE(test.served.As(frank).Approve(memo).ok());
  intent::v1::RemoveMemberRequest remove;
  remove.set_member("frank@acme.example");
  ASSERT_TRUE(test.operator_.Call(&AdminStub::RemoveMember, remove).ok());
  EXPECT_EQ(
      ReasonOf(test.operator_.Call(&AdminStub::RemoveMember, remove).status),
      "MEMBER_NOT_FOUND");
  // The token ended with it, and the vote doesn't count any more.
  const std::string gina = test.served.AddUser("gina", "compliance");
  const auto second = test.served.As(gina).Approve(memo);
  ASSERT_TRUE(second.ok()) << second.status.error_message();
  EXPECT_EQ(second.response.intent().status(),
            intent::v1::INTENT_STATUS_AWAITING_HUMAN);
  EXPECT_EQ(test.served.Value("SELECT count(*) FROM api_tokens AS t JOIN "
                              "app_users AS u ON u.id = t.user_id WHERE "
                              "u.name = 'frank' AND t.revoked_at IS NULL"),
            "0");
  EXPECT_EQ(ReasonOf(test.operator_
                         .Call(&AdminStub::CreateToken,
                               TokenFor(intent::v1::PRINCIPAL_KIND_USER,
                                        "frank@acme.example"))
                         .status),
            "MEMBER_NOT_FOUND");
  // Back again, as who they were, with the roles that are given now.
  intent::v1::CreateMemberRequest back;
  back.set_email("Frank@acme.example");
  back.set_role("member");
  const auto returned = test.operator_.Call(&AdminStub::CreateMember, back);
  ASSERT_TRUE(returned.ok()) << returned.status.error_message();
  EXPECT_EQ(returned.response.member().role(), "member");
  EXPECT_EQ(returned.response.member().name(), "frank");
}

TEST(AdminTest, NobodyMakesThemselvesAnApprover) {
  Fixture test;
  const std::string& owner = test.served.tenant().owner;
  AdminCaller self(test.served,
                   test.served.AddToken(PrincipalKind::kOperator, owner,
                                        test.served.tenant().id));
  intent::v1::SetMemberRolesRequest roles;
  roles.set_member(owner);
  roles.set_role("compliance");
  EXPECT_EQ(ReasonOf(self.Call(&AdminStub::SetMemberRoles, roles).status),
            "SELF_GRANT");
  EXPECT_EQ(ReasonOf(self.Call(&AdminStub::CreateToken,
                               TokenFor(intent::v1::PRINCIPAL_KIND_USER, owner))
                         .status),
            "SELF_GRANT");
  intent::v1::UpdateAgentRequest away;
  away.set_agent("ATLAS");
  away.set_owner(test.served.tenant().carol);
  away.mutable_update_mask()->add_paths("owner");
  EXPECT_EQ(ReasonOf(self.Call(&AdminStub::UpdateAgent, away).status),
            "SELF_GRANT");
  // For others it is done, with the issuer's name on it.
  roles.set_member(test.served.tenant().dave);
  EXPECT_TRUE(self.Call(&AdminStub::SetMemberRoles, roles).ok());
  const auto daves = self.Call(
      &AdminStub::CreateToken,
      TokenFor(intent::v1::PRINCIPAL_KIND_USER, test.served.tenant().dave));
  ASSERT_TRUE(daves.ok()) << daves.status.error_message();
  EXPECT_EQ(daves.response.api_token().issued_by(), owner);
  // Who issues an agent's token can't vote on what it asks for.
  const auto agents =
      self.Call(&AdminStub::CreateToken,
                TokenFor(intent::v1::PRINCIPAL_KIND_AGENT, "ATLAS"));
  ASSERT_TRUE(agents.ok()) << agents.status.error_message();
  EXPECT_EQ(agents.response.api_token().issued_by(), owner);
  EXPECT_EQ(test.served.Value(absl::StrCat(
                "SELECT string_agg(action || ':' || level, ' ' ORDER BY "
                "created_at) FROM audit_log WHERE actor_user_id = '",
                owner, "'")),
            "MEMBER_ROLES_SET:security TOKEN_CREATED:security "
            "TOKEN_CREATED:security");
}

TEST(AdminTest, AnotherTenantIsNotThere) {
  Fixture test;
  const SeededTenant bolt = test.served.database().Seed("bolt");
  const auto refused = [&](const grpc::Status& status) {
    EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND)
        << status.error_message();
  };
  AdminCaller& admin = test.operator_;
  for (const char* slug : {"bolt", "system", "no-such"}) {
    SCOPED_TRACE(slug);
    intent::v1::CreateAgentRequest agent;
    agent.set_tenant(slug);
    agent.set_name("x");
    refused(admin.Call(&AdminStub::CreateAgent, agent).status);
    intent::v1::CreateMemberRequest member;
    member.set_tenant(slug);
    member.set_email("x@x");
    refused(admin.Call(&AdminStub::CreateMember, member).status);
    auto token = TokenFor(intent::v1::PRINCIPAL_KIND_OPERATOR, "");
    token.set_name("x");
    token.set_tenant(slug);
    refused(admin.Call(&AdminStub::CreateToken, token).status);
    intent::v1::ListTokensRequest tokens;
    tokens.set_tenant(slug);
    refused(admin.Call(&AdminStub::ListTokens, tokens).status);
    intent::v1::ListMembersRequest members;
    members.set_tenant(slug);
    refused(admin.Call(&AdminStub::ListMembers, members).status);
    intent::v1::ListAgentsRequest agents;
    agents.set_tenant(slug);
    refused(admin.Call(&AdminStub::ListAgents, agents).status);
  }
  // Nor by its ids.
  intent::v1::UpdateAgentRequest agent;
  agent.set_agent(bolt.agent);
  agent.mutable_update_mask()->add_paths("tier");
  refused(admin.Call(&AdminStub::UpdateAgent, agent).status);
  intent::v1::RemoveMemberRequest member;
  member.set_member(bolt.carol);
  refused(admin.Call(&AdminStub::RemoveMember, member).status);
  intent::v1::RevokeTokenRequest token;
  token.set_id(bolt.agent_token);
  refused(admin.Call(&AdminStub::RevokeToken, token).status);
  refused(admin
              .Call(&AdminStub::CreateToken,
                    TokenFor(intent::v1::PRINCIPAL_KIND_USER, bolt.carol))
              .status);
  // Tenants are the platform's.
  const auto list =
      admin.Call(&AdminStub::ListTenants, intent::v1::ListTenantsRequest());
  EXPECT_EQ(ReasonOf(list.status), "PLATFORM_OPERATORS_ONLY");
  const auto all = test.platform.Call(&AdminStub::ListTenants,
                                      intent::v1::ListTenantsRequest());
  ASSERT_TRUE(all.ok()) << all.status.error_message();
  std::vector<std::string> slugs;
  for (const auto& tenant : all.response.tenants()) {
    slugs.push_back(tenant.slug());
  }
  EXPECT_THAT(slugs, ElementsAre("bolt", "acme", "system"));
}

TEST(AdminTest, OnlyOperatorsCall) {
  Fixture test;
  for (const std::string& token :
       {test.served.agent_token(), test.served.AddUser("erin", "owner"),
        test.served.AddToken(PrincipalKind::kWorker, "",
                             test.served.tenant().id)}) {
    AdminCaller other(test.served, token);
    EXPECT_EQ(
        other.Call(&AdminStub::ListTokens, intent::v1::ListTokensRequest())
            .status.error_code(),
        grpc::StatusCode::PERMISSION_DENIED);
    EXPECT_EQ(other.Switch(intent::v1::SWITCH_LEVEL_TENANT, false)
                  .status.error_code(),
              grpc::StatusCode::PERMISSION_DENIED);
  }
}

}  // namespace
}  // namespace sgl::testing
