#include "engine/rpc/read_service.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/string_view.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/page.h"
#include "engine/rpc/page_token.h"
#include "engine/text.h"
#include "storage/intents.h"
#include "storage/reads.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

using storage::Transaction;

// What people type; a longer text is no search.
constexpr size_t kQueryCharactersMax = 500;

// INVALID_ARGUMENT naming a filter's text that PostgreSQL can't hold.
absl::Status CheckText(absl::string_view field, absl::string_view text) {
  if (HasNul(text)) return BadField(field, "it holds a NUL character");
  return absl::OkStatus();
}

// Answers the one row of a list, or that there is none.
template <typename Row, typename Message>
absl::Status FillOne(const absl::StatusOr<std::vector<Row>>& rows,
                     absl::string_view what, Message* message) {
  if (absl::IsNotFound(rows.status()) || (rows.ok() && rows->empty())) {
    return Refusal(absl::StatusCode::kNotFound,
                   absl::StrCat(absl::AsciiStrToUpper(
                                    absl::StrReplaceAll(what, {{" ", "_"}})),
                                "_NOT_FOUND"),
                   absl::StrCat("there is no such ", what));
  }
  if (!rows.ok()) return rows.status();
  return ToProto(rows->front(), message);
}

absl::Status ReadSearchKbDocuments(
    Transaction& tx, const intent::v1::SearchKbDocumentsRequest& request,
    intent::v1::SearchKbDocumentsResponse* response) {
  const absl::StatusOr<int> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  if (request.query().empty() ||
      CharacterCount(request.query()) > kQueryCharactersMax) {
    return BadField("query", absl::StrCat("it must have 1 to ",
                                          kQueryCharactersMax, " characters"));
  }
  const absl::Status checked = CheckText("query", request.query());
  if (!checked.ok()) return checked;
  // A token of this list has the rank where others have a time.
  std::optional<storage::KbMatchCursor> after;
  if (!request.page_token().empty()) {
    const absl::StatusOr<storage::PageCursor> cursor =
        DecodePageToken(request.page_token(), request.query());
    if (!cursor.ok()) return cursor.status();
    after = {.rank = absl::ToUnixMicros(cursor->created_at), .id = cursor->id};
  }
  const absl::StatusOr<std::vector<storage::KbMatchRow>> rows =
      storage::SearchKbDocuments(tx, request.query(), after, *size);
  if (!rows.ok()) return rows.status();
  // A match is small, so that a page of them needs no bound in bytes: a title,
  // a slug, and a snippet of the text's first 4,000 characters.
  for (const storage::KbMatchRow& row : *rows) {
    const absl::Status status = ToProto(row, response->add_matches());
    if (!status.ok()) return status;
  }
  if (static_cast<int>(rows->size()) == *size) {
    response->set_next_page_token(
        EncodePageToken({.created_at = absl::FromUnixMicros(rows->back().rank),
                         .id = rows->back().id},
                        request.query()));
  }
  return absl::OkStatus();
}

absl::Status ReadGetKbDocument(Transaction& tx,
                               const intent::v1::GetKbDocumentRequest& request,
                               intent::v1::GetKbDocumentResponse* response) {
  if (request.id().empty() == request.slug().empty()) {
    return BadField(request.id().empty() ? "id" : "slug",
                    "one of `id` and `slug` is required");
  }
  const absl::Status checked = CheckText("slug", request.slug());
  if (!checked.ok()) return checked;
  return FillOne(
      storage::ListKbDocuments(tx, {.id = request.id(), .slug = request.slug()},
                               std::nullopt, 1),
      "document", response->mutable_kb_document());
}

absl::Status ReadListKbDocuments(
    Transaction& tx, const intent::v1::ListKbDocumentsRequest& request,
    intent::v1::ListKbDocumentsResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const auto filter = FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  const auto rows =
      storage::ListKbDocuments(tx, *filter, page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_kb_documents(), response);
}

absl::Status ReadGetTicket(Transaction& tx,
                           const intent::v1::GetTicketRequest& request,
                           intent::v1::GetTicketResponse* response) {
  if (request.id().empty()) return BadField("id", "it is required");
  return FillOne(
      storage::ListTickets(tx, {.id = request.id()}, std::nullopt, 1), "ticket",
      response->mutable_ticket());
}

absl::Status ReadListTickets(Transaction& tx,
                             const intent::v1::ListTicketsRequest& request,
                             intent::v1::ListTicketsResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const auto filter = FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  const auto rows = storage::ListTickets(tx, *filter, page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_tickets(), response);
}

absl::Status ReadListTicketComments(
    Transaction& tx, const intent::v1::ListTicketCommentsRequest& request,
    intent::v1::ListTicketCommentsResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  if (!storage::IsUuid(request.filter().ticket_id())) {
    return BadField("filter.ticket_id", "a ticket's id is required");
  }
  const auto rows = storage::ListTicketComments(
      tx, request.filter().ticket_id(), page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_ticket_comments(), response);
}

absl::Status ReadGetCrmContact(Transaction& tx,
                               const intent::v1::GetCrmContactRequest& request,
                               intent::v1::GetCrmContactResponse* response) {
  if (request.id().empty()) return BadField("id", "it is required");
  return FillOne(
      storage::ListCrmContacts(tx, {.id = request.id()}, std::nullopt, 1),
      "contact", response->mutable_crm_contact());
}

absl::Status ReadListCrmContacts(
    Transaction& tx, const intent::v1::ListCrmContactsRequest& request,
    intent::v1::ListCrmContactsResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const absl::Status checked =
      CheckText("filter.email", request.filter().email());
  if (!checked.ok()) return checked;
  const auto rows = storage::ListCrmContacts(
      tx, {.email = request.filter().email()}, page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_crm_contacts(), response);
}

absl::Status ReadListCrmCompanies(
    Transaction& tx, const intent::v1::ListCrmCompaniesRequest& request,
    intent::v1::ListCrmCompaniesResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const absl::Status checked =
      CheckText("filter.domain", request.filter().domain());
  if (!checked.ok()) return checked;
  const auto rows = storage::ListCrmCompanies(tx, request.filter().domain(),
                                              page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_crm_companies(), response);
}

absl::Status ReadListCrmSegments(
    Transaction& tx, const intent::v1::ListCrmSegmentsRequest& request,
    intent::v1::ListCrmSegmentsResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const absl::Status checked =
      CheckText("filter.name", request.filter().name());
  if (!checked.ok()) return checked;
  const auto rows = storage::ListCrmSegments(tx, request.filter().name(),
                                             page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_crm_segments(), response);
}

absl::Status ReadGetLedgerEntry(
    Transaction& tx, const intent::v1::GetLedgerEntryRequest& request,
    intent::v1::GetLedgerEntryResponse* response) {
  if (request.id().empty()) return BadField("id", "it is required");
  return FillOne(
      storage::ListLedgerEntries(tx, {.id = request.id()}, std::nullopt, 1),
      "ledger entry", response->mutable_ledger_entry());
}

absl::Status ReadListLedgerEntries(
    Transaction& tx, const intent::v1::ListLedgerEntriesRequest& request,
    intent::v1::ListLedgerEntriesResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const auto filter = FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  const auto rows =
      storage::ListLedgerEntries(tx, *filter, page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_ledger_entries(), response);
}

}  // namespace

ReadService::ReadService(Calls* calls, storage::Database* db)
    : calls_(calls), db_(db) {}

template <typename Request, typename Response>
grpc::ServerUnaryReactor* ReadService::Start(
    grpc::CallbackServerContext* context, Method method,
    absl::Status (*read)(storage::Transaction&, const Request&, Response*),
    const Request* request, Response* response) {
  return calls_->Start(
      context, method, [=, this](const CallScope& scope) -> absl::Status {
        absl::StatusOr<storage::Transaction> tx =
            db_->Begin({.tenants = {scope.principal().tenant_id},
                        .statement_timeout = scope.StatementTimeout()});
        if (!tx.ok()) return tx.status();
        return read(*tx, *request, response);
      });
}

grpc::ServerUnaryReactor* ReadService::SearchKbDocuments(
    grpc::CallbackServerContext* context,
    const intent::v1::SearchKbDocumentsRequest* request,
    intent::v1::SearchKbDocumentsResponse* response) {
  return Start(context, Method::kSearchKbDocuments, ReadSearchKbDocuments,
               request, response);
}

grpc::ServerUnaryReactor* ReadService::GetKbDocument(
    grpc::CallbackServerContext* context,
    const intent::v1::GetKbDocumentRequest* request,
    intent::v1::GetKbDocumentResponse* response) {
  return Start(context, Method::kGetKbDocument, ReadGetKbDocument, request,
               response);
}

grpc::ServerUnaryReactor* ReadService::ListKbDocuments(
    grpc::CallbackServerContext* context,
    const intent::v1::ListKbDocumentsRequest* request,
    intent::v1::ListKbDocumentsResponse* response) {
  return Start(context, Method::kListKbDocuments, ReadListKbDocuments, request,
               response);
}

grpc::ServerUnaryReactor* ReadService::GetTicket(
    grpc::CallbackServerContext* context,
    const intent::v1::GetTicketRequest* request,
    intent::v1::GetTicketResponse* response) {
  return Start(context, Method::kGetTicket, ReadGetTicket, request, response);
}

grpc::ServerUnaryReactor* ReadService::ListTickets(
    grpc::CallbackServerContext* context,
    const intent::v1::ListTicketsRequest* request,
    intent::v1::ListTicketsResponse* response) {
  return Start(context, Method::kListTickets, ReadListTickets, request,
               response);
}

grpc::ServerUnaryReactor* ReadService::ListTicketComments(
    grpc::CallbackServerContext* context,
    const intent::v1::ListTicketCommentsRequest* request,
    intent::v1::ListTicketCommentsResponse* response) {
  return Start(context, Method::kListTicketComments, ReadListTicketComments,
               request, response);
}

grpc::ServerUnaryReactor* ReadService::GetCrmContact(
    grpc::CallbackServerContext* context,
    const intent::v1::GetCrmContactRequest* request,
    intent::v1::GetCrmContactResponse* response) {
  return Start(context, Method::kGetCrmContact, ReadGetCrmContact, request,
               response);
}

grpc::ServerUnaryReactor* ReadService::ListCrmContacts(
    grpc::CallbackServerContext* context,
    const intent::v1::ListCrmContactsRequest* request,
    intent::v1::ListCrmContactsResponse* response) {
  return Start(context, Method::kListCrmContacts, ReadListCrmContacts, request,
               response);
}

grpc::ServerUnaryReactor* ReadService::ListCrmCompanies(
    grpc::CallbackServerContext* context,
    const intent::v1::ListCrmCompaniesRequest* request,
    intent::v1::ListCrmCompaniesResponse* response) {
  return Start(context, Method::kListCrmCompanies, ReadListCrmCompanies,
               request, response);
}

grpc::ServerUnaryReactor* ReadService::ListCrmSegments(
    grpc::CallbackServerContext* context,
    const intent::v1::ListCrmSegmentsRequest* request,
    intent::v1::ListCrmSegmentsResponse* response) {
  return Start(context, Method::kListCrmSegments, ReadListCrmSegments, request,
               response);
}

grpc::ServerUnaryReactor* ReadService::GetLedgerEntry(
    grpc::CallbackServerContext* context,
    const intent::v1::GetLedgerEntryRequest* request,
    intent::v1::GetLedgerEntryResponse* response) {
  return Start(context, Method::kGetLedgerEntry, ReadGetLedgerEntry, request,
               response);
}

grpc::ServerUnaryReactor* ReadService::ListLedgerEntries(
    grpc::CallbackServerContext* context,
    const intent::v1::ListLedgerEntriesRequest* request,
    intent::v1::ListLedgerEntriesResponse* response) {
  return Start(context, Method::kListLedgerEntries, ReadListLedgerEntries,
               request, response);
}

}  // namespace sgl::engine
