// Escalation: which further role may vote when nobody did in time. A tenant's
// rules, and the memos that they are due for.

#ifndef STORAGE_ESCALATIONS_H_
#define STORAGE_ESCALATIONS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "storage/database.h"

namespace sgl::storage {

// A tenant's rule: demands that name `from_role` accept `to_role` too, once a
// memo's revision has been open for `after` and nobody voted on it.
struct EscalationRule {
  std::string from_role = {};
  std::string to_role = {};
  // Whole seconds, a minute to a year.
  absl::Duration after = absl::ZeroDuration();
};

// Each writes its audit entry; both are for the tables' owner.
// SetEscalationRule replaces what holds between the two roles;
// FAILED_PRECONDITION: one role twice, or a time out of range.
// RemoveEscalationRule looks at the roles only; NOT_FOUND: no rule between
// them.
absl::Status SetEscalationRule(Transaction& tx, const std::string& tenant_id,
                               const EscalationRule& rule) noexcept;
absl::Status RemoveEscalationRule(Transaction& tx, const std::string& tenant_id,
                                  const EscalationRule& rule) noexcept;
// By role, then time; at most 1,000.
absl::StatusOr<std::vector<EscalationRule>> ListEscalationRules(
    Transaction& tx, const std::string& tenant_id) noexcept;

// One memo whose demands were widened.
struct EscalatedMemo {
  std::string tenant_id;
  std::string intent_id;
  std::string memo_id;
  int32_t revision = 1;
  std::string from_role;
  std::string to_role;
};

// Widens up to `limit` memos of any tenant that are due, once for each rule and
// revision, skipping what others hold. Sets the transaction's tenants to
// theirs. The caller writes the audit entries.
absl::StatusOr<std::vector<EscalatedMemo>> EscalateMemos(Transaction& tx,
                                                         int limit) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_ESCALATIONS_H_
