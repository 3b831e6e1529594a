// Proves that versions are their tenant's own in the database too, that a layer
// is activated by the right people only, and that nothing is settled under a
// layer that was replaced before the commit, without one tenant ever waiting
// for another.

#include "storage/policies.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/sha256.h"
#include "storage/intents.h"
#include "storage/settlement.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::IsEmpty;

constexpr char kSystem[] = "00000000-0000-0000-0000-000000000001";

PolicySet SetOfText(const std::string& text) {
  return {.digest = absl::StrCat("sha256:", Sha256Hex(text)),
          .sources = {{.name = "a.sgl", .text = text}}};
}

class PoliciesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Transaction tx = Begin({});
    ASSERT_THAT(StorePolicy(tx, platform_, "test"), IsOk());
    ASSERT_THAT(
        ActivatePolicy(tx, platform_.digest, Activation::kFirstOnly, {}),
        IsOk());
    ASSERT_THAT(tx.Commit(), IsOk());
    // carol of each tenant may change its layer.
    const auto granted = database_->Super().Run(absl::StrCat(
        "INSERT INTO member_roles VALUES ('", acme_.id, "', '", acme_.carol,
        "', 'policy'), ('", bolt_.id, "', '", bolt_.carol, "', 'policy')"));
    ASSERT_TRUE(granted.ok()) << granted.error;
  }

  Transaction Begin(std::vector<std::string> tenants) {
    auto tx = database_->runtime().Begin({.tenants = std::move(tenants)});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }

  std::string Propose(const SeededTenant& tenant, const std::string& text) {
    Transaction tx = Begin({tenant.id});
    const PolicySet set = SetOfText(text);
    const auto stored = ProposePolicy(tx, {.tenant_id = tenant.id, .set = set});
    EXPECT_THAT(stored, IsOk());
    EXPECT_THAT(tx.Commit(), IsOk());
    return set.digest;
  }

  absl::StatusOr<ActivationOutcome> Activate(const SeededTenant& tenant,
                                             const std::string& digest,
                                             const std::string& user) {
    Transaction tx = Begin({tenant.id});
    const auto locked = LockTenantPolicy(tx, tenant.id);
    if (!locked.ok()) return locked.status();
    auto outcome = ActivateTenantPolicy(tx, tenant.id, digest, user);
    const absl::Status committed = tx.Commit();
    if (!committed.ok()) return committed;
    return outcome;
  }

  // Inserts a DRAFT of the tenant and claims it.
  Settlement Claimed(Transaction& tx, const SeededTenant& tenant,
                     const std::string& layer) {
    const std::string id = database_->Super().Value(
        absl::StrCat("INSERT INTO intents (tenant_id, agent_id, intent_type) "
                     "VALUES ('",
                     tenant.id, "', '", tenant.agent, "', 'T') RETURNING id"));
    const auto row = LockIntent(tx, id);
    EXPECT_THAT(row, IsOk());
    return {.intent_id = id,
            .tenant_id = tenant.id,
            .status = IntentStatus::kBlockedSgl,
            .decision = R"({"decision":"BLOCK"})",
            .sgl_result = "BLOCK",
            .policy_digest = platform_.digest,
            .layer_digest = layer,
            .audit = {{.action = "SGL_EVALUATED"}}};
  }

  bool SomebodyWaits() {
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

  const PolicySet platform_ = SetOfText("platform");
  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
};

TEST_F(PoliciesTest, AVersionIsItsTenantsOwn) {
  const std::string digest = Propose(acme_, "layer of acme");
  EXPECT_THAT(Activate(acme_, digest, acme_.carol), IsOk());
  {
    Transaction tx = Begin({acme_.id});
    const auto found =
        GetPolicyVersion(tx, {.tenant_id = acme_.id, .digest = digest});
    ASSERT_THAT(found, IsOk());
    EXPECT_TRUE(found->is_active);
    EXPECT_EQ(found->activated_by.user_id, acme_.carol);
    EXPECT_EQ(found->set.sources[0].text, "layer of acme");
    EXPECT_FALSE(*ProposePolicy(
        tx, {.tenant_id = acme_.id, .set = SetOfText("layer of acme")}));
  }
  Transaction bolt = Begin({bolt_.id});
  EXPECT_THAT(GetPolicyVersion(bolt, {.tenant_id = acme_.id}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(*ActiveLayers(bolt, {digest}), IsEmpty());
  EXPECT_THAT(*AllActiveLayers(bolt, "", 10), IsEmpty());
  Transaction system = Begin({kSystem});
  EXPECT_EQ(AllActiveLayers(system, "", 10)->size(), 1u);
  EXPECT_THAT(*AllActiveLayers(system, acme_.id, 10), IsEmpty());
  // With no tenant at all there is nothing to see.
  Transaction nobody = Begin({});
  EXPECT_THAT(GetPolicyVersion(nobody, {.only_active = true}),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(PoliciesTest, NobodyWritesForAnother) {
  for (const std::string& victim : {acme_.id, std::string()}) {
    Transaction tx = Begin({bolt_.id});
    EXPECT_THAT(
        ProposePolicy(tx, {.tenant_id = victim, .set = SetOfText("mine")}),
        StatusIs(absl::StatusCode::kInternal));
  }
  const std::string digest = Propose(acme_, "layer of acme");
  Transaction lock = Begin({bolt_.id});
  EXPECT_THAT(LockTenantPolicy(lock, acme_.id),
              StatusIs(absl::StatusCode::kInternal));
  Transaction tx = Begin({bolt_.id});
  EXPECT_EQ(*ActivateTenantPolicy(tx, acme_.id, digest, acme_.carol),
            ActivationOutcome::kForbidden);
  // A member without the role, one of another tenant, nobody; and not another
  // tenant's version.
  EXPECT_EQ(*Activate(acme_, digest, acme_.dave),
            ActivationOutcome::kForbidden);
  EXPECT_EQ(*Activate(acme_, digest, bolt_.carol),
            ActivationOutcome::kForbidden);
  EXPECT_EQ(*Activate(bolt_, digest, bolt_.carol), ActivationOutcome::kUnknown);
  // Nor one who held the role and was removed.
  database_->Super().Run(
      absl::StrCat("UPDATE tenant_members SET role = 'policy', "
                   "removed_at = engine_now() WHERE user_id = '",
                   acme_.dave, "'"));
  EXPECT_EQ(*Activate(acme_, digest, acme_.dave),
            ActivationOutcome::kForbidden);
  EXPECT_EQ(database_->Super().Value("SELECT count(*) FROM active_policies"),
            "1");
}

TEST_F(PoliciesTest, TheSystemTenantHasNoLayer) {
  database_->Super().Run(absl::StrCat(
      "INSERT INTO app_users (id, tenant_id) VALUES "
      "('00000000-0000-0000-0000-0000000000aa', '",
      kSystem, "'); INSERT INTO tenant_members (tenant_id, user_id, role) ",
      "VALUES ('", kSystem,
      "', '00000000-0000-0000-0000-0000000000aa', 'policy')"));
  Transaction tx = Begin({kSystem});
  EXPECT_EQ(*ActivateTenantPolicy(tx, kSystem, platform_.digest,
                                  "00000000-0000-0000-0000-0000000000aa"),
            ActivationOutcome::kForbidden);
}

TEST_F(PoliciesTest, AReplacedLayerMeansDecideAgainForItsTenant) {
  const std::string layer = Propose(acme_, "layer of acme");
  ASSERT_EQ(*Activate(acme_, layer, acme_.carol),
            ActivationOutcome::kActivated);
  EXPECT_EQ(*Activate(acme_, layer, acme_.carol),
            ActivationOutcome::kUnchanged);
  Transaction tx = Begin({acme_.id, bolt_.id});
  const Settlement stale = Claimed(tx, acme_, "");
  const Settlement fresh = Claimed(tx, bolt_, "");
  EXPECT_THAT(tx.InSavepoint([&] {
    return SettleIntents(tx, platform_.digest, std::vector{stale});
  }),
              StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(SettleIntents(tx, platform_.digest, std::vector{fresh}), IsOk());
  Settlement again = stale;
  again.layer_digest = layer;
  EXPECT_THAT(SettleIntents(tx, platform_.digest, std::vector{again}), IsOk());
}

TEST_F(PoliciesTest, WhatIsBuiltInIsComparedWithNothing) {
  Transaction tx = Begin({acme_.id});
  Settlement settlement = Claimed(tx, acme_, "sha256:another");
  settlement.is_built_in = true;
  EXPECT_THAT(SettleIntents(tx, "sha256:another", std::vector{settlement}),
              IsOk());
}

TEST_F(PoliciesTest, AnActivationOfALayerWaitsForItsOwnTenantOnly) {
  const std::string layer = Propose(acme_, "layer of acme");
  const std::string other = Propose(bolt_, "layer of bolt");
  Transaction tx = Begin({acme_.id});
  ASSERT_THAT(
      SettleIntents(tx, platform_.digest, std::vector{Claimed(tx, acme_, "")}),
      IsOk());
  // bolt's does not wait for acme's settlement.
  EXPECT_EQ(*Activate(bolt_, other, bolt_.carol),
            ActivationOutcome::kActivated);
  absl::StatusOr<ActivationOutcome> activated = absl::UnknownError("not run");
  std::thread waiting([&] { activated = Activate(acme_, layer, acme_.carol); });
  EXPECT_TRUE(SomebodyWaits());
  EXPECT_EQ(database_->Super().Value(
                absl::StrCat("SELECT count(*) FROM active_policies WHERE "
                             "tenant_id = '",
                             acme_.id, "'")),
            "0");
  EXPECT_THAT(tx.Commit(), IsOk());
  waiting.join();
  ASSERT_THAT(activated, IsOk());
  EXPECT_EQ(*activated, ActivationOutcome::kActivated);
}

TEST_F(PoliciesTest, VersionsNeverChange) {
  auto& super = database_->Super();
  EXPECT_EQ(super.Run("UPDATE policies SET description = 'x'").sqlstate,
            "23001");
  EXPECT_EQ(super.Run("DELETE FROM policies").sqlstate, "23001");
}

}  // namespace
}  // namespace sgl::storage
