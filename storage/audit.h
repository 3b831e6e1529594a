// The audit log: what happened, append-only. An entry is written in the
// transaction of the change it accounts for, never after it.
//
// Entries of an intent carry its transition number, from a counter on the
// intent's row: their order is the order of the transitions, whatever the
// clocks said. Whoever settles or submits an intent passes its entries along
// (intents.h, settlement.h, memos.h); AppendAudit is for the rest.

#ifndef STORAGE_AUDIT_H_
#define STORAGE_AUDIT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"

namespace sgl::storage {

enum class AuditLevel : uint8_t { kInfo, kWarn, kError, kSecurity };

// Returns `info`, `warn`, `error` or `security`.
absl::string_view AuditLevelName(AuditLevel level);

// Who did it. No user and no external id: the engine itself.
struct Actor {
  // A row of app_users.
  std::optional<std::string> user_id = {};
  // Who it was where that is no user: `agent:<uuid>`, `worker:<token id>`.
  std::string external_id = {};

  bool operator==(const Actor&) const = default;
};

// One entry to be written.
struct AuditEntry {
  // SGL_EVALUATED and so on; the list is in lifecycle order in README.md.
  std::string action = {};
  AuditLevel level = AuditLevel::kInfo;
  Actor actor = {};
  // A JSON object.
  std::string meta = "{}";
};

// What an entry is about, where that isn't an intent that is being settled.
struct AuditSubject {
  // One of the transaction's tenants.
  std::string tenant_id = {};
  // `agent`, `member`, `token`, `policy`, ...; an `intent` gets its entry
  // numbered, and is locked for it.
  std::string entity_type = {};
  std::string entity_id = {};
};

// One entry as it stands.
struct AuditRow {
  std::string id;
  std::string tenant_id;
  std::string entity_type;
  std::string entity_id;
  AuditEntry entry;
  // 1 for the first entry of an intent. Unset for other entities.
  std::optional<int64_t> transition_number;
  absl::Time created_at;
};

// Appends one entry. NOT_FOUND: an intent that isn't there.
absl::Status AppendAudit(Transaction& tx, const AuditSubject& subject,
                         const AuditEntry& entry) noexcept;

// Returns the entries of one entity, in their order; at most 1,000.
absl::StatusOr<std::vector<AuditRow>> ListAudit(
    Transaction& tx, const std::string& entity_type,
    const std::string& entity_id) noexcept;

// Makes the partitions of this month and the next three, where missing. Cheap
// when there is nothing to do; the engine's tick calls it once an hour.
absl::Status MakeAuditPartitions(Transaction& tx) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_AUDIT_H_
