// Proves identity, facts and policy sets against a real server: whom a token
// stands for and when it stops, what Ensure leaves alone, what rules get to
// see, and that policy sets never change.

#include "storage/identity.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "storage/audit.h"
#include "storage/facts.h"
#include "storage/policies.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::AgentTokenHash;
using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class IdentityTest : public ::testing::Test {
 protected:
  Transaction Direct() {
    auto tx = database_->direct().Begin({});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }
  Transaction Runtime(std::vector<std::string> tenants = {}) {
    auto tx = database_->runtime().Begin({.tenants = std::move(tenants)});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
};

TEST_F(IdentityTest, ATokenStandsForItsPrincipal) {
  const auto agent = LookUpToken(database_->runtime(), AgentTokenHash("acme"));
  ASSERT_THAT(agent, IsOk());
  EXPECT_EQ(agent->kind, PrincipalKind::kAgent);
  EXPECT_EQ(agent->tenant_id, acme_.id);
  EXPECT_EQ(agent->tenant_slug, "acme");
  EXPECT_EQ(agent->agent_id, acme_.agent);
  EXPECT_EQ(agent->name, "ATLAS");
  EXPECT_THAT(agent->roles, IsEmpty());
  EXPECT_EQ(agent->token_id, acme_.agent_token);

  Transaction tx = Direct();
  ASSERT_THAT(CreateToken(tx, {.tenant_id = acme_.id,
                               .kind = PrincipalKind::kUser,
                               .principal_id = acme_.carol,
                               .name = "carol's",
                               .token_sha256 = Sha256Hex("c"),
                               .lifetime = absl::Hours(1)}),
              IsOk());
  ASSERT_THAT(tx.Commit(), IsOk());
  const auto carol = LookUpToken(database_->runtime(), Sha256Hex("c"));
  ASSERT_THAT(carol, IsOk());
  EXPECT_EQ(carol->kind, PrincipalKind::kUser);
  EXPECT_EQ(carol->user_id, acme_.carol);
  EXPECT_THAT(carol->roles, ElementsAre("compliance", "privacy"));
  EXPECT_TRUE(carol->expires_at.has_value());
}

TEST_F(IdentityTest, UnknownExpiredAndRevokedTokensStandForNobody) {
  EXPECT_THAT(LookUpToken(database_->runtime(), Sha256Hex("nobody's")),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(LookUpToken(database_->runtime(), "' OR true --"),
              StatusIs(absl::StatusCode::kNotFound));
  Transaction tx = Direct();
  ASSERT_THAT(CreateToken(tx, {.tenant_id = acme_.id,
                               .kind = PrincipalKind::kWorker,
                               .name = "short",
                               .token_sha256 = Sha256Hex("short"),
                               .lifetime = absl::Seconds(-1)}),
              IsOk());
  EXPECT_THAT(RevokeToken(tx, acme_.id, acme_.agent_token), IsOk());
  EXPECT_THAT(RevokeToken(tx, acme_.id, acme_.agent_token), IsOk());
  EXPECT_THAT(RevokeToken(tx, acme_.id, acme_.agent),
              StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(tx.Commit(), IsOk());
  for (const std::string& hash : {Sha256Hex("short"), AgentTokenHash("acme")}) {
    EXPECT_THAT(LookUpToken(database_->runtime(), hash),
                StatusIs(absl::StatusCode::kNotFound));
  }
}

TEST_F(IdentityTest, EachChangeLeavesAnEntry) {
  Transaction tx = Direct();
  ASSERT_THAT(FindTenant(tx, "acme"), IsOk());
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"tenant", acme_.id},
      {"agent", acme_.agent},
      {"member", acme_.carol},
      {"token", acme_.agent_token}};
  for (const auto& [type, id] : expected) {
    const auto entries = ListAudit(tx, type, id);
    ASSERT_THAT(entries, IsOk());
    ASSERT_EQ(entries->size(), 1u) << type;
    EXPECT_EQ((*entries)[0].entry.level, AuditLevel::kSecurity);
  }
}

TEST_F(IdentityTest, WhatIsTakenIsNamed) {
  Transaction tx = Direct();
  const auto refusal = [&](auto create) {
    absl::Status status;
    static_cast<void>(tx.InSavepoint([&] {
      status = create().status();
      return status;
    }));
    return std::string(status.message());
  };
  EXPECT_EQ(refusal([&] {
              return CreateTenant(tx, {.slug = "acme", .name = "again"});
            }),
            "there is a tenant `acme` already");
  EXPECT_EQ(refusal([&] {
              return CreateMember(tx, {.tenant_id = acme_.id,
                                       .email = "CAROL@acme.example",
                                       .role = "member"});
            }),
            "there is a member `CAROL@acme.example` already");
  EXPECT_EQ(refusal([&] {
              return CreateAgent(tx, {.tenant_id = acme_.id, .name = "ATLAS"});
            }),
            "create an agent: there is an agent `ATLAS` already in the tenant");
}

TEST_F(IdentityTest, ASlugIsLowerCaseLettersDigitsAndDashes) {
  Transaction tx = Direct();
  for (const std::string& slug :
       {std::string(), std::string("A B"), std::string("Acme"),
        std::string("acme_eu"), std::string("caf\xc3\xa9"), std::string("a\n"),
        std::string(64, 'a')}) {
    SCOPED_TRACE(slug);
    EXPECT_THAT(CreateTenant(tx, {.slug = slug, .name = "x"}),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(EnsureTenant(tx, {.slug = slug, .name = "x"}),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_EQ(CreateTenant(tx, {.slug = "A B", .name = "x"}).status().message(),
            "create a tenant: the slug `A B` doesn't fit: use 1 to 63 "
            "lower-case letters (a-z), digits and dashes, such as `acme-eu`");
  EXPECT_THAT(CreateTenant(tx, {.slug = "acme-eu-2", .name = "x"}), IsOk());
  EXPECT_THAT(CreateTenant(tx, {.slug = std::string(63, 'a'), .name = "x"}),
              IsOk());
  // One from before that rule goes on.
  database_->Super().Run("UPDATE tenants SET slug = 'A B' WHERE slug = 'acme'");
  Transaction later = Direct();
  EXPECT_EQ(*EnsureTenant(later, {.slug = "A B", .name = "x"}), acme_.id);
}

TEST_F(IdentityTest, WhatIsWrongIsRefused) {
  Transaction tx = Direct();
  const auto refused = [&](auto create) {
    absl::Status status;
    static_cast<void>(tx.InSavepoint([&] {
      status = create().status();
      return status;
    }));
    return status.code();
  };
  EXPECT_EQ(refused([&] {
              return CreateToken(tx, {.tenant_id = acme_.id,
                                      .kind = PrincipalKind::kAgent,
                                      .name = "nobody's",
                                      .token_sha256 = Sha256Hex("x")});
            }),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused([&] {
              return CreateAgent(tx, {.tenant_id = acme_.id, .name = ""});
            }),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refused([&] {
              return CreateAgent(tx, {.tenant_id = "acme", .name = "x"});
            }),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(IdentityTest, EnsureFindsWhatIsThere) {
  Transaction tx = Direct();
  EXPECT_EQ(*EnsureTenant(tx, {.slug = "acme", .name = "other"}), acme_.id);
  EXPECT_EQ(*EnsureAgent(tx, {.tenant_id = acme_.id, .name = "ATLAS"}),
            acme_.agent);
  EXPECT_EQ(*EnsureMember(tx, {.tenant_id = acme_.id,
                               .email = "carol@acme.example",
                               .role = "none"}),
            acme_.carol);
  EXPECT_EQ(*EnsureToken(tx, {.tenant_id = acme_.id,
                              .token_sha256 = AgentTokenHash("acme")}),
            acme_.agent_token);
  const auto fresh = EnsureTenant(tx, {.slug = "new", .name = "New"});
  ASSERT_THAT(fresh, IsOk());
  EXPECT_EQ(*EnsureTenant(tx, {.slug = "new", .name = "New"}), *fresh);
  EXPECT_THAT(FindTenant(tx, "none"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(IdentityTest, FactsAreWhatTheTablesSay) {
  const SeededTenant bolt = database_->Seed("bolt");
  database_->Super().Run("UPDATE tenants SET seat = 'pro' WHERE slug = 'acme'");
  Transaction tx = Runtime({acme_.id});
  const std::vector<std::string> tenants = {acme_.id, bolt.id};
  const std::vector<std::string> agents = {acme_.agent, bolt.agent, "", "x"};
  const auto facts = ReadFacts(tx, tenants, agents);
  ASSERT_THAT(facts, IsOk());
  ASSERT_EQ(facts->tenants.size(), 1u);
  ASSERT_EQ(facts->agents.size(), 1u);
  EXPECT_EQ(facts->tenants.at(acme_.id).slug, "acme");
  EXPECT_EQ(facts->tenants.at(acme_.id).seat, "pro");
  const AgentRecord& agent = facts->agents.at(acme_.agent);
  EXPECT_EQ(agent.name, "ATLAS");
  EXPECT_EQ(agent.role, "executor");
  EXPECT_EQ(agent.status, "active");
  EXPECT_EQ(agent.tier, 2);
  EXPECT_THAT(agent.labels, ElementsAre("trusted", "a,b \"c\""));
  EXPECT_GT(facts->now, absl::FromUnixSeconds(1700000000));
}

TEST_F(IdentityTest, PolicySetsAreStoredOnceAndActivatedWithAnEntry) {
  const PolicySet set = {
      .digest = absl::StrCat("sha256:", Sha256Hex("set")),
      .sources = {{.name = "a.sgl", .text = "policy a version 1\n\"\\{}'"},
                  {.name = "b.sgl", .text = ""}}};
  Transaction tx = Runtime();
  EXPECT_FALSE(GetActivePolicy(tx)->has_value());
  EXPECT_EQ(*GetActiveDigest(tx), "");
  EXPECT_THAT(ActivatePolicy(tx, set.digest, Activation::kFirstOnly, {}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(StorePolicy(tx, set, "test"), IsOk());
  EXPECT_THAT(StorePolicy(tx, set, "test"), IsOk());
  EXPECT_THAT(ActivatePolicy(tx, set.digest, Activation::kFirstOnly, {}),
              IsOk());
  EXPECT_THAT(ActivatePolicy(tx, set.digest, Activation::kFirstOnly, {}),
              IsOk());
  const PolicySet other = {.digest =
                               absl::StrCat("sha256:", Sha256Hex("other"))};
  EXPECT_THAT(StorePolicy(tx, other, "test"), IsOk());
  EXPECT_THAT(ActivatePolicy(tx, other.digest, Activation::kFirstOnly, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  const auto active = GetActivePolicy(tx);
  ASSERT_THAT(active, IsOk());
  ASSERT_TRUE(active->has_value());
  EXPECT_EQ((*active)->digest, set.digest);
  EXPECT_EQ((*active)->sources, set.sources);
  ASSERT_THAT(tx.Commit(), IsOk());
  tx = Direct();
  EXPECT_THAT(ActivatePolicy(tx, other.digest, Activation::kReplace, {}),
              IsOk());
  const auto replaced = GetActivePolicy(tx);
  EXPECT_EQ((*replaced)->digest, other.digest);
  EXPECT_THAT((*replaced)->sources, IsEmpty());
  ASSERT_THAT(tx.Commit(), IsOk());
  auto& super = database_->Super();
  EXPECT_EQ(super.Value("SELECT count(*) FROM audit_log "
                        "WHERE action = 'POLICY_ACTIVATED'"),
            "2");
  EXPECT_EQ(super.Run("UPDATE policies SET author = 'x'").sqlstate, "23001");
  EXPECT_EQ(super.Run("DELETE FROM policies").sqlstate, "23001");
  EXPECT_EQ(super.Run("TRUNCATE policies CASCADE").sqlstate, "23001");
}

}  // namespace
}  // namespace sgl::storage
