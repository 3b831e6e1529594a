// Delegations: one member's roles in another's hands for a time. What they lend
// at a given moment is read with a voter's standing and with votes (memos.h);
// here they are made, listed and ended.

#ifndef STORAGE_DELEGATIONS_H_
#define STORAGE_DELEGATIONS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/intents.h"

namespace sgl::storage {

// One person gives and gets at most so many that are not over: what a vote can
// name (approvals_delegations_count).
inline constexpr int kDelegationsMax = 100;

// One row of approval_delegations.
struct DelegationRow {
  std::string id;
  std::string tenant_id;
  std::string from_user_id;
  std::string to_user_id;
  // Sorted. Empty: all that the delegator holds when it matters.
  std::vector<std::string> roles;
  absl::Time starts_at;
  absl::Time ends_at;
  std::string reason;
  absl::Time created_at;
  std::optional<absl::Time> revoked_at;
  // As of the reading statement, by the database's clock.
  bool in_force = false;
};

struct NewDelegation {
  // Both members of the transaction's tenant, else FAILED_PRECONDITION.
  std::string from_user_id = {};
  std::string to_user_id = {};
  std::vector<std::string> roles = {};
  absl::Time starts_at;
  absl::Time ends_at;
  std::string reason = {};
};

// Stores it and returns its id. FAILED_PRECONDITION: longer than 90 days, not
// between two people, or RESOURCE_EXHAUSTED: one of them has kDelegationsMax
// that are not over.
absl::StatusOr<std::string> CreateDelegation(
    Transaction& tx, const NewDelegation& delegation) noexcept;

absl::StatusOr<DelegationRow> GetDelegation(Transaction& tx,
                                            const std::string& id) noexcept;

// Unset fields do not restrict.
struct DelegationFilter {
  // Who gave it or got it.
  std::string user_id = {};
  bool in_force = false;
};

// Like ListIntents.
absl::StatusOr<std::vector<DelegationRow>> ListDelegations(
    Transaction& tx, const DelegationFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

// Ends it now. FAILED_PRECONDITION: it is over already, or isn't there.
absl::Status RevokeDelegation(Transaction& tx, const std::string& id) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_DELEGATIONS_H_
