// What agents and people read of what effects wrote: tickets, the knowledge
// base, contacts, the ledger.
//
// Each call works on a transaction of one tenant and sees that tenant's rows.
// Texts that are null in the row are empty here. States are as their enums have
// them (`OPEN`, `published`, `api_spend`); a filter with another is
// INVALID_ARGUMENT. An id that is no UUID is NOT_FOUND, like one of another
// tenant; a filter that names one finds nothing.

#ifndef STORAGE_READS_H_
#define STORAGE_READS_H_

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/intents.h"

namespace sgl::storage {

// `created_at` and `id` are a row's place in its list, whatever the list is
// ordered by (page.h of the gRPC edge reads them).

struct TicketRow {
  std::string id;
  std::string tenant_id;
  std::string reporter;
  std::string agent;
  std::string status;
  std::string severity;
  std::string category;
  std::string title;
  std::string description;
  absl::Time created_at;
  absl::Time updated_at;
};

struct TicketCommentRow {
  std::string id;
  std::string tenant_id;
  std::string ticket_id;
  std::string author;
  std::string body;
  absl::Time created_at;
  absl::Time updated_at;
};

struct KbDocumentRow {
  std::string id;
  std::string tenant_id;
  std::string title;
  std::string slug;
  // Empty in lists.
  std::string body;
  std::string status;
  std::vector<std::string> tags;
  absl::Time created_at;
  absl::Time updated_at;
};

struct KbMatchRow {
  std::string id;
  std::string tenant_id;
  std::string title;
  std::string slug;
  std::string snippet;
  // Millionths; the higher, the better.
  int64_t rank = 0;
  absl::Time created_at;
  absl::Time updated_at;
};

struct CrmContactRow {
  std::string id;
  std::string tenant_id;
  std::string first_name;
  std::string last_name;
  std::string email;
  std::string phone;
  std::string company;
  std::string source;
  std::vector<std::string> tags;
  std::string notes;
  absl::Time created_at;
  absl::Time updated_at;
};

struct CrmCompanyRow {
  std::string id;
  std::string tenant_id;
  std::string name;
  std::string domain;
  std::string industry;
  std::string phone;
  std::string website;
  std::string notes;
  absl::Time created_at;
  absl::Time updated_at;
};

struct CrmSegmentRow {
  std::string id;
  std::string tenant_id;
  std::string name;
  std::string description;
  // JSON.
  std::string filters;
  absl::Time created_at;
  absl::Time updated_at;
};

struct LedgerEntryRow {
  std::string id;
  std::string tenant_id;
  std::string entry_type;
  std::string category;
  int64_t amount_cents = 0;
  std::string currency;
  std::string description;
  std::string external_ref;
  // JSON.
  std::string meta;
  std::string intent_id;
  // Above 0 where it is what the intent spent.
  int64_t spend_micros_usd = 0;
  // When it occurred: the list's order.
  absl::Time created_at;
  // When the row was written.
  absl::Time recorded_at;
};

// Empty fields do not restrict.
struct TicketFilter {
  std::string id = {};
  std::string status = {};
  std::string severity = {};
  std::string category = {};
};
struct KbDocumentFilter {
  // With either, the text comes too.
  std::string id = {};
  std::string slug = {};
  std::string status = {};
};
struct CrmContactFilter {
  std::string id = {};
  std::string email = {};
};
struct LedgerEntryFilter {
  std::string id = {};
  std::string intent_id = {};
  std::string entry_type = {};
  std::string category = {};
  // From here on, and before there.
  std::optional<absl::Time> start = {};
  std::optional<absl::Time> end = {};
};

// A place among the matches of a query.
struct KbMatchCursor {
  int64_t rank = 0;
  std::string id = {};
};

// Each returns up to `limit` rows (1 to kPageRowsMax) after the cursor.
absl::StatusOr<std::vector<TicketRow>> ListTickets(
    Transaction& tx, const TicketFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;
// Oldest first.
absl::StatusOr<std::vector<TicketCommentRow>> ListTicketComments(
    Transaction& tx, const std::string& ticket_id,
    const std::optional<PageCursor>& after, int limit) noexcept;
absl::StatusOr<std::vector<KbDocumentRow>> ListKbDocuments(
    Transaction& tx, const KbDocumentFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;
absl::StatusOr<std::vector<CrmContactRow>> ListCrmContacts(
    Transaction& tx, const CrmContactFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;
absl::StatusOr<std::vector<CrmCompanyRow>> ListCrmCompanies(
    Transaction& tx, const std::string& domain_or_empty,
    const std::optional<PageCursor>& after, int limit) noexcept;
absl::StatusOr<std::vector<CrmSegmentRow>> ListCrmSegments(
    Transaction& tx, const std::string& name_or_empty,
    const std::optional<PageCursor>& after, int limit) noexcept;
absl::StatusOr<std::vector<LedgerEntryRow>> ListLedgerEntries(
    Transaction& tx, const LedgerEntryFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

// Best first, published documents alone. The function that it asks crosses
// row-level security, since no index serves a search below it, and demands the
// transaction's tenant by itself.
absl::StatusOr<std::vector<KbMatchRow>> SearchKbDocuments(
    Transaction& tx, const std::string& query,
    const std::optional<KbMatchCursor>& after, int limit) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_READS_H_
