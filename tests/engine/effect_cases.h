// What the tests of effects know of each: a payload that does it, and one that
// the database refuses. A new effect without a case here fails the test.

#ifndef TESTS_ENGINE_EFFECT_CASES_H_
#define TESTS_ENGINE_EFFECT_CASES_H_

namespace sgl::testing {

struct EffectCase {
  const char* intent_type;
  // `$MINE` stands for the id of the row that the agent's tenant has in each
  // table.
  const char* payload;
  // What was done, as one value: a query where `$ID` stands for the id in the
  // output, and what it answers then.
  const char* query;
  const char* answer;
  // Fits the declaration, and is refused with these words.
  const char* refused_payload;
  const char* refusal;
};

inline constexpr char kNoTicket[] =
    "`ticket_id` names no ticket of this tenant";
inline constexpr char kNoDocument[] =
    "`document_id` names no document of this tenant";
inline constexpr char kNoAgent[] = "`agent_id` names no agent of this tenant";

inline constexpr EffectCase kEffectCases[] = {
    {"TICKET_OPEN",
     R"({"title": "Broken", "description": "d", "severity": "HIGH",
         "category": "BUG", "reporter": "ann"})",
     "SELECT concat_ws(' ', title, description, severity, category, status, "
     "agent, reporter) FROM tickets WHERE id = '$ID'",
     "Broken d HIGH BUG OPEN ATLAS ann",
     R"({"title": "", "description": "d", "severity": "HIGH",
         "category": "BUG"})",
     "`title` has 1 to 200 characters"},
    {"TICKET_COMMENT", R"({"ticket_id": "$MINE", "body": "seen"})",
     "SELECT concat_ws(' ', author, body, ticket_id) FROM ticket_comments "
     "WHERE id = '$ID'",
     "ATLAS seen $MINE", R"({"ticket_id": "$MINE", "body": ""})",
     "`body` has 1 to 20,000 characters"},
    {"TICKET_STATUS_CHANGE", R"({"ticket_id": "$MINE", "status": "CLOSED"})",
     "SELECT status FROM tickets WHERE id = '$ID' AND updated_at > created_at",
     "CLOSED", R"({"ticket_id": "7", "status": "CLOSED"})", kNoTicket},
    {"TICKET_SEVERITY_CHANGE",
     R"({"ticket_id": "$MINE", "severity": "BLOCKER"})",
     "SELECT severity FROM tickets WHERE id = '$ID'", "BLOCKER",
     R"({"ticket_id": "", "severity": "LOW"})", kNoTicket},
    {"KB_DOCUMENT_CREATE", R"({"title": "T", "slug": "s", "body": "b"})",
     "SELECT concat_ws(' ', title, slug, body, status) FROM kb_documents "
     "WHERE id = '$ID'",
     "T s b draft", R"({"title": "T", "slug": "home", "body": "b"})",
     "another document of this tenant has this `slug`"},
    {"KB_DOCUMENT_UPDATE",
     R"({"document_id": "$MINE", "title": "new", "body": null})",
     "SELECT concat_ws(' ', title, slug, body) FROM kb_documents "
     "WHERE id = '$ID'",
     "new home text", R"({"document_id": "$MINE", "slug": "s"})",
     "another document of this tenant has this `slug`"},
    {"KB_DOCUMENT_TAG", R"({"document_id": "$MINE", "tag": "new"})",
     "SELECT t.name FROM kb_tags AS t JOIN kb_tag_on_document AS l "
     "ON l.tag_id = t.id WHERE t.id = '$ID' AND l.document_id = '$MINE'",
     "new", R"({"document_id": "$MINE", "tag": ""})",
     "`tag` has 1 to 100 characters"},
    {"KB_DOCUMENT_UNTAG", R"({"document_id": "$MINE", "tag": "old"})",
     "SELECT count(*) FROM kb_tag_on_document WHERE tag_id = '$ID'", "0",
     R"({"document_id": "$MINE", "tag": "none"})",
     "`document_id` names no document of this tenant that has this `tag`"},
    {"KB_DOCUMENT_PUBLISH", R"({"document_id": "$MINE"})",
     "SELECT status FROM kb_documents WHERE id = '$ID'", "published",
     R"({"document_id": "x"})", kNoDocument},
    {"KB_DOCUMENT_ARCHIVE", R"({"document_id": "$MINE"})",
     "SELECT status FROM kb_documents WHERE id = '$ID'", "archived",
     R"({"document_id": "x"})", kNoDocument},
    {"CRM_CONTACT_UPSERT",
     R"({"email": "Ann@x.example", "first_name": "Ann", "tags": null})",
     "SELECT concat_ws(' ', email, first_name, phone, tags) "
     "FROM crm_contacts WHERE id = '$ID'",
     "ann@x.example Ann 1 {vip}", R"({"email": "nobody"})",
     "`email` is an address such as ann@acme.example, of at most 320 "
     "characters"},
    {"CRM_CONTACT_TAG", R"({"contact_id": "$MINE", "tags": ["b", "vip", "b"]})",
     "SELECT tags FROM crm_contacts WHERE id = '$ID'", "{vip,b}",
     R"({"contact_id": "$MINE", "tags": [""]})",
     "no tag is empty, and all together have at most 10,000 characters"},
    {"CRM_COMPANY_UPSERT", R"({"name": "Y", "domain": "X.example"})",
     "SELECT concat_ws(' ', name, domain, phone) FROM crm_companies "
     "WHERE id = '$ID'",
     "Y x.example 2", R"({"name": "Y", "domain": "nohost"})",
     "`domain` is a host name such as acme.example, of at most 253 "
     "characters"},
    {"CRM_SEGMENT_CREATE", R"({"name": "big", "filters": {"a": [1]}})",
     "SELECT concat_ws(' ', name, filters) FROM crm_segments "
     "WHERE id = '$ID'",
     R"(big {"a": [1]})", R"({"name": "all", "filters": {}})",
     "another segment of this tenant has this `name`"},
    {"CRM_SEGMENT_UPDATE", R"({"segment_id": "$MINE", "filters": {"b": 2}})",
     "SELECT concat_ws(' ', name, filters) FROM crm_segments "
     "WHERE id = '$ID'",
     R"(all {"b": 2})", R"({"segment_id": "$MINE", "name": "big"})",
     "another segment of this tenant has this `name`"},
    {"ASSET_REGISTER", R"({"type": "page", "name": "n", "platform": "web"})",
     "SELECT concat_ws(' ', type, name, url, platform, metrics) FROM assets "
     "WHERE id = '$ID'",
     "page n web {}", R"({"type": "", "name": "n"})",
     "`type` has 1 to 100 characters"},
    {"ASSET_METRICS_UPDATE", R"({"asset_id": "$MINE", "metrics": {"b": 2}})",
     "SELECT metrics FROM assets WHERE id = '$ID'", R"({"a": 1, "b": 2})",
     R"({"asset_id": "x", "metrics": {}})",
     "`asset_id` names no asset of this tenant"},
    {"LEDGER_ENTRY_POST",
     R"({"entry_type": "debit", "category": "payout", "amount_cents": 1250.0,
         "currency": "EUR", "occurred_at": "2026-01-31T00:00:00Z"})",
     "SELECT concat_ws(' ', l.entry_type, l.category, l.amount_cents, "
     "l.currency, l.occurred_at = '2026-01-31T00:00:00Z', i.intent_type) "
     "FROM ledger_entries AS l JOIN intents AS i ON i.id = l.intent_id "
     "WHERE l.id = '$ID'",
     "debit payout 1250 EUR t LEDGER_ENTRY_POST",
     R"({"entry_type": "debit", "category": "payout", "amount_cents": 0,
         "currency": "EUR"})",
     "`amount_cents` is above 0; `entry_type` says which way it goes"},
    {"BUDGET_SET",
     R"({"name": "ads", "limit_cents": 700, "period_days": 30,
         "alert_at": 0.8})",
     "SELECT concat_ws(' ', limit_cents, period_days, alert_at) FROM budgets "
     "WHERE id = '$ID'",
     "700 30 0.8",
     R"({"name": "x", "limit_cents": 1, "period_days": 3000000000})",
     "a number is out of range"},
    {"AGENT_REGISTER",
     R"({"name": "BO", "role": "writer", "tier": 1, "labels": ["x"]})",
     "SELECT concat_ws(' ', a.name, a.role, a.status, a.tier, a.labels, "
     "u.name) FROM agent_registry AS a JOIN app_users AS u "
     "ON u.id = a.owner_user_id WHERE a.id = '$ID'",
     "BO writer active 1 {x} owner", R"({"name": "", "role": "writer"})",
     "`name` has 1 to 200 characters"},
    {"AGENT_UPDATE", R"({"agent_id": "$MINE", "tier": 3})",
     "SELECT concat_ws(' ', name, role, tier, status) FROM agent_registry "
     "WHERE id = '$ID'",
     "BOT helper 3 active", R"({"agent_id": "x", "tier": 3})", kNoAgent},
    {"AGENT_RETIRE", R"({"agent_id": "$MINE"})",
     "SELECT concat_ws(' ', name, status) FROM agent_registry "
     "WHERE id = '$ID'",
     "BOT retired", R"({"agent_id": "x"})", kNoAgent},
    {"AGENT_SWITCH_OFF", R"({"agent_id": "$MINE", "reason": "buys lamps"})",
     "SELECT concat_ws(' ', is_switched_off, switch_reason, switched_by LIKE "
     "'agent:%') FROM system_state WHERE switch_agent_id = '$ID'",
     "t buys lamps t", R"({"agent_id": "$MINE", "reason": ""})",
     "`reason` has 1 to 1,000 characters"},
    {"MEMBER_ADD",
     R"({"email": "new@x.example", "name": "N", "role": "member",
         "seat_type": "pro"})",
     "SELECT concat_ws(' ', u.email, u.name, m.role, m.seat_type) "
     "FROM tenant_members AS m JOIN app_users AS u ON u.id = m.user_id "
     "WHERE m.user_id = '$ID'",
     "new@x.example N member pro",
     R"({"email": "Uma@x.example", "name": "U", "role": "member",
         "seat_type": "pro"})",
     "this tenant has a member with this `email` already"},
    {"MEMBER_ROLE_CHANGE", R"({"user_id": "$MINE", "role": "owner"})",
     "SELECT concat_ws(' ', m.role, r.role) FROM tenant_members AS m "
     "JOIN member_roles AS r ON r.user_id = m.user_id "
     "WHERE m.user_id = '$ID'",
     "owner privacy", R"({"user_id": "$MINE", "role": ""})",
     "`role` has 1 to 100 characters"},
    {"TENANT_RENAME", R"({"name": "New & Co."})",
     "SELECT concat_ws(' ', name, slug) FROM tenants WHERE id = '$ID'",
     "New & Co. acme",
     R"({"name": ")"
     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
     "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
     R"(!"})",
     "`name` has at most 200 characters"},
    {"INTEGRATION_CONNECT", R"({"provider": "crm", "scopes": ["read"]})",
     "SELECT concat_ws(' ', provider, connected, scopes) FROM integrations "
     "WHERE id = '$ID'",
     R"(crm t ["read"])", R"({"provider": "", "scopes": []})",
     "`provider` has 1 to 100 characters"},
    {"INTEGRATION_DISCONNECT", R"({"provider": "mail"})",
     "SELECT connected FROM integrations WHERE id = '$ID'", "f",
     R"({"provider": "none"})",
     "`provider` names no integration of this tenant"},
};

// Gives a tenant one row in each table, with `$ID` as its id where it has one.
inline constexpr char kSeedRows[] =
    "INSERT INTO app_users (id, tenant_id, email, name) "
    "VALUES ('$ID', '$TENANT', 'uma@x.example', 'uma');"
    "INSERT INTO tenant_members (tenant_id, user_id) "
    "VALUES ('$TENANT', '$ID');"
    "INSERT INTO member_roles VALUES ('$TENANT', '$ID', 'privacy');"
    "INSERT INTO agent_registry (id, tenant_id, name, role) "
    "VALUES ('$ID', '$TENANT', 'BOT', 'helper');"
    "INSERT INTO tickets (id, tenant_id, title) "
    "VALUES ('$ID', '$TENANT', 't');"
    "INSERT INTO kb_documents (id, tenant_id, title, slug, body) "
    "VALUES ('$ID', '$TENANT', 't', 'home', 'text');"
    "INSERT INTO kb_tags (id, tenant_id, name) "
    "VALUES ('$ID', '$TENANT', 'old');"
    "INSERT INTO kb_tag_on_document VALUES ('$TENANT', '$ID', '$ID');"
    "INSERT INTO crm_contacts (id, tenant_id, email, phone, tags) "
    "VALUES ('$ID', '$TENANT', 'ann@x.example', '1', '{vip}');"
    "INSERT INTO crm_companies (id, tenant_id, name, domain, phone) "
    "VALUES ('$ID', '$TENANT', 'X', 'x.example', '2');"
    "INSERT INTO crm_segments (id, tenant_id, name) "
    "VALUES ('$ID', '$TENANT', 'all');"
    "INSERT INTO assets (id, tenant_id, type, name, metrics) "
    "VALUES ('$ID', '$TENANT', 'page', 'p', '{\"a\": 1}');"
    "INSERT INTO ledger_entries (id, tenant_id, entry_type, category, "
    "amount_cents) VALUES ('$ID', '$TENANT', 'debit', 'misc', 5);"
    "INSERT INTO budgets (id, tenant_id, name, limit_cents) "
    "VALUES ('$ID', '$TENANT', 'ads', 5);"
    "INSERT INTO integrations (id, tenant_id, provider, connected) "
    "VALUES ('$ID', '$TENANT', 'mail', true)";

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_EFFECT_CASES_H_
