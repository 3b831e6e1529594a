// Proves the pool, the role check and the listener against a real server: no
// connection is used after it broke, a lost commit is called unknown, limits
// end what they limit, and a listener says when it missed something.

#include "storage/database.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "storage/intents.h"
#include "storage/listener.h"
#include "storage/migrator.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::Contains;
using ::testing::HasSubstr;

class DatabaseTest : public ::testing::Test {
 protected:
  // Ends every connection of the engine's role, as a restart does.
  void KillRuntime() {
    database_->Super().Run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE usename = 'intent_login'");
  }

  absl::StatusOr<std::unique_ptr<Database>> Open(
      const DatabaseOptions& options) {
    return Database::Create(database_->runtime_url(), options);
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
};

TEST_F(DatabaseTest, DeadConnectionsAreReplaced) {
  {
    auto one = database_->runtime().Begin({});
    auto two = database_->runtime().Begin({});
    ASSERT_THAT(one, IsOk());
    ASSERT_THAT(two, IsOk());
  }
  KillRuntime();
  for (int i = 0; i < 3; ++i) {
    auto tx = database_->runtime().Begin({});
    ASSERT_THAT(tx, IsOk());
    EXPECT_THAT(ReadNow(*tx), IsOk());
    EXPECT_THAT(tx->Commit(), IsOk());
  }
}

TEST_F(DatabaseTest, ATransactionDiesWithItsConnection) {
  const SeededTenant acme = database_->Seed("acme");
  auto tx = database_->runtime().Begin({.tenants = {acme.id}});
  ASSERT_THAT(tx, IsOk());
  KillRuntime();
  EXPECT_THAT(ReadNow(*tx), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(ReadNow(*tx), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(tx->Commit(), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(ReadNow(*tx), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(DatabaseTest, ALostCommitIsUnknown) {
  auto tx = database_->runtime().Begin({});
  ASSERT_THAT(tx, IsOk());
  KillRuntime();
  EXPECT_THAT(tx->Commit(), StatusIs(absl::StatusCode::kUnknown));
}

TEST_F(DatabaseTest, TenantsDoNotOutliveTheirTransaction) {
  const SeededTenant acme = database_->Seed("acme");
  auto db = Open({.connections_max = 1});
  ASSERT_THAT(db, IsOk());
  {
    auto tx = (*db)->Begin({.tenants = {acme.id}});
    ASSERT_THAT(tx, IsOk());
    EXPECT_THAT(ListIntents(*tx, {}, std::nullopt, 1), IsOk());
    EXPECT_THAT(tx->Commit(), IsOk());
  }
  auto tx = (*db)->Begin({});
  ASSERT_THAT(tx, IsOk());
  EXPECT_THAT(ListIntents(*tx, {}, std::nullopt, 1),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT((*db)->Begin({.tenants = {"'; DROP TABLE x"}}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(DatabaseTest, ABusyPoolRefusesInsteadOfWaitingForever) {
  auto db =
      Open({.connections_max = 1, .acquire_timeout = absl::Milliseconds(20)});
  ASSERT_THAT(db, IsOk());
  auto held = (*db)->Begin({});
  ASSERT_THAT(held, IsOk());
  EXPECT_THAT((*db)->Begin({}), StatusIs(absl::StatusCode::kResourceExhausted));
  held->Rollback();
  EXPECT_THAT((*db)->Begin({}), IsOk());
}

TEST_F(DatabaseTest, ATransactionOutlivesItsDatabase) {
  auto db = Open({});
  ASSERT_THAT(db, IsOk());
  auto tx = (*db)->Begin({});
  ASSERT_THAT(tx, IsOk());
  db->reset();
  EXPECT_THAT(ReadNow(*tx), IsOk());
  EXPECT_THAT(tx->Commit(), IsOk());
}

TEST_F(DatabaseTest, EachStatementSeesWhatIsCommittedWhateverTheDefault) {
  ASSERT_TRUE(database_->Super()
                  .Run(absl::StrCat("ALTER DATABASE ", database_->name(),
                                    " SET default_transaction_isolation = "
                                    "'serializable'"))
                  .ok());
  auto db = Open({});
  ASSERT_THAT(db, IsOk());
  auto tx = (*db)->Begin({});
  ASSERT_THAT(tx, IsOk());
  EXPECT_TRUE(*EngineEnabled(*tx));
  ASSERT_TRUE(database_->Super()
                  .Run("INSERT INTO system_state (key, value) VALUES "
                       "('atlas_online', '{\"engine_enabled\": false}')")
                  .ok());
  EXPECT_FALSE(*EngineEnabled(*tx));
}

TEST_F(DatabaseTest, TimesTravelToTheMicrosecond) {
  for (const char* time :
       {"0001-01-01 00:00:00.000001+00", "1969-12-31 23:59:59.999999+00",
        "2026-11-22 12:34:56.789012+00", "2255-06-05 23:47:34.740995+00",
        "9999-12-31 23:59:59.999999+00"}) {
    SCOPED_TRACE(time);
    EXPECT_EQ(database_->Super().Value(
                  absl::StrCat("SELECT from_micros(to_micros('", time,
                               "')) = timestamptz '", time, "'")),
              "t");
  }
}

TEST_F(DatabaseTest, LocksAreWaitedForOnlySoLong) {
  const SeededTenant acme = database_->Seed("acme");
  ASSERT_TRUE(database_->Owner()
                  .Run(absl::StrCat("INSERT INTO intents (tenant_id, "
                                    "intent_type) VALUES ('",
                                    acme.id, "', 'T')"))
                  .ok());
  auto holder = database_->runtime().Begin({});
  ASSERT_THAT(holder, IsOk());
  const auto claimed = ClaimDraftIntents(*holder, 1);
  ASSERT_THAT(claimed, IsOk());
  ASSERT_EQ(claimed->size(), 1u);
  auto db = Open({.lock_timeout = absl::Milliseconds(30)});
  ASSERT_THAT(db, IsOk());
  auto tx = (*db)->Begin({.tenants = {acme.id}});
  ASSERT_THAT(tx, IsOk());
  EXPECT_THAT(LockIntent(*tx, (*claimed)[0].id),
              StatusIs(absl::StatusCode::kAborted));
  // A caller's shorter deadline ends it first.
  auto hasty = database_->runtime().Begin(
      {.tenants = {acme.id}, .statement_timeout = absl::Milliseconds(30)});
  ASSERT_THAT(hasty, IsOk());
  const auto locked = LockIntent(*hasty, (*claimed)[0].id);
  EXPECT_TRUE(absl::IsDeadlineExceeded(locked.status()) ||
              absl::IsAborted(locked.status()))
      << locked.status();
}

TEST_F(DatabaseTest, AnUnreachableServerIsUnavailable) {
  auto db = Database::Create("host=/nonexistent dbname=x", {});
  ASSERT_THAT(db, IsOk());
  EXPECT_THAT((*db)->Begin({}), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(DatabaseTest, OnlyARuntimeRoleMayServe) {
  EXPECT_THAT(database_->runtime().CheckRuntimeRole(), IsOk());
  const auto refusal = [&](const std::string& url) {
    auto db = Database::Create(url, {});
    EXPECT_THAT(db, IsOk());
    const absl::Status status = (*db)->CheckRuntimeRole();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(database_->superuser_url()),
              HasSubstr("`postgres` is a superuser; let DATABASE_URL"));
  EXPECT_THAT(refusal(database_->direct_url()),
              HasSubstr("`intent_owner` owns the tables"));
  const std::string login = "intent_login";
  const auto as = [&](const std::string& role) {
    std::string url = database_->runtime_url();
    return url.replace(url.find(login), login.size(), role);
  };
  auto& super = database_->Super();
  super.Run("CREATE ROLE stranger LOGIN");
  super.Run("CREATE ROLE bypasser LOGIN BYPASSRLS");
  super.Run("CREATE ROLE definer LOGIN IN ROLE intent_definer");
  EXPECT_THAT(refusal(as("stranger")), HasSubstr("is no member of"));
  EXPECT_THAT(refusal(as("bypasser")), HasSubstr("has BYPASSRLS"));
  EXPECT_THAT(refusal(as("definer")), HasSubstr("acts as intent_definer"));
  super.Run("DROP ROLE stranger, bypasser, definer");
  const auto empty = TestDatabase::MakeEmpty();
  EXPECT_THAT(refusal(empty->runtime_url()), HasSubstr("db deploy"));
}

TEST_F(DatabaseTest, AListenerHearsInsertsAndSaysWhenItMissedSome) {
  const SeededTenant acme = database_->Seed("acme");
  auto listener = Listener::Create(database_->direct_url(), {kDraftChannel});
  ASSERT_THAT(listener, IsOk());
  const auto insert = [&] {
    ASSERT_TRUE(
        database_->Owner()
            .Run(absl::StrCat("INSERT INTO intents (tenant_id, "
                              "intent_type) VALUES ('",
                              acme.id, "', 'T'), ('", acme.id, "', 'T')"))
            .ok());
  };
  const auto first = (*listener)->Wait(absl::Seconds(10));
  ASSERT_THAT(first, IsOk());
  EXPECT_TRUE(first->reconnected);
  insert();
  const auto heard = (*listener)->Wait(absl::Seconds(10));
  ASSERT_THAT(heard, IsOk());
  EXPECT_FALSE(heard->reconnected);
  EXPECT_THAT(heard->notifications,
              ::testing::ElementsAre(Notification{kDraftChannel, ""}));
  const auto quiet = (*listener)->Wait(absl::Milliseconds(10));
  ASSERT_THAT(quiet, IsOk());
  EXPECT_TRUE(quiet->notifications.empty());

  database_->Super().Run(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
      "WHERE application_name = 'intent-engine listener'");
  EXPECT_THAT((*listener)->Wait(absl::Seconds(10)),
              StatusIs(absl::StatusCode::kUnavailable));
  const auto again = (*listener)->Wait(absl::Seconds(10));
  ASSERT_THAT(again, IsOk());
  EXPECT_TRUE(again->reconnected);
  insert();
  EXPECT_EQ((*listener)->Wait(absl::Seconds(10))->notifications.size(), 1u);
}

TEST_F(DatabaseTest, AnInterruptEndsTheWait) {
  auto listener = Listener::Create(database_->direct_url(), {kDraftChannel});
  ASSERT_THAT(listener, IsOk());
  ASSERT_THAT((*listener)->Wait(absl::Seconds(10)), IsOk());
  std::thread other([&] { (*listener)->Interrupt(); });
  // Would hang for the test's whole time otherwise.
  const auto woken = (*listener)->Wait(absl::Hours(1));
  other.join();
  ASSERT_THAT(woken, IsOk());
  EXPECT_TRUE(woken->notifications.empty());
}

}  // namespace
}  // namespace sgl::storage
