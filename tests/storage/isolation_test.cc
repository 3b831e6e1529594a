// Proves, for every table and view that the catalog lists, now and for those to
// come, that no row is seen without its tenant: each holds a row of a tenant
// (made by force where no test knows how), and the engine's role looks for it,
// directly and through PgBouncer, where clients share a connection. And that
// what crosses tenants does only that. Each check of the catalog is shown a
// table, view or function that breaks its rule, so that it is known to see one.

#include <absl/strings/str_cat.h>
#include <absl/strings/substitute.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/identity.h"
#include "storage/intents.h"
#include "tests/support/database.h"
#include "tests/support/pgbouncer.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::PgBouncer;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::SqlResult;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::Contains;
using ::testing::IsEmpty;

class IsolationTest : public ::testing::Test {
 protected:
  std::vector<std::string> Column(const std::string& sql) {
    const SqlResult result = database_->Super().Run(sql);
    EXPECT_TRUE(result.ok()) << sql << "\n" << result.error;
    std::vector<std::string> values;
    for (const auto& row : result.rows) values.push_back(row[0]);
    return values;
  }
  void Plant(const std::string& sql) {
    const SqlResult planted = database_->Super().Run(sql);
    ASSERT_TRUE(planted.ok()) << sql << "\n" << planted.error;
  }
  // Tables, partitions too, or views.
  std::vector<std::string> Relations(const std::string& kinds) {
    return Column(
        absl::StrCat("SELECT relname FROM pg_class WHERE relnamespace = "
                     "'public'::regnamespace AND relkind IN (",
                     kinds, ") AND relname <> 'schema_migrations' ORDER BY 1"));
  }

  // Puts a row of bolt's into each table that has none, whatever its checks
  // and keys ask for: what is looked for is only whether it is seen.
  void FillByForce() {
    Plant("SET session_replication_role = replica");
    for (const std::string& table : Relations("'r', 'p'")) {
      const std::string key = table == "tenants" ? "id" : "tenant_id";
      if (database_->Super().Value(absl::StrCat("SELECT count(*) FROM ", table,
                                                " WHERE ", key, " = '",
                                                bolt_.id, "'")) != "0") {
        continue;
      }
      // A partition gets its rows through its parent.
      if (database_->Super().Value(
              absl::StrCat("SELECT relispartition FROM pg_class WHERE oid = '",
                           table, "'::regclass")) == "t") {
        continue;
      }
      for (const std::string& check : Column(absl::StrCat(
               "SELECT conname FROM pg_constraint WHERE contype = 'c' "
               "AND conrelid = '",
               table, "'::regclass"))) {
        Plant(absl::StrCat("ALTER TABLE ", table, " DROP CONSTRAINT \"", check,
                           "\""));
      }
      Plant(database_->Super().Value(absl::StrCat(
          "SELECT format('INSERT INTO %I (tenant_id%s) VALUES (%L%s)', '",
          table,
          "', coalesce(string_agg(', ' || quote_ident(attname), '' "
          "ORDER BY attnum), ''), '",
          bolt_.id,
          "', coalesce(string_agg(CASE "
          "WHEN t.typtype = 'e' THEN ', (enum_range(NULL::' || "
          "t.oid::regtype || '))[1]' "
          "WHEN t.typname = 'uuid' THEN ', gen_random_uuid()' "
          "WHEN t.typcategory = 'N' THEN ', 1' "
          "WHEN t.typcategory = 'B' THEN ', true' "
          "WHEN t.typcategory = 'D' THEN ', engine_now()' "
          "WHEN t.typcategory = 'A' THEN ', ''{}''' "
          "WHEN t.typname IN ('json', 'jsonb') THEN ', ''{}''' "
          "WHEN t.typname IN ('xid8', 'pg_snapshot') "
          "THEN ', pg_current_xact_id()' "
          "WHEN t.typname = 'bytea' THEN ', ''\\x00''' ELSE ', ''x''' END, '' "
          "ORDER BY attnum), '')) "
          "FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid "
          "WHERE a.attrelid = '",
          table,
          "'::regclass AND a.attnum > 0 "
          "AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef "
          "AND a.attidentity = '' AND a.attname <> 'tenant_id'")));
    }
    Plant("SET session_replication_role = origin");
    // What is empty can't be seen either way.
    for (const std::string& table : Relations("'r', 'p'")) {
      const bool is_partition =
          database_->Super().Value(
              absl::StrCat("SELECT relispartition FROM pg_class WHERE oid = '",
                           table, "'::regclass")) == "t";
      if (is_partition) continue;
      EXPECT_NE(database_->Super().Value(
                    absl::StrCat("SELECT count(*) FROM ", table)),
                "0")
          << table;
    }
  }

  // Looks for any row, or any of bolt's, in every table, partition and view.
  void ExpectNothingSeen(SqlConnection& connection, bool with_tenant) {
    for (const std::string& relation : Relations("'r', 'p', 'v', 'm'")) {
      SCOPED_TRACE(relation);
      const std::string key = relation == "tenants" ? "id" : "tenant_id";
      const SqlResult rows = connection.Run(absl::StrCat(
          "SELECT ", key, " FROM ", relation,
          with_tenant ? absl::StrCat(" WHERE ", key, " IS DISTINCT FROM '",
                                     acme_.id, "'")
                      : ""));
      // Either no right to look at it at all, or no row to be seen.
      EXPECT_TRUE(rows.sqlstate == "42501" || rows.ok()) << rows.error;
      EXPECT_THAT(rows.rows, IsEmpty());
    }
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
};

TEST_F(IsolationTest, NoRowOfAnyTableIsSeenWithoutItsTenant) {
  FillByForce();
  SqlConnection runtime(database_->runtime_url());
  ExpectNothingSeen(runtime, /*with_tenant=*/false);
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  ExpectNothingSeen(runtime, /*with_tenant=*/true);
  // The same eyes see what is theirs.
  EXPECT_EQ(runtime.Value("SELECT count(*) FROM agent_registry"), "1");
}

TEST_F(IsolationTest, NorThroughPgBouncerWhereClientsShareAConnection) {
  FillByForce();
  const auto bouncer = PgBouncer::Start(/*server_connections=*/1);
  const std::string url =
      absl::StrCat("host=", bouncer->folder(),
                   " port=6432 user=intent_login dbname=", database_->name());
  SqlConnection first(url);
  SqlConnection second(url);
  const std::string backend = first.Value("SELECT pg_backend_pid()");
  for (const char* end : {"COMMIT", "ROLLBACK"}) {
    const SqlResult seen =
        first.Run(absl::StrCat("BEGIN; SELECT set_config('intent.tenants', '{",
                               bolt_.id, "}', true)"));
    ASSERT_TRUE(seen.ok()) << seen.error;
    EXPECT_EQ(first.Value("SELECT count(*) FROM agent_registry"), "1");
    ASSERT_TRUE(first.Run(end).ok());
    EXPECT_EQ(second.Value("SELECT pg_backend_pid()"), backend);
    EXPECT_EQ(second.Value("SELECT count(*) FROM agent_registry"), "0");
    ExpectNothingSeen(second, /*with_tenant=*/false);
  }
}

TEST_F(IsolationTest, ATenantLeftBehindOnASharedConnectionIsNotTaken) {
  const auto bouncer = PgBouncer::Start(/*server_connections=*/1);
  auto db = Database::Create(bouncer->RuntimeUrl(*database_), {});
  ASSERT_THAT(db, IsOk());
  SqlConnection careless(
      absl::StrCat("host=", bouncer->folder(),
                   " port=6432 user=intent_login dbname=", database_->name()));
  // For the session, as nothing of ours does: it outlives the transaction.
  ASSERT_TRUE(
      careless.Run(absl::StrCat("SET intent.tenants = '{", bolt_.id, "}'"))
          .ok());
  ASSERT_EQ(careless.Value("SELECT count(*) FROM agent_registry"), "1");
  Plant(absl::StrCat("INSERT INTO intents (tenant_id, intent_type) VALUES ('",
                     bolt_.id, "', 'T')"));
  ASSERT_EQ(careless.Value("SELECT count(*) FROM intents"), "1");
  // A transaction of ours sets its tenants each time, none of them too.
  auto none = (*db)->Begin({});
  ASSERT_THAT(none, IsOk());
  EXPECT_THAT(ListIntents(*none, {}, std::nullopt, 10),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  none->Rollback();
  auto tx = (*db)->Begin({.tenants = {acme_.id}});
  ASSERT_THAT(tx, IsOk());
  const auto rows = ListIntents(*tx, {}, std::nullopt, 10);
  ASSERT_THAT(rows, IsOk());
  EXPECT_THAT(*rows, IsEmpty());
}

// A table's rows are open to the tenants of the transaction and to nobody
// else: the one policy for all says so word for word. Rows without a tenant are
// the system tenant's to read, by a policy that says that word for word. Any
// other is for a role that it names, never the engine's.
constexpr char kOpenTables[] =
    "SELECT c.relname FROM pg_class AS c "
    "WHERE c.relnamespace = 'public'::regnamespace "
    "AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations' "
    "AND (NOT c.relrowsecurity OR NOT c.relforcerowsecurity "
    "OR NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid "
    "  AND p.polname = 'tenant_rows' AND p.polpermissive AND p.polcmd = '*' "
    "  AND p.polwithcheck IS NULL AND regexp_replace("
    "    pg_get_expr(p.polqual, p.polrelid), '\\s', '', 'g') = format("
    "    '(%s=ANY((SELECT(NULLIF(current_setting(''intent.tenants''::text,"
    "true),''''::text))::uuid[]AS\"nullif\")::uuid[]))', "
    "    CASE c.relname WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END)) "
    "OR EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid "
    "  AND p.polname <> 'tenant_rows' AND (p.polroles && ARRAY[0::oid, "
    "  'intent_runtime'::regrole::oid, 'intent_login'::regrole::oid]) "
    "  AND NOT (p.polname = 'platform_rows' AND p.polcmd = 'r' "
    "  AND regexp_replace(pg_get_expr(p.polqual, p.polrelid), '\\s', '', 'g') "
    "  = '((tenant_idISNULL)AND(''00000000-0000-0000-0000-000000000001''::uuid"
    "=ANY((SELECT(NULLIF(current_setting(''intent.tenants''::text,true),"
    "''''::text))::uuid[]AS\"nullif\")::uuid[])))')) "
    "OR EXISTS (SELECT FROM aclexplode(c.relacl) AS a WHERE a.grantee = 0))";

TEST_F(IsolationTest, EveryTableIsClosedButForTheTenantPolicy) {
  EXPECT_THAT(Column(kOpenTables), IsEmpty());
  const std::string closed =
      "CREATE TABLE planted (id uuid, tenant_id uuid NOT NULL);"
      "ALTER TABLE planted ENABLE ROW LEVEL SECURITY;"
      "ALTER TABLE planted FORCE ROW LEVEL SECURITY;"
      "CREATE POLICY tenant_rows ON planted USING (tenant_id = ANY((SELECT "
      "NULLIF(current_setting('intent.tenants', true), '')::uuid[])::uuid[]));";
  Plant(closed);
  EXPECT_THAT(Column(kOpenTables), IsEmpty());
  for (const char* bug : {
           "ALTER TABLE planted DISABLE ROW LEVEL SECURITY",
           "ALTER TABLE planted NO FORCE ROW LEVEL SECURITY",
           "DROP POLICY tenant_rows ON planted",
           "ALTER POLICY tenant_rows ON planted USING (true)",
           "ALTER POLICY tenant_rows ON planted WITH CHECK (true)",
           "CREATE POLICY more ON planted USING (true)",
           "CREATE POLICY more ON planted TO intent_runtime USING (true)",
           "CREATE POLICY platform_rows ON planted FOR SELECT "
           "USING (tenant_id IS NULL)",
           "GRANT SELECT ON planted TO PUBLIC",
       }) {
    SCOPED_TRACE(bug);
    Plant(absl::StrCat("DROP TABLE planted;", closed));
    Plant(bug);
    EXPECT_THAT(Column(kOpenTables), Contains("planted"));
  }
}

// Rows are found and pointed at by (tenant_id, id): a table that others point
// at has that key, and a table's key other than a lone id starts with its
// tenant.
constexpr char kLooseKeys[] =
    "SELECT c.conrelid::regclass::text FROM pg_constraint AS c "
    "WHERE c.contype = 'f' AND c.conparentid = 0 "
    "AND c.connamespace = 'public'::regnamespace "
    "AND c.confrelid NOT IN ('tenants'::regclass, 'app_users'::regclass) "
    "AND c.conname <> 'active_policies_policy_fkey' "
    "AND NOT EXISTS (SELECT FROM unnest(c.conkey, c.confkey) AS k (here, there)"
    "  JOIN pg_attribute AS h ON h.attrelid = c.conrelid AND h.attnum = here "
    "  JOIN pg_attribute AS t ON t.attrelid = c.confrelid AND t.attnum = there "
    "  WHERE h.attname = 'tenant_id' AND t.attname = 'tenant_id')";

TEST_F(IsolationTest, EveryKeyNamesItsTenant) {
  EXPECT_THAT(Column(kLooseKeys), IsEmpty());
  Plant(
      "CREATE TABLE planted (tenant_id uuid NOT NULL, "
      "agent_id uuid REFERENCES agent_registry (id))");
  EXPECT_THAT(Column(kLooseKeys), Contains("planted"));
}

// A view reads with its reader's rights, or it would read with its owner's.
constexpr char kOpenViews[] =
    "SELECT c.relname FROM pg_class AS c "
    "WHERE c.relnamespace = 'public'::regnamespace AND (c.relkind = 'm' "
    "OR (c.relkind = 'v' AND NOT coalesce(c.reloptions && "
    "ARRAY['security_invoker=true', 'security_invoker=on'], false)))";

TEST_F(IsolationTest, EveryViewReadsAsItsReader) {
  EXPECT_THAT(Column(kOpenViews), IsEmpty());
  EXPECT_GE(Relations("'v'").size(), 2u);
  Plant("CREATE VIEW planted AS SELECT * FROM intents");
  EXPECT_THAT(Column(kOpenViews), Contains("planted"));
}

// A function that runs as its owner looks names up in its own schema first and
// in its caller's temporary one last, and is closed to all who aren't named.
constexpr char kOpenFunctions[] =
    "SELECT p.proname FROM pg_proc AS p "
    "WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef "
    "AND (NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting "
    "  WHERE setting ~ '^search_path=(\"?public\"?, )+\"?pg_temp\"?$') "
    "OR EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, "
    "  acldefault('f', p.proowner))) AS a WHERE a.grantee = 0) "
    "OR pg_get_userbyid(p.proowner) NOT IN ('intent_definer', 'intent_owner'))";

TEST_F(IsolationTest, EveryDefinerFunctionIsClosedAndKnowsItsNames) {
  EXPECT_THAT(Column(kOpenFunctions), IsEmpty());
  const std::string closed =
      "CREATE FUNCTION planted() RETURNS bigint LANGUAGE sql "
      "SECURITY DEFINER SET search_path = public, pg_temp "
      "AS 'SELECT count(*) FROM intents';"
      "ALTER FUNCTION planted() OWNER TO intent_definer;"
      "REVOKE ALL ON FUNCTION planted() FROM PUBLIC;";
  Plant(closed);
  EXPECT_THAT(Column(kOpenFunctions), IsEmpty());
  for (const char* bug : {
           "GRANT EXECUTE ON FUNCTION planted() TO PUBLIC",
           "ALTER FUNCTION planted() RESET search_path",
           "ALTER FUNCTION planted() SET search_path = pg_temp, public",
           "ALTER FUNCTION planted() SET search_path = public",
           "ALTER FUNCTION planted() OWNER TO postgres",
       }) {
    SCOPED_TRACE(bug);
    Plant(absl::StrCat("DROP FUNCTION planted();", closed));
    Plant(bug);
    EXPECT_THAT(Column(kOpenFunctions), Contains("planted"));
  }
}

// Calls of every definer function with nulls, as SQL.
constexpr char kCalls[] =
    "SELECT format('SELECT * FROM %I(%s)', p.proname, "
    "(SELECT string_agg('NULL::' || t::regtype, ', ') "
    "FROM unnest(p.proargtypes) AS t)) FROM pg_proc AS p "
    "WHERE p.pronamespace = 'public'::regnamespace AND p.prosecdef "
    "AND p.prorettype <> 'trigger'::regtype ORDER BY 1";

TEST_F(IsolationTest, AStrangerCallsNoDefinerFunction) {
  Plant("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger");
  auto& super = database_->Super();
  const std::vector<std::string> calls = Column(kCalls);
  EXPECT_GE(calls.size(), 13u);
  Plant("SET ROLE stranger");
  for (const std::string& call : calls) {
    EXPECT_EQ(super.Run(call).sqlstate, "42501") << call;
  }
  for (const char* table : {"intents", "api_tokens", "audit_log"}) {
    EXPECT_EQ(super.Run(absl::StrCat("SELECT FROM ", table)).sqlstate, "42501");
  }
  Plant("RESET ROLE; DROP ROLE stranger");
}

TEST_F(IsolationTest, NamesOfACallersOwnAreNotTaken) {
  SqlConnection runtime(database_->runtime_url());
  const std::string hash = testing::AgentTokenHash("acme");
  const std::string look_up =
      absl::StrCat("SELECT tenant_slug FROM look_up_token('", hash, "')");
  ASSERT_EQ(runtime.Value(look_up), "acme");
  // A token table of the caller's own, where the token is the other tenant's.
  ASSERT_TRUE(runtime
                  .Run(absl::StrCat(
                      "CREATE TEMP TABLE api_tokens AS SELECT '", bolt_.id,
                      "'::uuid AS tenant_id, '", hash,
                      "' AS token_sha256, 'operator' AS principal_kind;"
                      "CREATE TEMP TABLE tenants AS SELECT '",
                      bolt_.id,
                      "'::uuid AS id, 'bolt' AS slug;"
                      "CREATE TEMP TABLE system_state AS SELECT "
                      "'atlas_online' AS key, '{\"engine_enabled\": false}'"
                      "::jsonb AS value;"
                      "CREATE FUNCTION pg_temp.engine_now() RETURNS "
                      "timestamptz LANGUAGE sql AS "
                      "$$ SELECT timestamptz '1970-01-01' $$"))
                  .ok());
  EXPECT_EQ(runtime.Value(look_up), "acme");
  EXPECT_EQ(runtime.Value("SELECT engine_enabled()"), "t");
}

TEST_F(IsolationTest, DefinerFunctionsGiveWhatTheyAreForAndNoMore) {
  SqlConnection runtime(database_->runtime_url());
  // Whose tokens and who issued them: for the transaction's tenants alone.
  const std::string issuer =
      absl::StrCat("SELECT token_issuer('", bolt_.agent_token, "')");
  EXPECT_EQ(runtime.Value(issuer), "");
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  EXPECT_EQ(runtime.Value(issuer), "");
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", bolt_.id, "}'"))
          .ok());
  EXPECT_EQ(runtime.Value(issuer), bolt_.owner);
  ASSERT_TRUE(runtime.Run("RESET intent.tenants").ok());
  // A token by its hash alone: no pattern, no null, no SQL.
  for (const char* hash : {"", "%", "' OR true --"}) {
    EXPECT_EQ(runtime.Value(absl::StrCat(
                  "SELECT count(*) FROM look_up_token($$", hash, "$$)")),
              "0");
  }
  EXPECT_EQ(runtime.Value("SELECT count(*) FROM look_up_token(NULL)"), "0");
  // Slugs are the owner's to look up.
  EXPECT_EQ(runtime.Run("SELECT tenant_id_by_slug('bolt')").sqlstate, "42501");
  // A claim opens the tenants that it claimed from, to its transaction's end.
  ASSERT_TRUE(runtime.Run("BEGIN").ok());
  EXPECT_EQ(runtime.Value("SELECT count(*) FROM claim_draft_intents(1000)"),
            "0");
  EXPECT_EQ(runtime.Value("SELECT count(*) FROM tenants"), "0");
  ASSERT_TRUE(runtime.Run("COMMIT").ok());
  // Partitions are made a year ahead at most, whatever is asked for.
  EXPECT_LE(
      std::stoi(runtime.Value("SELECT make_audit_partitions(2147483647)")), 12);
  EXPECT_EQ(runtime.Value("SELECT make_audit_partitions(-1)"), "0");
  // Counts are bare numbers.
  EXPECT_EQ(database_->Super().Value(
                "SELECT string_agg(proargnames::text, '') FROM pg_proc "
                "WHERE proname = 'count_waiting_intents'"),
            "{status,intent_count}");
  // Entries about refused credentials are nobody's, and of bounded size.
  ASSERT_TRUE(runtime
                  .Run("SELECT record_refused_credentials(repeat('x', 100000), "
                       "1, now())")
                  .ok());
  EXPECT_EQ(database_->Super().Value(
                "SELECT concat_ws(' ', tenant_id IS NULL, level, "
                "length(meta ->> 'source')) FROM audit_log "
                "WHERE action = 'CREDENTIALS_REFUSED'"),
            "t security 100");
}

// Calls of every definer function with values that fit its parameters: where it
// takes a tenant that tenant, else an id of its agent, a text, a number.
constexpr char kFittingCalls[] =
    "SELECT format('SELECT * FROM %I(%s)', p.proname, "
    "(SELECT string_agg(CASE "
    "  WHEN t = 'uuid'::regtype AND name IN ('tenant', 'new_id', "
    "    'wanted_tenant', 'tenant_id') THEN quote_literal('$0') "
    "  WHEN t = 'uuid'::regtype THEN quote_literal('$1') "
    "  WHEN t = 'text'::regtype THEN quote_literal('member') "
    "  WHEN t = 'boolean'::regtype THEN 'true' "
    "  WHEN t IN ('integer'::regtype, 'bigint'::regtype) THEN '1' "
    "  ELSE 'NULL' END || '::' || t::regtype, ', ' ORDER BY place) "
    "FROM unnest(p.proargtypes::oid[], p.proargnames[1:p.pronargs]) "
    "WITH ORDINALITY AS arg (t, name, place))) "
    "FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace "
    "AND p.prosecdef AND p.prorettype <> 'trigger'::regtype ORDER BY 1";

TEST_F(IsolationTest, NoDefinerFunctionChangesATenantThatWasNotNamed) {
  FillByForce();
  // What is past its window counts for nobody, and any engine prunes it.
  Plant("UPDATE limit_entries SET expires_at = 'infinity'");
  std::string lines;
  for (const std::string& table : Relations("'r', 'p'")) {
    absl::StrAppend(&lines, lines.empty() ? "" : " UNION ALL ", "SELECT '",
                    table, "' || t::text AS line FROM ", table, " AS t WHERE ",
                    table == "tenants" ? "id" : "tenant_id", " = '", bolt_.id,
                    "'");
  }
  const std::string state =
      absl::StrCat("SELECT md5(string_agg(line, '' ORDER BY line)) FROM (",
                   lines, ") AS lines");
  const std::string before = database_->Super().Value(state);
  SqlConnection runtime(database_->runtime_url());
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  const std::vector<std::string> calls =
      Column(absl::Substitute(kFittingCalls, bolt_.id, bolt_.agent));
  EXPECT_GE(calls.size(), 13u);
  for (const std::string& call : calls) {
    // Most are refused; those that aren't have nothing to do with a tenant.
    static_cast<void>(runtime.Run(call));
    EXPECT_EQ(database_->Super().Value(state), before) << call;
  }
}

}  // namespace
}  // namespace sgl::storage
