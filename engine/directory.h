// Tenants, agents, members and tokens as operators see and change them.
//
// Who administers identities can always make a second one: an operator who adds
// a member, gives it a role and makes its token holds a vote. So nobody does
// any of that for themselves, each step is a `security` entry of the tenant's
// audit log with who did it, and a token names its issuer.

#ifndef ENGINE_DIRECTORY_H_
#define ENGINE_DIRECTORY_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "storage/database.h"
#include "storage/directory.h"
#include "storage/identity.h"

namespace sgl::engine {

inline constexpr absl::Duration kTokenLifetimeDefault = absl::Hours(90 * 24);
inline constexpr absl::Duration kTokenLifetimeMin = absl::Minutes(1);
inline constexpr absl::Duration kTokenLifetimeMax = absl::Hours(365 * 24);
// Roles and labels are compared one by one in rules and votes.
inline constexpr size_t kFurtherRolesMax = 50;
inline constexpr size_t kLabelsMax = 100;

// A page of a list: up to `limit` rows after the cursor.
struct PageOf {
  std::optional<storage::PageCursor> after = {};
  int limit = 1;
};

struct TokenRequest {
  storage::PrincipalKind kind = storage::PrincipalKind::kAgent;
  // Id, name or email of whose it is; empty for workers, and for operators who
  // are no person.
  std::string principal = {};
  std::string name = {};
  absl::Duration lifetime = kTokenLifetimeDefault;
};

struct MadeToken {
  storage::DirectoryToken token;
  // Shown once, kept nowhere.
  std::string secret;
};

// Thread-safe. Borrows the database. `tenant` is a slug, empty for the
// caller's own (admin_scope.h). Fields that don't fit are INVALID_ARGUMENT,
// what isn't there NOT_FOUND, what is there already ALREADY_EXISTS.
class Directory {
 public:
  explicit Directory(storage::Database* db) : db_(db) {}

  // Both for platform operators.
  absl::StatusOr<storage::DirectoryTenant> CreateTenant(
      const CallScope& scope, storage::NewTenant tenant);
  absl::StatusOr<std::vector<storage::DirectoryTenant>> ListTenants(
      const CallScope& scope, const PageOf& page);

  // `owner_user_id` is an id or an email here, or empty.
  absl::StatusOr<storage::DirectoryAgent> CreateAgent(const CallScope& scope,
                                                      const std::string& tenant,
                                                      storage::NewAgent agent);
  // `agent_id` is an id or a name here, `owner_user_id` as above. SELF_GRANT
  // for who would give away an agent of their own.
  absl::StatusOr<storage::DirectoryAgent> UpdateAgent(
      const CallScope& scope, const std::string& tenant,
      storage::AgentChange change);
  absl::StatusOr<std::vector<storage::DirectoryAgent>> ListAgents(
      const CallScope& scope, const std::string& tenant, const PageOf& page);

  absl::StatusOr<storage::DirectoryMember> CreateMember(
      const CallScope& scope, const std::string& tenant,
      storage::NewMember member);
  // `user_id` is an id or an email here. SELF_GRANT for one's own.
  absl::StatusOr<storage::DirectoryMember> SetMemberRoles(
      const CallScope& scope, const std::string& tenant,
      storage::RolesChange change);
  absl::Status RemoveMember(const CallScope& scope, const std::string& tenant,
                            const std::string& member);
  absl::StatusOr<std::vector<storage::DirectoryMember>> ListMembers(
      const CallScope& scope, const std::string& tenant, const PageOf& page);

  // SELF_GRANT for a user's token of one's own.
  absl::StatusOr<MadeToken> CreateToken(const CallScope& scope,
                                        const std::string& tenant,
                                        const TokenRequest& request);
  absl::Status RevokeToken(const CallScope& scope, const std::string& tenant,
                           const std::string& token_id);
  absl::StatusOr<std::vector<storage::DirectoryToken>> ListTokens(
      const CallScope& scope, const std::string& tenant,
      const storage::TokenFilter& filter, const PageOf& page);

 private:
  storage::Database* const db_;
};

}  // namespace sgl::engine

#endif  // ENGINE_DIRECTORY_H_
