// Delegations: a member lets another vote and edit with their roles for a
// time. What a delegation is worth in a vote is demands.h's to say; here it is
// made, listed and ended.

#ifndef ENGINE_DELEGATIONS_H_
#define ENGINE_DELEGATIONS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "storage/database.h"
#include "storage/delegations.h"

namespace sgl::engine {

// Longer absences are a matter for whoever gives out roles.
inline constexpr absl::Duration kDelegationMax = absl::Hours(24 * 90);
inline constexpr absl::Duration kDelegationAheadMax = absl::Hours(24 * 365);
inline constexpr size_t kDelegatedRolesMax = 20;
inline constexpr size_t kDelegationReasonMax = 1000;  // Characters.

// What a request to delegate states.
struct DelegationRequest {
  // Exactly one of the two.
  std::string to_user_id = {};
  std::string to_email = {};
  // Empty: all that the delegator holds when it matters.
  std::vector<std::string> roles = {};
  // Unset: now, as anything before now is.
  std::optional<absl::Time> starts_at = {};
  // Required.
  std::optional<absl::Time> ends_at = {};
  std::string reason = {};
};

// Thread-safe. Owned by the engine; borrows the database.
class Delegations {
 public:
  explicit Delegations(storage::Database* db) : db_(db) {}

  // Lends the caller's own roles. For the caller: INVALID_ARGUMENT, NOT_FOUND
  // (MEMBER_NOT_FOUND), PERMISSION_DENIED (NOT_A_MEMBER, ROLE_NOT_HELD),
  // FAILED_PRECONDITION (TOO_MANY_DELEGATIONS).
  // REQUIRES: the principal is a user.
  absl::StatusOr<storage::DelegationRow> Create(
      const CallScope& scope, const DelegationRequest& request);

  // Ends one now: the caller's own, or any of the tenant for an operator. For
  // the caller: NOT_FOUND (DELEGATION_NOT_FOUND), PERMISSION_DENIED
  // (NOT_YOUR_DELEGATION), FAILED_PRECONDITION (DELEGATION_OVER).
  absl::StatusOr<storage::DelegationRow> Revoke(const CallScope& scope,
                                                const std::string& id);

 private:
  storage::Database* const db_;
};

}  // namespace sgl::engine

#endif  // ENGINE_DELEGATIONS_H_
