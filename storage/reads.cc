#include "storage/reads.h"

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

TicketRow ReadTicket(RowReader& reader) {
  TicketRow row;
  for (std::string* text :
       {&row.id, &row.tenant_id, &row.reporter, &row.agent, &row.status,
        &row.severity, &row.category, &row.title, &row.description}) {
    *text = reader.Text();
  }
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  return row;
}

TicketCommentRow ReadComment(RowReader& reader) {
  TicketCommentRow row;
  for (std::string* text :
       {&row.id, &row.tenant_id, &row.ticket_id, &row.author, &row.body}) {
    *text = reader.Text();
  }
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  return row;
}

KbDocumentRow ReadDocument(RowReader& reader) {
  KbDocumentRow row;
  for (std::string* text : {&row.id, &row.tenant_id, &row.title, &row.slug,
                            &row.body, &row.status}) {
    *text = reader.Text();
  }
  row.tags = reader.TextArray();
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  return row;
}

KbMatchRow ReadMatch(RowReader& reader) {
  KbMatchRow row;
  for (std::string* text :
       {&row.id, &row.tenant_id, &row.title, &row.slug, &row.snippet}) {
    *text = reader.Text();
  }
  row.rank = reader.Int();
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  return row;
}

CrmContactRow ReadContact(RowReader& reader) {
  CrmContactRow row;
  for (std::string* text :
       {&row.id, &row.tenant_id, &row.first_name, &row.last_name, &row.email,
        &row.phone, &row.company, &row.source}) {
    *text = reader.Text();
  }
  row.tags = reader.TextArray();
  row.notes = reader.Text();
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  return row;
}

CrmCompanyRow ReadCompany(RowReader& reader) {
  CrmCompanyRow row;
  for (std::string* text :
       {&row.id, &row.tenant_id, &row.name, &row.domain, &row.industry,
        &row.phone, &row.website, &row.notes}) {
    *text = reader.Text();
  }
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  return row;
}

CrmSegmentRow ReadSegment(RowReader& reader) {
  CrmSegmentRow row;
  for (std::string* text :
       {&row.id, &row.tenant_id, &row.name, &row.description, &row.filters}) {
    *text = reader.Text();
  }
  row.created_at = reader.Time();
  row.updated_at = reader.Time();
  return row;
}

LedgerEntryRow ReadEntry(RowReader& reader) {
  LedgerEntryRow row;
  for (std::string* text :
       {&row.id, &row.tenant_id, &row.entry_type, &row.category}) {
    *text = reader.Text();
  }
  row.amount_cents = reader.Int();
  for (std::string* text : {&row.currency, &row.description, &row.external_ref,
                            &row.meta, &row.intent_id}) {
    *text = reader.Text();
  }
  row.spend_micros_usd = reader.Int();
  row.created_at = reader.Time();
  row.recorded_at = reader.Time();
  return row;
}

// Runs a list's statement, whose last arguments are the page's, and reads its
// rows.
template <typename Row>
absl::StatusOr<std::vector<Row>> ReadPage(
    Transaction& tx, const char* sql, Args& args,
    const std::optional<PageCursor>& after, int limit,
    Row (*read)(RowReader&)) {
  AddPage(after, limit, args);
  std::vector<Row> rows;
  for (const pqxx::row& row : OpenSession(tx).Exec(sql, args)) {
    RowReader reader(row);
    rows.push_back(read(reader));
  }
  return rows;
}

}  // namespace

absl::StatusOr<std::vector<TicketRow>> ListTickets(
    Transaction& tx, const TicketFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<TicketRow>>;
  return Guard("list tickets", [&]() -> Result {
    if (!filter.id.empty()) RequireId("ticket", filter.id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Nullable(filter.id)
        .Nullable(filter.status)
        .Nullable(filter.severity)
        .Nullable(filter.category);
    return ReadPage(tx, kListTicketsSql, args, after, limit, ReadTicket);
  });
}

absl::StatusOr<std::vector<TicketCommentRow>> ListTicketComments(
    Transaction& tx, const std::string& ticket_id,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<TicketCommentRow>>;
  return Guard("list a ticket's comments", [&]() -> Result {
    RequireId("ticket", ticket_id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant()).Text(ticket_id);
    return ReadPage(tx, kListTicketCommentsSql, args, after, limit,
                    ReadComment);
  });
}

absl::StatusOr<std::vector<KbDocumentRow>> ListKbDocuments(
    Transaction& tx, const KbDocumentFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<KbDocumentRow>>;
  return Guard("list documents", [&]() -> Result {
    if (!filter.id.empty()) RequireId("document", filter.id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Nullable(filter.id)
        .Nullable(filter.slug)
        .Nullable(filter.status);
    return ReadPage(tx, kListKbDocumentsSql, args, after, limit, ReadDocument);
  });
}

absl::StatusOr<std::vector<CrmContactRow>> ListCrmContacts(
    Transaction& tx, const CrmContactFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<CrmContactRow>>;
  return Guard("list contacts", [&]() -> Result {
    if (!filter.id.empty()) RequireId("contact", filter.id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Nullable(filter.id)
        .Nullable(filter.email);
    return ReadPage(tx, kListCrmContactsSql, args, after, limit, ReadContact);
  });
}

absl::StatusOr<std::vector<CrmCompanyRow>> ListCrmCompanies(
    Transaction& tx, const std::string& domain_or_empty,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<CrmCompanyRow>>;
  return Guard("list companies", [&]() -> Result {
    Args args;
    args.Text(OpenSession(tx).OnlyTenant()).Nullable(domain_or_empty);
    return ReadPage(tx, kListCrmCompaniesSql, args, after, limit, ReadCompany);
  });
}

absl::StatusOr<std::vector<CrmSegmentRow>> ListCrmSegments(
    Transaction& tx, const std::string& name_or_empty,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<CrmSegmentRow>>;
  return Guard("list segments", [&]() -> Result {
    Args args;
    args.Text(OpenSession(tx).OnlyTenant()).Nullable(name_or_empty);
    return ReadPage(tx, kListCrmSegmentsSql, args, after, limit, ReadSegment);
  });
}

absl::StatusOr<std::vector<LedgerEntryRow>> ListLedgerEntries(
    Transaction& tx, const LedgerEntryFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<LedgerEntryRow>>;
  return Guard("list ledger entries", [&]() -> Result {
    if (!filter.id.empty()) RequireId("ledger entry", filter.id);
    if (!filter.intent_id.empty()) RequireId("intent", filter.intent_id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Nullable(filter.id)
        .Nullable(filter.intent_id)
        .Nullable(filter.entry_type)
        .Nullable(filter.category)
        .Time(filter.start)
        .Time(filter.end);
    return ReadPage(tx, kListLedgerEntriesSql, args, after, limit, ReadEntry);
  });
}

absl::StatusOr<std::vector<KbMatchRow>> SearchKbDocuments(
    Transaction& tx, const std::string& query,
    const std::optional<KbMatchCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<KbMatchRow>>;
  return Guard("search documents", [&]() -> Result {
    if (limit < 1 || limit > kPageRowsMax) {
      Raise(absl::InvalidArgumentError("a page has 1 to 200 rows"));
    }
    Args args;
    args.Text(OpenSession(tx).OnlyTenant()).Text(query);
    if (after.has_value()) {
      RequireId("document", after->id);
      args.Int(after->rank).Text(after->id);
    } else {
      args.Null().Null();
    }
    args.Int(limit);
    std::vector<KbMatchRow> rows;
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kSearchKbDocumentsSql, args)) {
      RowReader reader(row);
      rows.push_back(ReadMatch(reader));
    }
    return rows;
  });
}

}  // namespace sgl::storage
