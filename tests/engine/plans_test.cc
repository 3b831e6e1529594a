// Proves that what happens to every intent, and what lists show of memos and of
// what effects wrote, reads no large table from end to end: a served engine
// works on a database with 200,000 intents, their memos and audit entries, as
// the role that row level security holds, and PostgreSQL writes down the plan
// of each statement, those inside functions too.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "intent/v1/intent_service.pb.h"
#include "intent/v1/read_service.grpc.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

constexpr int64_t kBigSpend = 300'000'000;

// Finished intents, and one of ten that still waits for people. The triggers
// that refuse such rows are off meanwhile.
constexpr char kFill[] = R"sql(
SET session_replication_role = replica;
CREATE TEMPORARY TABLE filled AS
  SELECT n, gen_random_uuid() AS id, gen_random_uuid() AS memo_id,
         n % 10 = 0 AS waits, t.id AS tenant_id, a.id AS agent_id
  FROM generate_series(1, 200000) AS n,
       (SELECT id FROM tenants WHERE slug = 'acme') AS t,
       (SELECT id FROM agent_registry WHERE name = 'ATLAS') AS a;
INSERT INTO intents
  (id, tenant_id, agent_id, intent_type, payload, payload_raw, payload_sha256,
   status, decision, sgl_result, policy_digest, decision_memo_id,
   transition_number, created_at)
SELECT f.id, f.tenant_id, f.agent_id, 'POST', '{"text": "x"}',
       '{"text": "x"}', repeat('0', 64),
       CASE WHEN f.waits THEN 'AWAITING_HUMAN' ELSE 'EXECUTED' END,
       CASE WHEN f.waits THEN r.decision ELSE a.decision END,
       CASE WHEN f.waits THEN 'REVIEW' ELSE 'ALLOW' END, 'sha256:0',
       CASE WHEN f.waits THEN f.memo_id END, 3,
       engine_now() - f.n * interval '1 second'
FROM filled AS f,
     (SELECT decision FROM intents WHERE sgl_result = 'REVIEW' LIMIT 1) AS r,
     (SELECT decision FROM intents WHERE sgl_result = 'ALLOW' LIMIT 1) AS a;
INSERT INTO intent_requests
  (tenant_id, principal_id, request_id, body_sha256, intent_id)
SELECT f.tenant_id, f.agent_id, f.id::text, '', f.id FROM filled AS f;
INSERT INTO decision_memos
  (id, tenant_id, intent_id, payload_sha256, policy_digest, expires_at,
   opened_at)
SELECT f.memo_id, f.tenant_id, f.id, repeat('0', 64), 'sha256:0',
       engine_now() + interval '1 day', engine_now() - f.n * interval '1 second'
FROM filled AS f WHERE f.waits;
INSERT INTO audit_log
  (tenant_id, actor_type, level, action, entity_type, entity_id, meta,
   transition_number)
SELECT f.tenant_id, 'system', 'info', 'SGL_EVALUATED', 'intent', f.id, '{}', 2
FROM filled AS f;
-- What effects wrote, most of it in states that lists are rarely about.
INSERT INTO tickets (tenant_id, title, status, created_at)
SELECT f.tenant_id, 't', CASE WHEN f.n % 400 = 0 THEN 'OPEN'
         ELSE 'CLOSED' END::"TicketStatus",
       engine_now() - f.n * interval '1 second'
FROM filled AS f WHERE f.waits;
INSERT INTO kb_documents (tenant_id, title, slug, body, status, created_at)
SELECT f.tenant_id, 't', 's' || f.n, 'word' || f.n % 1000 || ' common',
       CASE WHEN f.n % 400 = 0 THEN 'draft'
         ELSE 'published' END::"KbDocumentStatus",
       engine_now() - f.n * interval '1 second'
FROM filled AS f WHERE f.waits;
INSERT INTO crm_contacts (tenant_id, email, created_at)
SELECT f.tenant_id, 'c' || f.n || '@x.example',
       engine_now() - f.n * interval '1 second'
FROM filled AS f WHERE f.waits;
INSERT INTO ledger_entries (tenant_id, entry_type, category, amount_cents,
                            occurred_at)
SELECT f.tenant_id, 'debit', 'misc', 1, engine_now() - f.n * interval '1 second'
FROM filled AS f WHERE f.waits;
ANALYZE intents, intent_requests, decision_memos, audit_log, tickets,
        kb_documents, crm_contacts, ledger_entries;
)sql";

// From the engine's next connection on.
constexpr char kWriteDownPlans[] = R"sql(
ALTER ROLE intent_login SET session_preload_libraries = 'auto_explain';
ALTER ROLE intent_login SET auto_explain.log_min_duration = 0;
ALTER ROLE intent_login SET auto_explain.log_nested_statements = on;
)sql";

std::string ServerLog() {
  std::ifstream log(TestDatabase::SocketDir() + "/../server.log");
  return {std::istreambuf_iterator<char>(log), {}};
}

// Returns the plans that read one of the tables from end to end.
std::vector<std::string> PlansThatScan(const std::string& log) {
  std::vector<std::string> found;
  for (absl::string_view entry : absl::StrSplit(log, "LOG:  duration: ")) {
    for (const char* table :
         {"intents", "intent_requests", "decision_memos", "audit_log",
          "tickets", "kb_documents", "crm_contacts", "ledger_entries"}) {
      if (absl::StrContains(entry, absl::StrCat("Seq Scan on ", table))) {
        found.emplace_back(entry);
        break;
      }
    }
  }
  return found;
}

// A first and a second page, all and filtered.
void ListMemos(Caller& agent, const std::string& intent_id) {
  for (const std::string filter :
       {"", "status: MEMO_STATUS_PROPOSED", "intent_type: 'POST'",
        "intent_type: 'NEVER_SEEN'", "intent_id"}) {
    intent::v1::ListDecisionMemosRequest request;
    if (filter == "intent_id") {
      request.mutable_filter()->set_intent_id(intent_id);
    } else {
      ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
          filter, request.mutable_filter()));
    }
    const auto page = agent.ListMemos(request);
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    if (page.response.next_page_token().empty()) continue;
    request.set_page_token(page.response.next_page_token());
    ASSERT_TRUE(agent.ListMemos(request).ok());
  }
}

// Each list of what effects wrote, filtered or not, and the search.
void Read(ServedEngine& served) {
  const auto stub = intent::v1::ReadService::NewStub(served.channel());
  const auto call = [&](auto method, auto request, auto response,
                        const std::string& filter) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + served.agent_token());
    ASSERT_TRUE(
        google::protobuf::TextFormat::ParseFromString(filter, &request));
    const grpc::Status status =
        (stub.get()->*method)(&context, request, &response);
    ASSERT_TRUE(status.ok()) << status.error_message();
  };
  using Stub = intent::v1::ReadService::Stub;
  for (const char* state : {"", "OPEN", "TRIAGED", "IN_PROGRESS", "CLOSED"}) {
    call(&Stub::ListTickets, intent::v1::ListTicketsRequest(),
         intent::v1::ListTicketsResponse(),
         *state == 0
             ? ""
             : absl::StrCat("filter {status: TICKET_STATUS_", state, "}"));
  }
  for (const char* state : {"", "DRAFT", "PUBLISHED", "ARCHIVED"}) {
    call(&Stub::ListKbDocuments, intent::v1::ListKbDocumentsRequest(),
         intent::v1::ListKbDocumentsResponse(),
         *state == 0
             ? ""
             : absl::StrCat("filter {status: KB_DOCUMENT_STATUS_", state, "}"));
  }
  for (const char* filter : {"", "filter {email: 'c77@x.example'}"}) {
    call(&Stub::ListCrmContacts, intent::v1::ListCrmContactsRequest(),
         intent::v1::ListCrmContactsResponse(), filter);
  }
  for (const char* filter :
       {"", "filter {intent_id: '00000000-0000-4000-8000-000000000001'}"}) {
    call(&Stub::ListLedgerEntries, intent::v1::ListLedgerEntriesRequest(),
         intent::v1::ListLedgerEntriesResponse(), filter);
  }
  call(&Stub::SearchKbDocuments, intent::v1::SearchKbDocumentsRequest(),
       intent::v1::SearchKbDocumentsResponse(), "query: 'word77'");
}

void Work(ServedEngine& served) {
  Caller agent = served.As(served.agent_token());
  Caller owner = served.As(served.AddUser("olga", "owner"));
  const auto request = Caller::Request("POST", R"({"text": "hi"})");
  ASSERT_TRUE(agent.Submit(request).ok());
  ASSERT_TRUE(agent.Submit(request).ok());
  // Claimed by the worker.
  const std::string id = served.InsertBySql("POST", R"({"text": "sql"})");
  while (agent.MustGet(id).status() == intent::v1::INTENT_STATUS_DRAFT) {
  }
  const auto wanted =
      agent.MustSubmit("POST", R"({"text": "dear"})", kBigSpend);
  ASSERT_TRUE(owner.Approve(agent.MustGetMemo(wanted.decision_memo_id())).ok());
  const auto unwanted =
      agent.MustSubmit("POST", R"({"text": "dearer"})", kBigSpend);
  ASSERT_TRUE(
      owner.Reject(agent.MustGetMemo(unwanted.decision_memo_id()), "no").ok());
  const auto withdrawn =
      agent.MustSubmit("POST", R"({"text": "dearest"})", kBigSpend);
  ASSERT_TRUE(agent.Cancel(withdrawn.id()).ok());
  intent::v1::ListIntentsRequest list;
  auto page = agent.List(list);
  ASSERT_TRUE(page.ok());
  list.set_page_token(page.response.next_page_token());
  ASSERT_TRUE(agent.List(list).ok());
  ListMemos(agent, unwanted.id());
  Read(served);
  ASSERT_TRUE(served.engine().worker().ExpireMemos().ok());
}

TEST(PlansTest, NoLargeTableIsReadFromEndToEnd) {
  // The database is made, filled and told before the engine connects.
  ServedEngine first({});
  const SqlResult told = first.database().Super().Run(kWriteDownPlans);
  ASSERT_TRUE(told.ok()) << told.error;
  ServedEngine served({.runs = true});
  // What decisions are copied from.
  Caller agent = served.As(served.agent_token());
  agent.MustSubmit("POST", R"({"text": "hi"})");
  agent.MustSubmit("POST", R"({"text": "hi"})", kBigSpend);
  const SqlResult filled = served.database().Super().Run(kFill);
  ASSERT_TRUE(filled.ok()) << filled.error;
  const size_t before = ServerLog().size();
  Work(served);
  const std::string log = ServerLog().substr(before);
  // Plans were written down, of statements inside functions too.
  ASSERT_TRUE(absl::StrContains(log, "submit_intents("));
  ASSERT_TRUE(absl::StrContains(log, "intents_draft_idx"));
  // A list by state goes by the state's own index, a search by that of the
  // words, and a list that reads its page alone sorts no more than that.
  for (const char* index :
       {"tickets_list_idx", "tickets_open_idx", "tickets_triaged_idx",
        "tickets_closed_idx", "kb_documents_list_idx", "kb_documents_draft_idx",
        "kb_documents_published_idx", "kb_documents_search_idx",
        "crm_contacts_list_idx", "crm_contacts_email_idx",
        "ledger_entries_occurred_idx", "ledger_entries_intent_key",
        "ledger_entries_spend_key", "decision_memos_list_idx",
        "decision_memos_open_idx"}) {
    EXPECT_TRUE(absl::StrContains(log, index)) << index;
  }
  for (const std::string& plan : PlansThatScan(log)) {
    ADD_FAILURE() << plan.substr(0, 3000);
  }
}

TEST(PlansTest, AScanWouldBeSeen) {
  EXPECT_EQ(PlansThatScan("LOG:  duration: 1 ms  plan:\n\tSeq Scan on intents "
                          "i  (cost=0)\nLOG:  duration: 2 ms  plan:\n\tIndex "
                          "Scan using intents_pkey on intents")
                .size(),
            1);
}

}  // namespace
}  // namespace sgl::testing
