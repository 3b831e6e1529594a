// An audit entry whole: every column of it, as the text that is hashed into
// the log's Merkle tree (seals.h), exported and shown. audit.h writes entries;
// this reads them.

#ifndef STORAGE_AUDIT_RECORDS_H_
#define STORAGE_AUDIT_RECORDS_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"
#include "storage/intents.h"

namespace sgl::storage {

// The columns of audit_log, all of them, in their order; the view audit_rows
// says how each becomes text. A test compares the list with the catalog: a
// column that isn't here isn't sealed.
enum class AuditColumn : uint8_t {
  kId,
  kTenantId,
  kActorUserId,
  kActorExternalId,
  kActorType,
  kLevel,
  kAction,
  kEntityType,
  kEntityId,
  // The jsonb as PostgreSQL writes it.
  kMeta,
  // Whole microseconds since 1970.
  kCreatedAt,
  kTransitionNumber,
  kXactId,
};
inline constexpr size_t kAuditColumnCount = 13;

// Returns the column's name in audit_log.
absl::string_view AuditColumnName(size_t column);

struct AuditRecord {
  // By AuditColumn. Unset: null.
  std::array<std::optional<std::string>, kAuditColumnCount> values = {};

  const std::optional<std::string>& operator[](AuditColumn column) const {
    return values[static_cast<size_t>(column)];
  }
  std::optional<std::string>& operator[](AuditColumn column) {
    return values[static_cast<size_t>(column)];
  }
  // Returns the column's text; empty where it is null.
  absl::string_view Text(AuditColumn column) const;

  bool operator==(const AuditRecord&) const = default;
};

// The id of the platform's log, which belongs to no tenant. Every other log
// has its tenant's id.
inline constexpr absl::string_view kPlatformLog =
    "00000000-0000-0000-0000-000000000000";

// Returns the tenant that a transaction must act for to read this log: the
// platform's is for the system tenant.
std::string ReaderOfLog(absl::string_view log_id);

// Unset fields do not restrict.
struct AuditFilter {
  std::string entity_type = {};
  // A UUID.
  std::string entity_id = {};
  std::string action = {};
  std::optional<AuditLevel> level = {};
  // From here on, and before there.
  std::optional<absl::Time> start = {};
  std::optional<absl::Time> end = {};
};

// One entry of a list, with its position in it.
struct ListedRecord {
  AuditRecord record;
  PageCursor position;
};

// Returns one page of a log, newest first.
absl::StatusOr<std::vector<ListedRecord>> ListAuditRecords(
    Transaction& tx, const std::string& log_id, const AuditFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

// Returns the entries with these ids, in no order; several of one id where
// somebody forged a second.
absl::StatusOr<std::vector<AuditRecord>> ReadAuditRecords(
    Transaction& tx, const std::string& log_id,
    const std::vector<std::string>& ids) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_AUDIT_RECORDS_H_
