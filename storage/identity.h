// Who calls: tenants, agents, members, tokens.
//
// LookUpToken serves every call of the running engine. The rest is for
// operators, by the engine or on DIRECT_URL (the tables' owner): it writes an
// audit entry with each change, and sets the transaction's tenants to the
// tenant that it works on. EnsureToken is for DIRECT_URL alone. What operators
// list and change later is in directory.h.

#ifndef STORAGE_IDENTITY_H_
#define STORAGE_IDENTITY_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"

namespace sgl::storage {

// The tenant that the platform's operators are at home in.
inline constexpr char kSystemTenantId[] =
    "00000000-0000-0000-0000-000000000001";
inline constexpr char kSystemTenantSlug[] = "system";

enum class PrincipalKind : uint8_t { kAgent, kUser, kWorker, kOperator };

// Returns `agent`, `user`, `worker` or `operator`.
absl::string_view PrincipalKindName(PrincipalKind kind);
std::optional<PrincipalKind> PrincipalKindFromName(absl::string_view name);

// Who a token stands for.
struct Principal {
  std::string tenant_id;
  std::string tenant_slug;
  PrincipalKind kind = PrincipalKind::kAgent;
  // For agents, else empty.
  std::string agent_id;
  // For users, and for operators that are people. Else empty.
  std::string user_id;
  // The agent's, the user's or the token's name.
  std::string name;
  std::string token_id;
  // A user's roles, sorted. Empty for others.
  std::vector<std::string> roles;
  // Unset: the token does not expire.
  std::optional<absl::Time> expires_at;
};

// Returns who the token with this SHA-256 (lower-case hex) stands for.
// NOT_FOUND: no such token, or expired or revoked, by the database's clock.
absl::StatusOr<Principal> LookUpToken(Database& db,
                                      const std::string& token_sha256) noexcept;

struct NewTenant {
  // Lower-case letters, digits and dashes; unique.
  std::string slug = {};
  std::string name = {};
  // free_beta, starter, pro or enterprise.
  std::string seat = "free_beta";
  // Who creates it; so below.
  Actor actor = {};
};

struct NewAgent {
  std::string tenant_id = {};
  std::string name = {};
  std::string role = {};
  std::string status = "active";
  int32_t tier = 0;
  std::vector<std::string> labels = {};
  // A member of the tenant, or empty.
  std::string owner_user_id = {};
  Actor actor = {};
};

struct NewMember {
  std::string tenant_id = {};
  std::string email = {};
  std::string name = {};
  std::string role = {};
  // Roles beside that one.
  std::vector<std::string> further_roles = {};
  std::string seat = "free_beta";
  Actor actor = {};
};

struct NewToken {
  std::string tenant_id = {};
  PrincipalKind kind = PrincipalKind::kAgent;
  // The agent for kAgent; the member for kUser, and for kOperator where it is
  // a person; empty for kWorker.
  std::string principal_id = {};
  std::string name = {};
  // Lower-case hex; the token itself is never stored.
  std::string token_sha256 = {};
  // A member of the tenant, or empty.
  std::string issued_by = {};
  // Unset: does not expire.
  std::optional<absl::Duration> lifetime = {};
  Actor actor = {};
};

// Each returns the new row's id. ALREADY_EXISTS: the slug, name, email or token
// hash is taken. INVALID_ARGUMENT: a slug that isn't 1 to 63 lower-case
// letters, digits and dashes (those that a database holds already stay as they
// are). FAILED_PRECONDITION: a text that a constraint refuses.
absl::StatusOr<std::string> CreateTenant(Transaction& tx,
                                         const NewTenant& tenant) noexcept;
absl::StatusOr<std::string> CreateAgent(Transaction& tx,
                                        const NewAgent& agent) noexcept;
absl::StatusOr<std::string> CreateMember(Transaction& tx,
                                         const NewMember& member) noexcept;
absl::StatusOr<std::string> CreateToken(Transaction& tx,
                                        const NewToken& token) noexcept;

// Each returns the id of the row with that slug, name, email or token hash,
// creating it where missing. What exists is left as it is.
absl::StatusOr<std::string> EnsureTenant(Transaction& tx,
                                         const NewTenant& tenant) noexcept;
absl::StatusOr<std::string> EnsureAgent(Transaction& tx,
                                        const NewAgent& agent) noexcept;
absl::StatusOr<std::string> EnsureMember(Transaction& tx,
                                         const NewMember& member) noexcept;
absl::StatusOr<std::string> EnsureToken(Transaction& tx,
                                        const NewToken& token) noexcept;

// Each returns an id, or NOT_FOUND. FindTenant also sets the transaction's
// tenant to it.
absl::StatusOr<std::string> FindTenant(Transaction& tx,
                                       const std::string& slug) noexcept;
// The oldest of that name.
absl::StatusOr<std::string> FindAgent(Transaction& tx,
                                      const std::string& tenant_id,
                                      const std::string& name) noexcept;
absl::StatusOr<std::string> FindMember(Transaction& tx,
                                       const std::string& tenant_id,
                                       const std::string& email) noexcept;

// Ends the token now. NOT_FOUND: none of that tenant. Twice is fine.
absl::Status RevokeToken(Transaction& tx, const std::string& tenant_id,
                         const std::string& token_id,
                         const Actor& actor = {}) noexcept;

// Credentials that were refused: how many, from one source, in one minute.
struct RefusedCredentialCount {
  absl::Time minute = absl::UnixEpoch();
  // An address or a network. Cut to 100 characters.
  std::string source = {};
  int64_t calls = 0;
};

// Appends a platform-wide audit entry CREDENTIALS_REFUSED: nobody knows whose
// tenant it was. For the running engine.
absl::Status RecordRefusedCredentials(
    Transaction& tx, const RefusedCredentialCount& count) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_IDENTITY_H_
