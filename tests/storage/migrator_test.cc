// Proves the migrator against a real server: twice and two at once are safe, an
// edited migration is refused, a reset leaves a fresh schema, and a role that
// is no superuser can do it all.

#include "storage/migrator.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MigratorTest, DeployAppliesAllOnce) {
  const auto database = TestDatabase::MakeEmpty();
  const auto first = Deploy(database->direct_url());
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->size(), BuiltInMigrations().size());
  const auto second = Deploy(database->direct_url());
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT(*second, IsEmpty());
}

TEST(MigratorTest, TwoDeploysAtOnceApplyEachMigrationOnce) {
  const auto database = TestDatabase::MakeEmpty();
  std::vector<absl::StatusOr<std::vector<std::string>>> applied(
      4, absl::UnknownError("not run"));
  std::vector<std::thread> threads;
  for (auto& one : applied) {
    threads.emplace_back([&] { one = Deploy(database->direct_url()); });
  }
  for (std::thread& thread : threads) thread.join();
  size_t total = 0;
  for (const auto& one : applied) {
    ASSERT_THAT(one, IsOk());
    total += one->size();
  }
  EXPECT_EQ(total, BuiltInMigrations().size());
}

TEST(MigratorTest, SeveralDatabasesOfOneClusterDeployAtOnce) {
  std::vector<std::unique_ptr<TestDatabase>> databases;
  for (int i = 0; i < 4; ++i) databases.push_back(TestDatabase::MakeEmpty());
  std::vector<absl::Status> statuses(databases.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < databases.size(); ++i) {
    threads.emplace_back(
        [&, i] { statuses[i] = Deploy(databases[i]->direct_url()).status(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) EXPECT_THAT(status, IsOk());
}

TEST(MigratorTest, AnEditedMigrationIsRefusedAndNothingIsApplied) {
  const auto database = TestDatabase::MakeEmpty();
  std::vector<Migration> migrations = {
      {"0001_one", "CREATE TABLE one (x integer);"}};
  ASSERT_THAT(DeployMigrations(database->direct_url(), migrations), IsOk());
  migrations[0].sql += " ";
  migrations.push_back({"0002_two", "CREATE TABLE two (x integer);"});
  const auto refused = DeployMigrations(database->direct_url(), migrations);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(refused.status().message(),
            "deploy: the migration `0001_one` was edited after it was applied "
            "here; put its text back and make the change in a new migration");
  EXPECT_EQ(database->Super().Value("SELECT to_regclass('two') IS NULL"), "t");
}

TEST(MigratorTest, AMigrationOfANewerBuildIsRefused) {
  const auto database = TestDatabase::MakeEmpty();
  const std::vector<Migration> newer = {{"9999_future", "SELECT 1"}};
  ASSERT_THAT(DeployMigrations(database->direct_url(), newer), IsOk());
  const auto refused = Deploy(database->direct_url());
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(refused.status().message(), HasSubstr("`9999_future`"));
}

TEST(MigratorTest, AFailedMigrationLeavesNothing) {
  const auto database = TestDatabase::MakeEmpty();
  const std::vector<Migration> broken = {
      {"0001_fine", "CREATE TABLE one (x integer)"},
      {"0002_broken", "CREATE TABLE two (x integer); SELECT nonsense"}};
  const auto failed = DeployMigrations(database->direct_url(), broken);
  EXPECT_THAT(failed, StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(failed.status().message(), HasSubstr("0002_broken"));
  EXPECT_EQ(database->Super().Value("SELECT string_agg(name, ',') "
                                    "FROM schema_migrations"),
            "0001_fine");
  EXPECT_EQ(database->Super().Value("SELECT to_regclass('two') IS NULL"), "t");
}

TEST(MigratorTest, ResetLeavesAFreshSchema) {
  const auto database = TestDatabase::Make();
  database->Seed("acme");
  ASSERT_THAT(Reset(database->direct_url()), IsOk());
  // Of the tenants only the one that migrations make.
  EXPECT_EQ(
      database->Super().Value("SELECT string_agg(slug, ',') FROM tenants"),
      "system");
  const auto status = MigrationStatus(database->direct_url());
  ASSERT_THAT(status, IsOk());
  for (const MigrationState& state : *status) EXPECT_TRUE(state.applied);
  database->Seed("acme");
}

TEST(MigratorTest, ResetLeavesExtensionsAlone) {
  const auto database = TestDatabase::Make();
  // Views and functions that are the superuser's, in our schema.
  const auto created =
      database->Super().Run("CREATE EXTENSION pg_stat_statements");
  ASSERT_TRUE(created.ok()) << created.error;
  ASSERT_THAT(Reset(database->direct_url()), IsOk());
  EXPECT_EQ(database->Super().Value(
                "SELECT to_regclass('pg_stat_statements') IS NOT NULL"),
            "t");
}

TEST(MigratorTest, ASchemaOfTheUrlIsHonoured) {
  const auto database = TestDatabase::MakeEmpty();
  const std::string url = absl::StrCat(
      database->direct_url(),
      database->direct_url().find('?') == std::string::npos ? "?" : "&",
      "schema=app&pgbouncer=true");
  ASSERT_THAT(Deploy(url), IsOk());
  EXPECT_EQ(
      database->Super().Value("SELECT to_regclass('app.intents') IS NOT NULL "
                              "AND to_regclass('public.intents') IS NULL"),
      "t");
  // A writer whose search path is another one still gets its triggers.
  ASSERT_TRUE(database->Super()
                  .Run("INSERT INTO app.tenants (slug, name) VALUES ('a', 'a');"
                       "INSERT INTO app.intents (tenant_id, intent_type) "
                       "SELECT id, 'T' FROM app.tenants;"
                       "UPDATE app.intents SET title = 'x';"
                       "INSERT INTO app.system_state (key, value) "
                       "SELECT 'tenant:' || id || ':atlas_online', '{}' "
                       "FROM app.tenants;"
                       "DELETE FROM app.system_state")
                  .ok());
}

TEST(MigratorTest, NobodyStaysInTheDefinersRole) {
  const auto database = TestDatabase::Make();
  // From PostgreSQL 16 on who makes a role keeps a membership that only lets
  // them grant it; its columns are not there before.
  EXPECT_EQ(
      database->Super().Value(
          "SELECT count(*) FROM pg_auth_members AS m "
          "JOIN pg_roles AS r ON r.oid = m.roleid "
          "WHERE r.rolname = 'intent_definer' "
          "AND (coalesce((to_jsonb(m)->>'inherit_option')::boolean, true) "
          "OR coalesce((to_jsonb(m)->>'set_option')::boolean, true))"),
      "0");
}

TEST(MigratorTest, NewMigrationsGetTheNextNumber) {
  char folder[] = "/tmp/intent_migrations.XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const auto first = CreateMigration(folder, "add_budgets");
  const auto second = CreateMigration(folder, "more");
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(*first, absl::StrCat(folder, "/0001_add_budgets.sql"));
  EXPECT_EQ(*second, absl::StrCat(folder, "/0002_more.sql"));
  EXPECT_THAT(CreateMigration(folder, "../up"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(CreateMigration(absl::StrCat(folder, "/none"), "x"),
              ::testing::Not(IsOk()));
  std::filesystem::remove_all(folder);
}

TEST(MigratorTest, BuiltInMigrationsAreInOrder) {
  std::string previous;
  for (const Migration& migration : BuiltInMigrations()) {
    EXPECT_LT(previous, migration.name);
    EXPECT_FALSE(migration.sql.empty());
    previous = migration.name;
  }
}

}  // namespace
}  // namespace sgl::storage
