// Proves ReadService as callers meet it: what intents wrote is read back, lists
// go page by page and by state, the search finds published documents by their
// words and ranks them, and nobody sees or finds another tenant's rows.

#include <absl/strings/str_cat.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "intent/v1/read_service.grpc.pb.h"
#include "storage/identity.h"
#include "storage/uuid.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {
namespace {

using intent::v1::ReadService;

constexpr char kPolicyText[] = R"(policy test.reads version 1
layer platform
default allow
intent TICKET_OPEN {}
intent TICKET_COMMENT {}
intent KB_DOCUMENT_CREATE {}
intent KB_DOCUMENT_PUBLISH {}
intent KB_DOCUMENT_ARCHIVE {}
intent KB_DOCUMENT_TAG {}
intent CRM_CONTACT_UPSERT {}
intent CRM_COMPANY_UPSERT {}
intent CRM_SEGMENT_CREATE {}
intent LEDGER_ENTRY_POST {}
)";

class ReadsTest : public ::testing::Test {
 protected:
  // Calls with a request in text form; the test fails where that is no text of
  // its type.
  template <typename Request, typename Response>
  Answer<Response> Call(grpc::Status (ReadService::Stub::*method)(
                            grpc::ClientContext*, const Request&, Response*),
                        const std::string& text,
                        const std::string& token = "") {
    Request request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request))
        << text;
    grpc::ClientContext context;
    context.AddMetadata(
        "authorization",
        absl::StrCat("Bearer ", token.empty() ? served_.agent_token() : token));
    Answer<Response> answer;
    answer.status = (stub_.get()->*method)(&context, request, &answer.response);
    return answer;
  }

  // Submits an intent that has an effect; returns one of its output's ids.
  std::string Make(const std::string& type, const std::string& payload,
                   const std::string& key, Caller& agent) {
    const auto intent = agent.MustSubmit(type, payload);
    served_.SettleDrafts();
    const auto done = agent.MustGet(intent.id());
    EXPECT_EQ(done.status(), intent::v1::INTENT_STATUS_EXECUTED)
        << type << ": " << done.ShortDebugString();
    return served_.Value(
        absl::StrCat("SELECT '", done.output(), "'::jsonb ->> '", key, "'"));
  }
  std::string Make(const std::string& type, const std::string& payload,
                   const std::string& key) {
    Caller agent = served_.As(served_.agent_token());
    return Make(type, payload, key, agent);
  }

  // A published document.
  std::string Publish(const std::string& slug, const std::string& title,
                      const std::string& body) {
    const std::string id =
        Make("KB_DOCUMENT_CREATE",
             absl::StrCat(R"({"title": ")", title, R"(", "slug": ")", slug,
                          R"(", "body": ")", body, R"("})"),
             "document_id");
    Make("KB_DOCUMENT_PUBLISH", absl::StrCat(R"({"document_id": ")", id, "\"}"),
         "document_id");
    return id;
  }

  // The slugs that a query finds, in their order.
  std::vector<std::string> Found(const std::string& query) {
    intent::v1::SearchKbDocumentsRequest request;
    request.set_query(query);
    const auto answer =
        Call(&ReadService::Stub::SearchKbDocuments, request.DebugString());
    EXPECT_TRUE(answer.ok()) << answer.status.error_message();
    std::vector<std::string> slugs;
    for (const auto& match : answer.response.matches()) {
      slugs.push_back(match.slug());
    }
    return slugs;
  }

  void Insert(const std::string& sql) {
    const SqlResult inserted = served_.database().Super().Run(sql);
    ASSERT_TRUE(inserted.ok()) << inserted.error;
  }

  ServedEngine served_{{.policy = kPolicyText}};
  std::unique_ptr<ReadService::Stub> stub_ =
      ReadService::NewStub(served_.channel());
};

using Slugs = std::vector<std::string>;
using Stub = ReadService::Stub;

TEST_F(ReadsTest, ATicketIsReadBackWithItsComments) {
  const std::string id =
      Make("TICKET_OPEN",
           R"({"title": "It hangs", "description": "d", "severity": "HIGH",
          "category": "BUG"})",
           "ticket_id");
  for (const char* body : {"first", "second", "third"}) {
    Make("TICKET_COMMENT",
         absl::StrCat(R"({"ticket_id": ")", id, R"(", "body": ")", body, "\"}"),
         "comment_id");
  }
  const auto got = Call(&Stub::GetTicket, absl::StrCat("id: '", id, "'"));
  ASSERT_TRUE(got.ok()) << got.status.error_message();
  EXPECT_EQ(got.response.ticket().title(), "It hangs");
  EXPECT_EQ(got.response.ticket().agent(), "ATLAS");
  EXPECT_EQ(got.response.ticket().status(), intent::v1::TICKET_STATUS_OPEN);
  EXPECT_EQ(got.response.ticket().severity(), intent::v1::TICKET_SEVERITY_HIGH);
  EXPECT_EQ(got.response.ticket().category(), intent::v1::TICKET_CATEGORY_BUG);
  // Oldest first, page by page.
  std::string token;
  std::string said;
  int pages = 0;
  do {
    const auto page = Call(&Stub::ListTicketComments,
                           absl::StrCat("page_size: 2 filter {ticket_id: '", id,
                                        "'} page_token: '", token, "'"));
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    for (const auto& comment : page.response.ticket_comments()) {
      EXPECT_EQ(comment.author(), "ATLAS");
      absl::StrAppend(&said, comment.body(), " ");
    }
    token = page.response.next_page_token();
    ++pages;
  } while (!token.empty());
  EXPECT_EQ(said, "first second third ");
  EXPECT_EQ(pages, 2);
}

TEST_F(ReadsTest, TicketsAreListedByStateNewestFirstInPages) {
  Insert(absl::StrCat(
      "INSERT INTO tickets (tenant_id, title, status, severity, category, "
      "created_at) SELECT '",
      served_.tenant().id,
      "', 't' || n, (ARRAY['OPEN', 'TRIAGED', 'IN_PROGRESS', 'CLOSED'])"
      "[1 + n % 4]::\"TicketStatus\", 'LOW', 'UX', "
      "engine_now() - n * interval '1 minute' FROM generate_series(0, 19) n"));
  int first = 0;
  for (const char* state : {"OPEN", "TRIAGED", "IN_PROGRESS", "CLOSED"}) {
    SCOPED_TRACE(state);
    std::vector<std::string> titles;
    std::string token;
    do {
      const auto page =
          Call(&Stub::ListTickets,
               absl::StrCat("page_size: 2 filter {status: TICKET_STATUS_",
                            state, "} page_token: '", token, "'"));
      ASSERT_TRUE(page.ok()) << page.status.error_message();
      for (const auto& ticket : page.response.tickets()) {
        titles.push_back(ticket.title());
      }
      token = page.response.next_page_token();
    } while (!token.empty());
    ASSERT_EQ(titles.size(), 5u);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(titles[static_cast<size_t>(i)],
                absl::StrCat("t", first + 4 * i));
    }
    ++first;
  }
  const auto none =
      Call(&Stub::ListTickets, "filter {severity: TICKET_SEVERITY_BLOCKER}");
  EXPECT_EQ(none.response.tickets_size(), 0);
  const auto all = Call(&Stub::ListTickets,
                        "filter {severity: TICKET_SEVERITY_LOW "
                        "category: TICKET_CATEGORY_UX}");
  EXPECT_EQ(all.response.tickets_size(), 20);
}

TEST_F(ReadsTest, ContactsCompaniesAndSegmentsAreReadBack) {
  const std::string id =
      Make("CRM_CONTACT_UPSERT",
           R"({"email": "ann@acme.example", "first_name": "Ann",
          "tags": ["vip", "eu"]})",
           "contact_id");
  const auto got = Call(&Stub::GetCrmContact, absl::StrCat("id: '", id, "'"));
  ASSERT_TRUE(got.ok()) << got.status.error_message();
  EXPECT_EQ(got.response.crm_contact().first_name(), "Ann");
  ASSERT_EQ(got.response.crm_contact().tags_size(), 2);
  EXPECT_EQ(got.response.crm_contact().tags(0), "vip");
  for (const char* email : {"ann@acme.example", "ANN@acme.example"}) {
    const auto list = Call(&Stub::ListCrmContacts,
                           absl::StrCat("filter {email: '", email, "'}"));
    ASSERT_EQ(list.response.crm_contacts_size(), 1) << email;
    EXPECT_EQ(list.response.crm_contacts(0).id(), id);
  }
  EXPECT_EQ(Call(&Stub::ListCrmContacts, "filter {email: 'x@y.example'}")
                .response.crm_contacts_size(),
            0);
  Make("CRM_COMPANY_UPSERT", R"({"name": "Acme", "domain": "acme.example"})",
       "company_id");
  const auto companies =
      Call(&Stub::ListCrmCompanies, "filter {domain: 'acme.example'}");
  ASSERT_EQ(companies.response.crm_companies_size(), 1);
  EXPECT_EQ(companies.response.crm_companies(0).name(), "Acme");
  Make("CRM_SEGMENT_CREATE", R"({"name": "EU", "filters": {"tag": "eu"}})",
       "segment_id");
  const auto segments = Call(&Stub::ListCrmSegments, "filter {name: 'EU'}");
  ASSERT_EQ(segments.response.crm_segments_size(), 1);
  EXPECT_EQ(segments.response.crm_segments(0).filters(), R"({"tag": "eu"})");
}

TEST_F(ReadsTest, LedgerEntriesAreListedByWhenTheyOccurred) {
  const std::string id = Make(
      "LEDGER_ENTRY_POST",
      R"({"entry_type": "debit", "category": "refund", "amount_cents": 1250,
          "currency": "EUR"})",
      "entry_id");
  const auto got = Call(&Stub::GetLedgerEntry, absl::StrCat("id: '", id, "'"));
  ASSERT_TRUE(got.ok()) << got.status.error_message();
  const auto& entry = got.response.ledger_entry();
  EXPECT_EQ(entry.amount_cents(), 1250);
  EXPECT_EQ(entry.currency(), "EUR");
  EXPECT_EQ(entry.entry_type(), intent::v1::LEDGER_ENTRY_TYPE_DEBIT);
  EXPECT_EQ(entry.category(), intent::v1::LEDGER_CATEGORY_REFUND);
  Insert(absl::StrCat(
      "INSERT INTO ledger_entries (tenant_id, entry_type, category, "
      "amount_cents, occurred_at) SELECT '",
      served_.tenant().id,
      "', 'credit', 'payout', 1 + n, timestamptz '2020-01-01 00:00:00+00' + n "
      "* interval '1 day' FROM generate_series(0, 4) AS n"));
  const auto of_intent =
      Call(&Stub::ListLedgerEntries,
           absl::StrCat("filter {intent_id: '", entry.intent_id(), "'}"));
  ASSERT_EQ(of_intent.response.ledger_entries_size(), 1);
  EXPECT_EQ(of_intent.response.ledger_entries(0).spend_micros_usd(), 0);
  // What it spent is another entry of its own.
  Insert(absl::StrCat(
      "INSERT INTO ledger_entries (tenant_id, intent_id, entry_type, category, "
      "amount_cents, spend_micros_usd, occurred_at) VALUES ('",
      served_.tenant().id, "', '", entry.intent_id(),
      "', 'debit', 'api_spend', 2, 12345, '2019-01-01 00:00:00+00')"));
  const auto with_spend =
      Call(&Stub::ListLedgerEntries,
           absl::StrCat("filter {intent_id: '", entry.intent_id(), "'}"));
  ASSERT_EQ(with_spend.response.ledger_entries_size(), 2);
  EXPECT_EQ(with_spend.response.ledger_entries(1).spend_micros_usd(), 12345);
  // 2020-01-02 to 2020-01-04.
  const auto some = Call(&Stub::ListLedgerEntries,
                         "filter {category: LEDGER_CATEGORY_PAYOUT start_time "
                         "{seconds: 1577923200} end_time {seconds: "
                         "1578096000}}");
  ASSERT_EQ(some.response.ledger_entries_size(), 2);
  EXPECT_EQ(some.response.ledger_entries(0).amount_cents(), 3);
  EXPECT_EQ(some.response.ledger_entries(1).amount_cents(), 2);
  const auto first = Call(&Stub::ListLedgerEntries, "page_size: 1");
  EXPECT_EQ(first.response.ledger_entries(0).id(), id);
  const auto second = Call(&Stub::ListLedgerEntries,
                           absl::StrCat("page_size: 1 page_token: '",
                                        first.response.next_page_token(), "'"));
  EXPECT_EQ(second.response.ledger_entries(0).amount_cents(), 5);
}

TEST_F(ReadsTest, DocumentsAreListedWithoutAndGotWithTheirText) {
  const std::string id = Publish("refunds", "Refunds", "How to refund");
  Make("KB_DOCUMENT_TAG",
       absl::StrCat(R"({"document_id": ")", id, R"(", "tag": "money"})"),
       "tag_id");
  Make("KB_DOCUMENT_CREATE",
       R"({"title": "Draft", "slug": "draft", "body": "b"})", "document_id");
  const auto list = Call(&Stub::ListKbDocuments,
                         "filter {status: KB_DOCUMENT_STATUS_PUBLISHED}");
  ASSERT_EQ(list.response.kb_documents_size(), 1);
  EXPECT_EQ(list.response.kb_documents(0).slug(), "refunds");
  EXPECT_EQ(list.response.kb_documents(0).body(), "");
  EXPECT_EQ(Call(&Stub::ListKbDocuments, "").response.kb_documents_size(), 2);
  for (const std::string& by :
       {absl::StrCat("id: '", id, "'"), std::string("slug: 'refunds'")}) {
    const auto got = Call(&Stub::GetKbDocument, by);
    ASSERT_TRUE(got.ok()) << got.status.error_message();
    EXPECT_EQ(got.response.kb_document().body(), "How to refund");
    ASSERT_EQ(got.response.kb_document().tags_size(), 1);
    EXPECT_EQ(got.response.kb_document().tags(0), "money");
  }
}

TEST_F(ReadsTest, ASearchFindsWordsInAnyFormAndRanksTitlesFirst) {
  Publish("mention", "Billing", "Among much else, a refund is mentioned once");
  Publish("refunds", "Refunds", "How refunding works");
  Publish("chargebacks", "Chargebacks", "A chargeback fee and its appeal");
  EXPECT_EQ(Found("refund"), (Slugs{"refunds", "mention"}));
  EXPECT_EQ(Found("refund -billing"), (Slugs{"refunds"}));
  EXPECT_EQ(Found("\"chargeback fee\""), (Slugs{"chargebacks"}));
  EXPECT_EQ(Found("\"fee chargeback\""), Slugs{});
  EXPECT_EQ(Found("appeal or refunding").size(), 3u);
  EXPECT_EQ(Found("nothing of this"), Slugs{});
  // Words that are everywhere find nothing, rather than everything.
  EXPECT_EQ(Found("the"), Slugs{});
  const auto answer = Call(&Stub::SearchKbDocuments, "query: 'appeal'");
  ASSERT_EQ(answer.response.matches_size(), 1);
  EXPECT_EQ(answer.response.matches(0).snippet(),
            "A chargeback fee and its **appeal**");
  EXPECT_GT(answer.response.matches(0).score(), 0);
}

TEST_F(ReadsTest, NoTextIsTooLargeToBePublished) {
  // The most that a character takes in the index: words of four bytes a letter,
  // all different, each there whole and in its two parts. Another writer's: no
  // payload is as large.
  Insert(absl::StrCat(
      "INSERT INTO kb_documents (tenant_id, title, slug, body, status) "
      "SELECT '",
      served_.tenant().id,
      "', 'Large', 'large', 'yak ' || string_agg(w || '-' || reverse(w), ' ') "
      "|| ' zebra', 'published' FROM (SELECT repeat(chr(66304 + n % 26), 120) "
      "|| chr(66304 + n % 20) || chr(66304 + n / 20 % 20) || chr(66304 + n / "
      "400 % 20) AS w FROM generate_series(1, 2000) AS n) AS words"));
  EXPECT_EQ(Found("yak"), Slugs{"large"});
  // Beyond what is searched.
  EXPECT_EQ(Found("zebra"), Slugs{});
}

TEST_F(ReadsTest, ASearchFindsWhatIsPublishedNow) {
  const std::string id = Publish("one", "One", "zebra");
  Make("KB_DOCUMENT_CREATE",
       R"({"title": "Draft", "slug": "draft", "body": "zebra"})",
       "document_id");
  EXPECT_EQ(Found("zebra"), Slugs{"one"});
  Make("KB_DOCUMENT_ARCHIVE", absl::StrCat(R"({"document_id": ")", id, "\"}"),
       "document_id");
  EXPECT_EQ(Found("zebra"), Slugs{});
}

TEST_F(ReadsTest, ASearchGoesPageByPageWithoutLossOrRepeat) {
  Insert(absl::StrCat(
      "INSERT INTO kb_documents (tenant_id, title, slug, body, status) "
      "SELECT '",
      served_.tenant().id,
      "', 't', 's' || n, repeat('yak ', 1 + n % 3), 'published' "
      "FROM generate_series(1, 25) AS n"));
  std::set<std::string> slugs;
  std::string token;
  double last = 1e9;
  int rows = 0;
  do {
    const auto page = Call(
        &Stub::SearchKbDocuments,
        absl::StrCat("query: 'yak' page_size: 10 page_token: '", token, "'"));
    ASSERT_TRUE(page.ok()) << page.status.error_message();
    for (const auto& match : page.response.matches()) {
      slugs.insert(match.slug());
      EXPECT_LE(match.score(), last);
      last = match.score();
      ++rows;
    }
    token = page.response.next_page_token();
  } while (!token.empty());
  EXPECT_EQ(rows, 25);
  EXPECT_EQ(slugs.size(), 25u);
  const auto other =
      Call(&Stub::SearchKbDocuments, "query: 'yak' page_size: 10");
  const auto mixed = Call(&Stub::SearchKbDocuments,
                          absl::StrCat("query: 'gnu' page_token: '",
                                       other.response.next_page_token(), "'"));
  EXPECT_EQ(BadFieldsOf(mixed.status), Slugs{"page_token"});
}

TEST_F(ReadsTest, NobodySeesAnotherTenantsRows) {
  const SeededTenant other = served_.database().Seed("bolt");
  const std::string theirs =
      served_.AddToken(storage::PrincipalKind::kAgent, other.agent, other.id);
  Caller agent = served_.As(theirs);
  const std::string ticket =
      Make("TICKET_OPEN",
           R"({"title": "t", "description": "d", "severity": "LOW",
               "category": "UX"})",
           "ticket_id", agent);
  Make("TICKET_COMMENT",
       absl::StrCat(R"({"ticket_id": ")", ticket, R"(", "body": "b"})"),
       "comment_id", agent);
  const std::string contact = Make(
      "CRM_CONTACT_UPSERT", R"({"email": "a@b.example"})", "contact_id", agent);
  Make("CRM_COMPANY_UPSERT", R"({"name": "n", "domain": "b.example"})",
       "company_id", agent);
  Make("CRM_SEGMENT_CREATE", R"({"name": "n", "filters": {}})", "segment_id",
       agent);
  const std::string entry =
      Make("LEDGER_ENTRY_POST",
           R"({"entry_type": "debit", "category": "misc", "amount_cents": 1,
               "currency": "USD"})",
           "entry_id", agent);
  const std::string document =
      Make("KB_DOCUMENT_CREATE",
           R"({"title": "Secret", "slug": "secret", "body": "zebra"})",
           "document_id", agent);
  Make("KB_DOCUMENT_PUBLISH",
       absl::StrCat(R"({"document_id": ")", document, "\"}"), "document_id",
       agent);
  // Theirs is there.
  EXPECT_EQ(Call(&Stub::SearchKbDocuments, "query: 'zebra'", theirs)
                .response.matches_size(),
            1);
  EXPECT_EQ(Call(&Stub::ListTickets, "", theirs).response.tickets_size(), 1);
  // And not for us, by any way.
  EXPECT_EQ(Found("zebra"), Slugs{});
  EXPECT_EQ(Found("-unseen"), Slugs{});
  EXPECT_EQ(Found(absl::StrCat("tenant:", other.id)), Slugs{});
  EXPECT_EQ(Found(absl::StrCat("zebra or 'tenant:", other.id, "'")), Slugs{});
  EXPECT_EQ(Call(&Stub::ListTickets, "").response.tickets_size(), 0);
  EXPECT_EQ(Call(&Stub::ListTicketComments,
                 absl::StrCat("filter {ticket_id: '", ticket, "'}"))
                .response.ticket_comments_size(),
            0);
  EXPECT_EQ(Call(&Stub::ListCrmContacts, "").response.crm_contacts_size(), 0);
  EXPECT_EQ(Call(&Stub::ListCrmCompanies, "").response.crm_companies_size(), 0);
  EXPECT_EQ(Call(&Stub::ListCrmSegments, "").response.crm_segments_size(), 0);
  EXPECT_EQ(Call(&Stub::ListLedgerEntries, "").response.ledger_entries_size(),
            0);
  EXPECT_EQ(Call(&Stub::ListKbDocuments, "").response.kb_documents_size(), 0);
  for (const bool is_theirs : {true, false}) {
    const auto of = [&](const std::string& value) {
      return absl::StrCat("id: '", is_theirs ? value : storage::NewUuid(), "'");
    };
    EXPECT_EQ(ReasonOf(Call(&Stub::GetTicket, of(ticket)).status),
              "TICKET_NOT_FOUND");
    EXPECT_EQ(ReasonOf(Call(&Stub::GetCrmContact, of(contact)).status),
              "CONTACT_NOT_FOUND");
    EXPECT_EQ(ReasonOf(Call(&Stub::GetLedgerEntry, of(entry)).status),
              "LEDGER_ENTRY_NOT_FOUND");
    EXPECT_EQ(ReasonOf(Call(&Stub::GetKbDocument, of(document)).status),
              "DOCUMENT_NOT_FOUND");
  }
  EXPECT_EQ(ReasonOf(Call(&Stub::GetKbDocument, "slug: 'secret'").status),
            "DOCUMENT_NOT_FOUND");
}

TEST_F(ReadsTest, ASearchOutsideTheTransactionsTenantsFindsNothing) {
  Publish("one", "One", "zebra");
  const std::string sql =
      absl::StrCat("SELECT count(*) FROM search_kb_documents('",
                   served_.tenant().id, "', 'zebra', NULL, NULL, 10)");
  SqlConnection runtime(served_.database().runtime_url());
  EXPECT_EQ(runtime.Value(sql), "0");
  ASSERT_TRUE(runtime
                  .Run(absl::StrCat("SET intent.tenants = '{",
                                    storage::NewUuid(), "}'"))
                  .ok());
  EXPECT_EQ(runtime.Value(sql), "0");
  ASSERT_TRUE(runtime
                  .Run(absl::StrCat("SET intent.tenants = '{",
                                    served_.tenant().id, "}'"))
                  .ok());
  EXPECT_EQ(runtime.Value(sql), "1");
}

TEST_F(ReadsTest, WhatCantBeAskedNamesItsField) {
  EXPECT_EQ(BadFieldsOf(Call(&Stub::SearchKbDocuments, "").status),
            Slugs{"query"});
  EXPECT_EQ(
      BadFieldsOf(Call(&Stub::SearchKbDocuments,
                       absl::StrCat("query: '", std::string(501, 'x'), "'"))
                      .status),
      Slugs{"query"});
  EXPECT_EQ(
      BadFieldsOf(
          Call(&Stub::SearchKbDocuments, "query: 'x' page_size: 201").status),
      Slugs{"page_size"});
  EXPECT_EQ(
      BadFieldsOf(Call(&Stub::SearchKbDocuments, "query: 'a\\000b'").status),
      Slugs{"query"});
  EXPECT_EQ(BadFieldsOf(Call(&Stub::GetTicket, "").status), Slugs{"id"});
  EXPECT_EQ(BadFieldsOf(Call(&Stub::GetKbDocument, "").status), Slugs{"id"});
  EXPECT_EQ(BadFieldsOf(Call(&Stub::GetKbDocument, "id: 'a' slug: 'b'").status),
            Slugs{"slug"});
  EXPECT_EQ(BadFieldsOf(Call(&Stub::ListTicketComments, "").status),
            Slugs{"filter.ticket_id"});
  EXPECT_EQ(
      BadFieldsOf(
          Call(&Stub::ListLedgerEntries, "filter {intent_id: 'x'}").status),
      Slugs{"filter.intent_id"});
  EXPECT_EQ(BadFieldsOf(Call(&Stub::ListTickets, "filter {status: 77}").status),
            Slugs{"filter.status"});
}

}  // namespace
}  // namespace sgl::testing
