// Proves that tenants are apart in the database itself, as the runtime role and
// as the tables' owner: nothing is seen, written or pointed at across tenants,
// nothing at all without a tenant set, and the audit log only grows. Walks the
// catalog, so that a table of a later migration can't be forgotten.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/identity.h"
#include "storage/intents.h"
#include "storage/migrator.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::SqlResult;
using ::sgl::testing::TestDatabase;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Our own book-keeping: no tenant's, and nobody else's to read.
constexpr char kExempt[] = "schema_migrations";

// All that crosses tenants, sorted; each with its attack below or in the test
// that it names.
constexpr const char* kDefinerFunctions[] = {
    "activate_approved_policy",    //
    "activate_tenant_policy",      //
    "activation_switched_off",     //
    "active_layers",               //
    "active_policy",               //
    "active_policy_digest",        //
    "agents_switched_off",         //
    "all_active_layers",           //
    "append_audit_seals",          //
    "audit_log_queue_entries",     //
    "claim_draft_intents",         //
    "claim_policy_activations",    //
    "claim_unsealed_audit",        //
    "count_limits",                //
    "count_waiting_intents",       //
    "create_agent",                //
    "create_member",               //
    "create_tenant",               //
    "create_token",                //
    "due_memos",                   //
    "engine_enabled",              //
    "escalate_memos",              //
    "escalation_rules_changed",    //
    "expired_jobs",                //
    "force_policy",                //
    "forget_limits",               //
    "forget_requests",             //
    "intent_causers",              //
    "intents_keep_revision",       //
    "kill_switches",               //
    "latest_audit_seals",          //
    "limit_totals",                //
    "list_tenants",                //
    "list_tokens",                 //
    "lock_limits",                 //
    "lock_tenant_policy",          //
    "look_up_token",               //
    "make_audit_partitions",       //
    "once_active_policy",          //
    "policy_versions",             //
    "propose_policy",              //
    "prune_limits",                //
    "record_refused_credentials",  //
    "remove_member",               //
    "revoke_token",                //
    "search_kb_documents",         //
    "seed_policy",                 //
    "set_kill_switch",             //
    "set_member_roles",            //
    "settlement_policy_digests",   //
    "settlement_switched_off",     //
    "store_policy",                //
    "submission_switches",         //
    "switched_off",                //
    "system_state_after_write",    //
    "tenant_id_by_slug",           //
    "token_issuer",                //
    "unsealed_audit_lag",          //
    "update_agent",                //
    "waiting_work",                //
};

class TenancyTest : public ::testing::Test {
 protected:
  std::vector<std::string> Tables(const std::string& condition) {
    std::vector<std::string> tables;
    const SqlResult result = database_->Super().Run(
        absl::StrCat("SELECT c.relname FROM pg_class AS c "
                     "WHERE c.relnamespace = 'public'::regnamespace "
                     "AND c.relkind IN ('r', 'p') AND c.relname <> '",
                     kExempt, "' AND ", condition, " ORDER BY 1"));
    EXPECT_TRUE(result.ok()) << result.error;
    for (const auto& row : result.rows) tables.push_back(row[0]);
    return tables;
  }

  // One row in each table that a tenant's data can be in.
  void FillBolt() {
    const std::string id = absl::StrCat("'", bolt_.id, "'");
    const std::string insert = absl::StrCat(
        "INSERT INTO intents (tenant_id, agent_id, intent_type) VALUES (", id,
        ", '", bolt_.agent,
        "', 'T');"
        "INSERT INTO jobs (tenant_id, job_type) VALUES (",
        id,
        ", 'X');"
        "INSERT INTO decision_memos (tenant_id, intent_id) "
        "SELECT tenant_id, id FROM intents;"
        "INSERT INTO approvals (tenant_id, intent_type, payload_hash, "
        "approved_by) VALUES (",
        id, ", 'T', 'h', '", bolt_.carol,
        "');"
        "INSERT INTO intent_requests (tenant_id, principal_id, request_id, "
        "body_sha256, intent_id) SELECT tenant_id, agent_id, 'r', 'b', id "
        "FROM intents;"
        "INSERT INTO system_state (key, tenant_id) VALUES ('tenant:",
        bolt_.id, ":x', ", id,
        ");"
        "INSERT INTO intent_revisions (tenant_id, intent_id, revision, "
        "intent_type) SELECT tenant_id, id, 1, 'T' FROM intents;"
        "INSERT INTO approval_delegations (tenant_id, from_user_id, "
        "to_user_id, starts_at, ends_at, reason, created_by) VALUES (",
        id, ", '", bolt_.carol, "', '", bolt_.dave,
        "', engine_now(), engine_now() + interval '1 day', 'r', '", bolt_.carol,
        "');"
        "INSERT INTO escalation_rules VALUES (",
        id,
        ", 'a', 'b', 60);"
        "INSERT INTO memo_escalations (tenant_id, memo_id, revision, "
        "from_role, to_role) SELECT tenant_id, id, 1, 'a', 'b' "
        "FROM decision_memos;"
        "INSERT INTO policies (tenant_id, digest, sources) VALUES (",
        id,
        ", 'sha256:' || repeat('0', 64), '[]');"
        "INSERT INTO active_policies (tenant_id, policy_id) "
        "SELECT tenant_id, id FROM policies;"
        "INSERT INTO limit_counters (tenant_id, key, counted_at) VALUES (",
        id,
        ", 'k', engine_now());"
        "INSERT INTO limit_entries SELECT id, tenant_id, engine_now(), "
        "engine_now(), 1 FROM limit_counters;",
        FillEffects(id));
    const SqlResult filled = database_->Super().Run(insert);
    ASSERT_TRUE(filled.ok()) << filled.error;
  }

  // The same for what effects write.
  static std::string FillEffects(const std::string& id) {
    return absl::StrReplaceAll(
        "INSERT INTO tickets (tenant_id, title) VALUES ($, 't');"
        "INSERT INTO ticket_comments (tenant_id, ticket_id, body) "
        "SELECT tenant_id, id, 'b' FROM tickets;"
        "INSERT INTO kb_documents (tenant_id, title, slug) "
        "VALUES ($, 't', 's');"
        "INSERT INTO kb_tags (tenant_id, name) VALUES ($, 't');"
        "INSERT INTO kb_tag_on_document (tenant_id, document_id, tag_id) "
        "SELECT $, d.id, t.id FROM kb_documents AS d, kb_tags AS t;"
        "INSERT INTO crm_contacts (tenant_id, email) VALUES ($, 'a@b');"
        "INSERT INTO crm_companies (tenant_id, name) VALUES ($, 'n');"
        "INSERT INTO crm_segments (tenant_id, name) VALUES ($, 'n');"
        "INSERT INTO assets (tenant_id, type, name) VALUES ($, 't', 'n');"
        "INSERT INTO ledger_entries (tenant_id, entry_type, category, "
        "amount_cents) VALUES ($, 'debit', 'misc', 1);"
        "INSERT INTO budgets (tenant_id, name, limit_cents) "
        "VALUES ($, 'n', 1);"
        "INSERT INTO integrations (tenant_id, provider) VALUES ($, 'p');"
        "INSERT INTO integration_secrets (tenant_id, integration_id, key_id, "
        "access_token) SELECT tenant_id, id, repeat('0', 16), "
        "decode(repeat('00', 41), 'hex') FROM integrations",
        {{"$", id}});
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
};

TEST_F(TenancyTest, EveryTableIsClosedAndHasTheTenantPolicy) {
  EXPECT_THAT(Tables("NOT (c.relrowsecurity AND c.relforcerowsecurity)"),
              IsEmpty());
  EXPECT_THAT(
      Tables("NOT EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid "
             "AND p.polname = 'tenant_rows' AND p.polroles = '{0}' "
             "AND p.polcmd = '*')"),
      IsEmpty());
  EXPECT_GE(Tables("true").size(), 15u);
}

TEST_F(TenancyTest, EveryTableBelongsToATenant) {
  EXPECT_THAT(Tables("c.relname <> 'tenants' AND NOT EXISTS (SELECT FROM "
                     "pg_attribute AS a WHERE a.attrelid = c.oid "
                     "AND a.attname = 'tenant_id' AND NOT a.attisdropped)"),
              IsEmpty());
}

TEST_F(TenancyTest, NoForeignKeyLeavesItsTenant) {
  // Each names the tenant on both sides, but for those that say where a row
  // belongs, who a person is, and the platform's policy, which has no tenant.
  const SqlResult result = database_->Super().Run(
      "SELECT c.conname FROM pg_constraint AS c "
      "WHERE c.contype = 'f' AND c.conparentid = 0 "
      "AND c.confrelid NOT IN ('tenants'::regclass, 'app_users'::regclass) "
      "AND c.conname <> 'active_policies_policy_fkey' "
      "AND NOT EXISTS (SELECT FROM pg_attribute AS a "
      "WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) "
      "AND a.attname = 'tenant_id')");
  ASSERT_TRUE(result.ok()) << result.error;
  EXPECT_THAT(result.rows, IsEmpty());
}

TEST_F(TenancyTest, WithoutATenantNothingIsSeenAndNothingWritten) {
  FillBolt();
  SqlConnection runtime(database_->runtime_url());
  const std::string everywhere[] = {
      "", "SET intent.tenants = ''",
      "BEGIN; SELECT set_config('intent.tenants', 'x', true); ROLLBACK"};
  for (const std::string& setting : everywhere) {
    static_cast<void>(runtime.Run(setting));
    for (const std::string& table : Tables("NOT c.relispartition")) {
      SCOPED_TRACE(absl::StrCat(setting, " / ", table));
      const SqlResult rows = runtime.Run("SELECT * FROM " + table);
      // Either no right to look at it at all, or no row to be seen.
      EXPECT_TRUE(rows.sqlstate == "42501" || rows.ok()) << rows.error;
      EXPECT_THAT(rows.rows, IsEmpty());
      const std::string key = table == "tenants" ? "id" : "tenant_id";
      const SqlResult inserted = runtime.Run(absl::StrCat(
          "INSERT INTO ", table, " (", key, ") VALUES ('", bolt_.id, "')"));
      EXPECT_FALSE(inserted.ok());
    }
  }
  const SqlResult intent = runtime.Run(
      absl::StrCat("INSERT INTO intents (tenant_id, intent_type) VALUES ('",
                   bolt_.id, "', 'T')"));
  EXPECT_EQ(intent.sqlstate, "42501") << intent.error;
}

TEST_F(TenancyTest, TheOwnerIsAsClosedAsAnybody) {
  FillBolt();
  SqlConnection owner(database_->direct_url());
  for (const std::string& table : Tables("true")) {
    SCOPED_TRACE(table);
    const SqlResult rows = owner.Run("SELECT * FROM " + table);
    EXPECT_TRUE(rows.ok()) << rows.error;
    EXPECT_THAT(rows.rows, IsEmpty());
  }
}

TEST_F(TenancyTest, AnotherTenantsRowsAreOutOfReach) {
  FillBolt();
  SqlConnection runtime(database_->runtime_url());
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  EXPECT_EQ(runtime.Value("SELECT count(*) FROM tenants"), "1");
  EXPECT_EQ(runtime.Value("SELECT count(*) FROM intents"), "0");
  EXPECT_EQ(runtime.Value("SELECT count(*) FROM intent_rows"), "0");
  EXPECT_EQ(runtime.Value("SELECT count(*) FROM memo_rows"), "0");
  EXPECT_EQ(runtime.Value("WITH u AS (UPDATE intents SET title = 'x' "
                          "RETURNING 1) SELECT count(*) FROM u"),
            "0");
  const SqlResult inserted = runtime.Run(
      absl::StrCat("INSERT INTO intents (tenant_id, intent_type) VALUES ('",
                   bolt_.id, "', 'T')"));
  EXPECT_EQ(inserted.sqlstate, "42501") << inserted.error;
  // Nor may a row be handed over.
  ASSERT_TRUE(runtime
                  .Run(absl::StrCat("INSERT INTO intents (tenant_id, "
                                    "intent_type) VALUES ('",
                                    acme_.id, "', 'T')"))
                  .ok());
  const SqlResult moved = runtime.Run(
      absl::StrCat("UPDATE intents SET tenant_id = '", bolt_.id, "'"));
  EXPECT_EQ(moved.sqlstate, "42501") << moved.error;
}

TEST_F(TenancyTest, NoRowPointsIntoAnotherTenant) {
  FillBolt();
  // As the superuser, whom no policy stops: the keys do.
  auto& super = database_->Super();
  const std::string acme = absl::StrCat("'", acme_.id, "'");
  for (const std::string& sql : {
           absl::StrCat("INSERT INTO intents (tenant_id, agent_id, "
                        "intent_type) VALUES (",
                        acme, ", '", bolt_.agent, "', 'T')"),
           absl::StrCat("INSERT INTO intents (tenant_id, intent_type, "
                        "submitted_by_token) VALUES (",
                        acme, ", 'T', '", bolt_.agent_token, "')"),
           absl::StrCat("INSERT INTO decision_memos (tenant_id, intent_id) "
                        "SELECT ",
                        acme, ", id FROM intents"),
           absl::StrCat("INSERT INTO jobs (tenant_id, job_type, intent_id) "
                        "SELECT ",
                        acme, ", 'X', id FROM intents"),
           absl::StrCat("INSERT INTO approvals (tenant_id, intent_type, "
                        "payload_hash, approved_by) VALUES (",
                        acme, ", 'T', 'h', '", bolt_.carol, "')"),
           absl::StrCat("INSERT INTO intent_requests (tenant_id, "
                        "principal_id, request_id, body_sha256, intent_id) "
                        "SELECT ",
                        acme, ", id, 'r', 'b', id FROM intents"),
           absl::StrCat("INSERT INTO intent_revisions (tenant_id, intent_id, "
                        "revision, intent_type) SELECT ",
                        acme, ", id, 2, 'T' FROM intents"),
           absl::StrCat("INSERT INTO memo_escalations (tenant_id, memo_id, "
                        "revision, from_role, to_role) SELECT ",
                        acme, ", id, 2, 'a', 'b' FROM decision_memos"),
           absl::StrCat("INSERT INTO approval_delegations (tenant_id, "
                        "from_user_id, to_user_id, starts_at, ends_at, reason, "
                        "created_by) VALUES (",
                        acme, ", '", acme_.carol, "', '", bolt_.carol,
                        "', engine_now(), engine_now() + interval '1 day', "
                        "'r', '",
                        acme_.carol, "')"),
           absl::StrCat("INSERT INTO member_roles VALUES (", acme, ", '",
                        bolt_.carol, "', 'owner')"),
           absl::StrCat("INSERT INTO agent_registry (tenant_id, name, "
                        "owner_user_id) VALUES (",
                        acme, ", 'x', '", bolt_.carol, "')"),
           absl::StrCat("INSERT INTO api_tokens (tenant_id, principal_kind, "
                        "agent_id, name, token_sha256) VALUES (",
                        acme, ", 'agent', '", bolt_.agent,
                        "', 'x', repeat('a', 64))"),
           absl::StrCat("INSERT INTO active_policies (tenant_id, policy_id) "
                        "SELECT ",
                        acme, ", id FROM policies"),
           absl::StrCat("INSERT INTO ticket_comments (tenant_id, ticket_id, "
                        "body) SELECT ",
                        acme, ", id, 'b' FROM tickets"),
           absl::StrCat("INSERT INTO kb_tag_on_document (tenant_id, "
                        "document_id, tag_id) SELECT ",
                        acme, ", document_id, tag_id FROM kb_tag_on_document"),
           absl::StrCat("INSERT INTO ledger_entries (tenant_id, entry_type, "
                        "category, amount_cents, intent_id) SELECT ",
                        acme, ", 'debit', 'misc', 1, id FROM intents"),
       }) {
    SCOPED_TRACE(sql);
    EXPECT_EQ(super.Run(sql).sqlstate, "23503");
  }
}

TEST_F(TenancyTest, TheAuditLogOnlyGrows) {
  auto& super = database_->Super();
  EXPECT_EQ(super.Run("UPDATE audit_log SET action = 'X'").sqlstate, "23001");
  EXPECT_EQ(super.Run("DELETE FROM audit_log").sqlstate, "23001");
  EXPECT_EQ(super.Run("TRUNCATE audit_log").sqlstate, "23001");
  EXPECT_EQ(super.Run("TRUNCATE tenants CASCADE").sqlstate, "23001");
  const std::vector<std::string> partitions =
      Tables("c.relispartition AND c.relname LIKE 'audit_log%'");
  EXPECT_GE(partitions.size(), 5u);
  auto& owner = database_->Owner();
  int with_rows = 0;
  for (const std::string& partition : partitions) {
    SCOPED_TRACE(partition);
    EXPECT_EQ(super.Run("TRUNCATE " + partition).sqlstate, "23001");
    EXPECT_EQ(owner.Run("TRUNCATE " + partition).sqlstate, "23001");
    if (super.Value("SELECT count(*) FROM " + partition) == "0") continue;
    ++with_rows;
    const SqlResult updated =
        super.Run(absl::StrCat("UPDATE ", partition, " SET action = 'X'"));
    EXPECT_EQ(updated.sqlstate, "23001");
    EXPECT_THAT(updated.error, HasSubstr("audit_log is append-only: UPDATE"));
    EXPECT_EQ(super.Run("DELETE FROM " + partition).sqlstate, "23001");
  }
  EXPECT_GE(with_rows, 1);
  // Not even as its owner, adopted as a writer, nor as the engine.
  EXPECT_FALSE(owner.Run("DELETE FROM audit_log").ok());
  SqlConnection runtime(database_->runtime_url());
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  for (const char* sql : {"DELETE FROM audit_log", "TRUNCATE audit_log",
                          "UPDATE audit_log SET action = 'X'"}) {
    EXPECT_EQ(runtime.Run(sql).sqlstate, "42501");
  }
}

TEST_F(TenancyTest, TheLedgerOnlyGrows) {
  FillBolt();
  auto& super = database_->Super();
  for (const char* sql :
       {"DELETE FROM ledger_entries", "TRUNCATE ledger_entries",
        "UPDATE ledger_entries SET amount_cents = 2"}) {
    EXPECT_EQ(super.Run(sql).sqlstate, "23001") << sql;
  }
  EXPECT_EQ(super.Value("SELECT amount_cents FROM ledger_entries"), "1");
}

TEST_F(TenancyTest, NoSecretOfAnIntegrationIsTheEnginesToReadOrWrite) {
  FillBolt();
  SqlConnection runtime(database_->runtime_url());
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", bolt_.id, "}'"))
          .ok());
  EXPECT_EQ(runtime.Value("SELECT connected FROM integrations"), "f");
  for (const char* secret :
       {"access_token", "refresh_token", "token_expires_at"}) {
    SCOPED_TRACE(secret);
    EXPECT_EQ(runtime.Run(absl::StrCat("SELECT ", secret, " FROM integrations"))
                  .sqlstate,
              "42501");
    EXPECT_EQ(
        runtime.Run(absl::StrCat("UPDATE integrations SET ", secret, " = NULL"))
            .sqlstate,
        "42501");
  }
}

TEST_F(TenancyTest, EntriesCarryTheirTransactionAndTheDatabasesTime) {
  SqlConnection runtime(database_->runtime_url());
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  for (const char* forged : {"created_at", "xact_id"}) {
    SCOPED_TRACE(forged);
    const SqlResult result = runtime.Run(absl::StrCat(
        "INSERT INTO audit_log (", forged, ", tenant_id, action, entity_type) ",
        "VALUES (DEFAULT, '", acme_.id, "', 'X', 'x')"));
    EXPECT_EQ(result.sqlstate, "42501") << result.error;
  }
}

TEST_F(TenancyTest, NotEvenTheOwnerSaysWhenAnEntryWasWritten) {
  // The grants don't hold who owns the table; the trigger does.
  auto& super = database_->Super();
  for (const char* forged :
       {"created_at, xact_id) VALUES (now() - interval '1 day', DEFAULT",
        "created_at, xact_id) VALUES (now() + interval '1 day', DEFAULT",
        "created_at, xact_id) VALUES (DEFAULT, '5'"}) {
    SCOPED_TRACE(forged);
    const SqlResult result = super.Run(absl::StrReplaceAll(
        absl::StrCat("INSERT INTO audit_log (action, entity_type, ", forged,
                     ")"),
        {{"VALUES (", "VALUES ('X', 'x', "}}));
    EXPECT_EQ(result.sqlstate, "42501") << result.error;
  }
}

TEST_F(TenancyTest, AnEntryThatCannotBeWrittenOutIsRefused) {
  // 300 numbers of 131,072 digits each, in a few kilobytes.
  const SqlResult result = database_->Super().Run(
      "INSERT INTO audit_log (action, entity_type, meta) "
      "SELECT 'X', 'x', jsonb_agg('1e131071'::numeric) "
      "FROM generate_series(1, 300)");
  EXPECT_EQ(result.sqlstate, "23514") << result.error;
  const SqlResult large = database_->Super().Run(
      "INSERT INTO audit_log (action, entity_type, meta) "
      "VALUES ('X', 'x', jsonb_build_object('text', repeat('x', 1000000)))");
  EXPECT_TRUE(large.ok()) << large.error;
}

TEST_F(TenancyTest, SealsOnlyGrow) {
  auto& super = database_->Super();
  ASSERT_TRUE(
      super
          .Run("INSERT INTO audit_seals (first_sequence, entry_count, "
               "tree_size, entry_ids, leaf_hashes, frontier, root_hash, "
               "sealed_at) SELECT 0, 1, 1, ARRAY[gen_random_uuid()], h, h, h, "
               "now() FROM (SELECT sha256('x') AS h) AS x")
          .ok());
  for (const char* sql : {"DELETE FROM audit_seals", "TRUNCATE audit_seals",
                          "UPDATE audit_seals SET tree_size = 1"}) {
    EXPECT_EQ(super.Run(sql).sqlstate, "23001") << sql;
  }
  SqlConnection runtime(database_->runtime_url());
  for (const char* sql :
       {"INSERT INTO audit_seals (first_sequence) VALUES (0)",
        "DELETE FROM audit_unsealed",
        "UPDATE audit_unsealed SET entry_id = "
        "entry_id",
        "INSERT INTO audit_unsealed (entry_id) VALUES (NULL)"}) {
    EXPECT_EQ(runtime.Run(sql).sqlstate, "42501") << sql;
  }
  // The platform's are for who acts for the system tenant.
  const auto seen = [&](const std::string& tenant) {
    EXPECT_TRUE(
        runtime.Run(absl::StrCat("SET intent.tenants = '{", tenant, "}'"))
            .ok());
    return runtime.Value("SELECT count(*) FROM audit_seals");
  };
  EXPECT_EQ(seen(acme_.id), "0");
  EXPECT_EQ(seen("00000000-0000-0000-0000-000000000001"), "1");
}

TEST_F(TenancyTest, PartitionsAreMadeAheadByTheEngineToo) {
  auto tx = database_->runtime().Begin({});
  ASSERT_THAT(tx, IsOk());
  EXPECT_THAT(MakeAuditPartitions(*tx), IsOk());
  EXPECT_THAT(tx->Commit(), IsOk());
  // Three months later one is missing, and comes.
  ASSERT_TRUE(database_->Super()
                  .Run("CREATE OR REPLACE FUNCTION engine_now() "
                       "RETURNS timestamptz LANGUAGE sql VOLATILE AS "
                       "$$ SELECT clock_timestamp() + interval '3 months' $$")
                  .ok());
  const size_t before = Tables("c.relispartition").size();
  auto later = database_->runtime().Begin({});
  ASSERT_THAT(later, IsOk());
  EXPECT_THAT(MakeAuditPartitions(*later), IsOk());
  EXPECT_THAT(later->Commit(), IsOk());
  EXPECT_EQ(Tables("c.relispartition").size(), before + 3);
  EXPECT_THAT(Tables("NOT (c.relrowsecurity AND c.relforcerowsecurity)"),
              IsEmpty());
}

TEST_F(TenancyTest, DefinerFunctionsAreFewAndClosed) {
  const SqlResult result = database_->Super().Run(
      "SELECT p.proname, p.proconfig::text, "
      "has_function_privilege('pg_monitor', p.oid, 'EXECUTE') "
      "FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace "
      "AND p.prosecdef ORDER BY 1");
  ASSERT_TRUE(result.ok()) << result.error;
  std::vector<std::string> names;
  for (const auto& row : result.rows) {
    names.push_back(row[0]);
    EXPECT_THAT(row[1], HasSubstr("search_path=")) << row[0];
    EXPECT_THAT(row[1], HasSubstr("pg_temp")) << row[0];
    EXPECT_EQ(row[2], "f") << row[0] << " is open to everybody";
  }
  EXPECT_THAT(names, ::testing::ElementsAreArray(kDefinerFunctions));
}

TEST_F(TenancyTest, TheSweepForEscalationsCrossesTenantsAndNothingElseDoes) {
  FillBolt();
  // Due in both tenants; a caller learns of them only by being the sweep, and
  // its transaction then names the tenants that it may write for.
  SqlConnection runtime(database_->runtime_url());
  ASSERT_TRUE(
      runtime.Run(absl::StrCat("SET intent.tenants = '{", acme_.id, "}'"))
          .ok());
  for (const char* sql : {"SELECT count(*) FROM intent_revisions",
                          "SELECT count(*) FROM approval_delegations",
                          "SELECT count(*) FROM memo_escalations",
                          "SELECT count(*) FROM held_roles WHERE user_id IN "
                          "(SELECT to_user_id FROM approval_delegations)",
                          "SELECT count(*) FROM delegations_in_force"}) {
    EXPECT_EQ(runtime.Value(sql), "0") << sql;
  }
  // The rules and the list of what is due are not the engine's to read, nor
  // revisions its to write or anybody's to make up.
  for (const char* sql :
       {"SELECT * FROM escalation_rules",
        "SELECT * FROM due_escalations(now(), '{}')",
        "SELECT intents_keep_revision()",
        "INSERT INTO intent_revisions (tenant_id, intent_id, revision, "
        "intent_type) SELECT tenant_id, id, 9, 'T' FROM intents",
        "UPDATE approval_delegations SET ends_at = ends_at + interval '1 day'",
        "INSERT INTO approval_delegations (tenant_id, from_user_id, "
        "to_user_id, starts_at, ends_at, reason, created_by, created_at) "
        "SELECT tenant_id, user_id, user_id, now(), now(), 'r', user_id, "
        "now() FROM tenant_members",
        "DELETE FROM approval_delegations"}) {
    EXPECT_NE(runtime.Run(sql).sqlstate, "") << sql;
  }
}

TEST_F(TenancyTest, NobodyIsAdministeredFromAnotherTenant) {
  SqlConnection runtime(database_->runtime_url());
  const std::string bolt = absl::StrCat("'", bolt_.id, "', ");
  const std::string hash = "repeat('a', 64)";
  for (const std::string& setting :
       {std::string("RESET intent.tenants"),
        absl::StrCat("SET intent.tenants = '{", acme_.id, "}'")}) {
    ASSERT_TRUE(runtime.Run(setting).ok());
    for (const std::string& call : {
             absl::StrCat("create_tenant(", bolt, "'x', 'x', 'pro', NULL, '')"),
             absl::StrCat("create_agent(", bolt,
                          "'x', '', 'active', 0, '{}', NULL, NULL, '')"),
             absl::StrCat("update_agent(", bolt, "'", bolt_.agent,
                          "', 'x', NULL, NULL, NULL, true, NULL, NULL, '')"),
             absl::StrCat("create_member(", bolt,
                          "'x@x', '', 'owner', 'pro', '{}', NULL, '')"),
             absl::StrCat("set_member_roles(", bolt, "'", bolt_.dave,
                          "', 'owner', '{}', NULL, '')"),
             absl::StrCat("remove_member(", bolt, "'", bolt_.carol,
                          "', NULL, '')"),
             absl::StrCat("create_token(", bolt,
                          "'operator', NULL, NULL, 'x', ", hash,
                          ", NULL, NULL, NULL, '')"),
             absl::StrCat("revoke_token(", bolt, "'", bolt_.agent_token,
                          "', NULL, '')"),
         }) {
      SCOPED_TRACE(call);
      EXPECT_EQ(runtime.Run("SELECT " + call).sqlstate, "42501");
    }
    EXPECT_EQ(
        runtime.Value(absl::StrCat("SELECT count(*) FROM list_tokens(", bolt,
                                   "NULL, false, NULL, NULL, NULL, 100)")),
        "0");
    EXPECT_EQ(
        runtime.Value("SELECT count(*) FROM list_tenants(NULL, NULL, NULL, "
                      "100)"),
        "0");
  }
  // For its own it is done, and never without an entry.
  EXPECT_EQ(
      runtime.Value(absl::StrCat("SELECT create_token('", acme_.id,
                                 "', 'operator', NULL, NULL, "
                                 "'x', ",
                                 hash, ", NULL, NULL, NULL, '') IS NOT NULL")),
      "t");
  EXPECT_EQ(
      database_->Super().Value("SELECT count(*) FROM audit_log WHERE action = "
                               "'TOKEN_CREATED' AND meta ->> 'name' = 'x'"),
      "1");
}

TEST_F(TenancyTest, AnAdoptedWriterWritesForAnyTenantAsBefore) {
  ASSERT_TRUE(database_->Super()
                  .Run("DROP ROLE IF EXISTS old_writer; "
                       "CREATE ROLE old_writer LOGIN")
                  .ok());
  ASSERT_THAT(AdoptWriter(database_->direct_url(), "old_writer"), IsOk());
  ASSERT_THAT(AdoptWriter(database_->direct_url(), "old_writer"), IsOk());
  std::string url = database_->direct_url();
  const std::string owner = "intent_owner";
  ASSERT_NE(url.find(owner), std::string::npos);
  url.replace(url.find(owner), owner.size(), "old_writer");
  {
    SqlConnection writer(url);
    for (const SeededTenant* tenant : {&acme_, &bolt_}) {
      const SqlResult inserted = writer.Run(absl::StrCat(
          "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
          "VALUES ('",
          tenant->id, "', '", tenant->agent, "', 'ENGINE_RUN', '{}')"));
      EXPECT_TRUE(inserted.ok()) << inserted.error;
    }
    EXPECT_EQ(writer.Value("SELECT count(*) FROM intents"), "2");
    EXPECT_EQ(writer.Run("SELECT * FROM api_tokens").sqlstate, "42501");
    EXPECT_EQ(writer.Run("DELETE FROM audit_log").sqlstate, "42501");
    // Of an audit entry it says what the data model has, and no more.
    const std::string entry =
        absl::StrCat("INSERT INTO audit_log (tenant_id, action, entity_type%) ",
                     "VALUES ('", acme_.id, "', 'X', 'x'$)");
    EXPECT_TRUE(
        writer.Run(absl::StrReplaceAll(entry, {{"%", ""}, {"$", ""}})).ok());
    for (const char* forged : {"created_at", "xact_id", "transition_number"}) {
      SCOPED_TRACE(forged);
      const SqlResult result = writer.Run(absl::StrReplaceAll(
          entry, {{"%", absl::StrCat(", ", forged)}, {"$", ", DEFAULT"}}));
      EXPECT_EQ(result.sqlstate, "42501") << result.error;
    }
  }
  database_->Super().Run("DROP OWNED BY old_writer; DROP ROLE old_writer");
}

}  // namespace
}  // namespace sgl::storage
