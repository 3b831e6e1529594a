// Who there is, as operators see and change it: tenants, agents, members and
// tokens. What creates them is in identity.h.
//
// Each call works on a transaction of one tenant (the tenants' list on one of
// the system tenant); each change writes its audit entry. Lists are newest
// first, in pages.

#ifndef STORAGE_DIRECTORY_H_
#define STORAGE_DIRECTORY_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"
#include "storage/identity.h"
#include "storage/intents.h"

namespace sgl::storage {

struct DirectoryTenant {
  std::string id;
  std::string slug;
  std::string name;
  std::string seat;
  absl::Time created_at;
};

struct DirectoryAgent {
  std::string id;
  std::string tenant_id;
  std::string name;
  std::string role;
  std::string status;
  int32_t tier = 0;
  std::vector<std::string> labels;
  // Empty: nobody.
  std::string owner_user_id;
  absl::Time created_at;
};

struct DirectoryMember {
  std::string user_id;
  std::string tenant_id;
  std::string email;
  std::string name;
  std::string role;
  std::vector<std::string> further_roles;
  std::string seat;
  absl::Time created_at;
};

// Without its hash.
struct DirectoryToken {
  std::string id;
  std::string tenant_id;
  PrincipalKind kind = PrincipalKind::kAgent;
  std::string agent_id;
  std::string user_id;
  std::string name;
  std::string issued_by;
  absl::Time created_at;
  std::optional<absl::Time> expires_at;
  std::optional<absl::Time> revoked_at;
};

// Empty fields do not restrict.
struct TenantFilter {
  std::string slug = {};
};
struct AgentFilter {
  std::string id = {};
  std::string name = {};
};
struct MemberFilter {
  std::string user_id = {};
  std::string email = {};
};
struct TokenFilter {
  std::string id = {};
  std::optional<PrincipalKind> kind = {};
  // Neither expired nor revoked.
  bool only_live = false;
};

// Each returns up to `limit` rows (1 to kPageRowsMax) after the cursor.
absl::StatusOr<std::vector<DirectoryTenant>> ListTenants(
    Transaction& tx, const TenantFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;
absl::StatusOr<std::vector<DirectoryAgent>> ListAgents(
    Transaction& tx, const AgentFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;
absl::StatusOr<std::vector<DirectoryMember>> ListMembers(
    Transaction& tx, const MemberFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;
absl::StatusOr<std::vector<DirectoryToken>> ListTokens(
    Transaction& tx, const TokenFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

// What is unset stays as it is.
struct AgentChange {
  std::string agent_id = {};
  std::optional<std::string> role = {};
  std::optional<std::string> status = {};
  std::optional<int32_t> tier = {};
  std::optional<std::vector<std::string>> labels = {};
  // Empty: nobody.
  std::optional<std::string> owner_user_id = {};
  Actor actor = {};
};

struct RolesChange {
  std::string user_id = {};
  std::string role = {};
  // Replaces those that there were.
  std::vector<std::string> further_roles = {};
  Actor actor = {};
};

// NOT_FOUND: the transaction's tenant has no such agent or member.
absl::Status UpdateAgent(Transaction& tx, const AgentChange& change) noexcept;
absl::Status SetMemberRoles(Transaction& tx,
                            const RolesChange& change) noexcept;
// Ends the membership, its roles and its tokens. Votes that were cast stay on
// record and no longer count.
absl::Status RemoveMember(Transaction& tx, const std::string& user_id,
                          const Actor& actor) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_DIRECTORY_H_
