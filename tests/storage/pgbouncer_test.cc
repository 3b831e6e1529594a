// Proves that the storage layer works through PgBouncer in transaction mode,
// where every transaction may meet another server connection and two clients
// share one.

#include "tests/support/pgbouncer.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/sha256.h"
#include "storage/audit.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/settlement.h"
#include "storage/submissions.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::PgBouncer;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::TestDatabase;

constexpr int kIntentsEach = 20;

// Submits, commits, and reads back as one tenant, over and over.
void SubmitAll(Database& db, const SeededTenant& tenant) {
  for (int i = 0; i < kIntentsEach; ++i) {
    auto tx = db.Begin({.tenants = {tenant.id}});
    ASSERT_THAT(tx, IsOk());
    const auto outcome =
        InsertIntent(*tx, {.tenant_id = tenant.id,
                           .agent_id = tenant.agent,
                           .principal_id = tenant.agent,
                           .request_id = absl::StrCat(i),
                           .body_sha256 = "b",
                           .intent_type = "T",
                           .payload = "{}",
                           .payload_sha256 = Sha256Hex("{}"),
                           .audit = {.action = "INTENT_SUBMITTED"}});
    ASSERT_THAT(outcome, IsOk());
    ASSERT_THAT(tx->Commit(), IsOk());
    auto read = db.Begin({.tenants = {tenant.id}});
    ASSERT_THAT(read, IsOk());
    const auto rows = ListIntents(*read, {}, std::nullopt, 200);
    ASSERT_THAT(rows, IsOk());
    EXPECT_EQ(rows->size(), static_cast<size_t>(i) + 1);
    ASSERT_THAT(read->Commit(), IsOk());
  }
}

TEST(PgBouncerTest, TenantsDoNotMeetOnASharedConnection) {
  const auto database = TestDatabase::Make();
  const SeededTenant acme = database->Seed("acme");
  const SeededTenant bolt = database->Seed("bolt");
  const auto bouncer = PgBouncer::Start(/*server_connections=*/1);
  auto db = Database::Create(bouncer->RuntimeUrl(*database), {});
  ASSERT_THAT(db, IsOk());
  EXPECT_THAT((*db)->CheckRuntimeRole(), IsOk());
  std::thread other([&] { SubmitAll(**db, acme); });
  SubmitAll(**db, bolt);
  other.join();
  EXPECT_EQ(database->Super().Value("SELECT count(*) FROM pg_stat_activity "
                                    "WHERE usename = 'intent_login'"),
            "1");
}

TEST(PgBouncerTest, ClaimsAndSettlementsWork) {
  const auto database = TestDatabase::Make();
  const SeededTenant acme = database->Seed("acme");
  const auto bouncer = PgBouncer::Start(/*server_connections=*/2);
  auto db = Database::Create(bouncer->RuntimeUrl(*database), {});
  ASSERT_THAT(db, IsOk());
  SubmitAll(**db, acme);
  auto tx = (*db)->Begin({});
  ASSERT_THAT(tx, IsOk());
  const auto claimed = ClaimDraftIntents(*tx, 100);
  ASSERT_THAT(claimed, IsOk());
  ASSERT_EQ(claimed->size(), static_cast<size_t>(kIntentsEach));
  std::vector<Settlement> batch;
  for (const IntentRow& row : *claimed) {
    batch.push_back({.intent_id = row.id,
                     .tenant_id = row.tenant_id,
                     .status = IntentStatus::kFailed,
                     .failure_reason = "NO_EXECUTOR",
                     .audit = {{.action = "ENGINE_FAILED"}}});
  }
  EXPECT_THAT(tx->InSavepoint([&] { return SettleIntents(*tx, "", batch); }),
              IsOk());
  EXPECT_THAT(tx->Commit(), IsOk());
  EXPECT_EQ(database->Super().Value(
                "SELECT count(*) FROM intents WHERE status = 'FAILED'"),
            absl::StrCat(kIntentsEach));
}

}  // namespace
}  // namespace sgl::storage
