#include "storage/identity.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "storage/audit.h"
#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

constexpr std::array<absl::string_view, 4> kKindNames = {"agent", "user",
                                                         "worker", "operator"};

Principal ReadPrincipal(const pqxx::row& row) {
  RowReader reader(row);
  Principal principal;
  principal.tenant_id = reader.Text();
  principal.tenant_slug = reader.Text();
  const std::string kind = reader.Text();
  const std::optional<PrincipalKind> known = PrincipalKindFromName(kind);
  if (!known.has_value()) {
    Raise(absl::InternalError(
        absl::StrCat("a token is of the kind `", kind, "`")));
  }
  principal.kind = *known;
  principal.agent_id = reader.Text();
  principal.user_id = reader.Text();
  principal.name = reader.Text();
  principal.token_id = reader.Text();
  principal.roles = reader.TextArray();
  principal.expires_at = reader.OptionalTime();
  return principal;
}

// Tenants' slugs stand in policies (`layer tenant acme`), in commands and in
// texts that rules make; 63 is the length of a DNS label.
void CheckSlug(const std::string& slug) {
  constexpr size_t kSlugMax = 63;
  const bool is_fit =
      !slug.empty() && slug.size() <= kSlugMax &&
      std::all_of(slug.begin(), slug.end(), [](char c) {
        return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
      });
  if (is_fit) return;
  Raise(absl::InvalidArgumentError(absl::StrCat(
      "the slug `", absl::CHexEscape(slug), "` doesn't fit: use 1 to ",
      kSlugMax, " lower-case letters (a-z), digits and dashes, such as ",
      "`acme-eu`")));
}

// Runs `create`; where a row like it is there already, says so in words that
// name it instead of the constraint.
absl::StatusOr<std::string> Named(
    absl::string_view what, absl::string_view key,
    const std::function<absl::StatusOr<std::string>()>& create) {
  absl::StatusOr<std::string> id = create();
  if (!absl::IsAlreadyExists(id.status())) return id;
  return absl::AlreadyExistsError(
      absl::StrCat("there is ", what, " `", key, "` already"));
}

// Runs a statement that makes one row, with its audit entry; returns the new
// id.
std::string Create(Transaction& tx, const char* sql, Args& args,
                   const Actor& actor) {
  args.Nullable(actor.user_id.value_or("")).Nullable(actor.external_id);
  return OpenSession(tx).ExecOne(sql, args, "row")[0].c_str();
}

// Works on one tenant from here on.
void EnterTenant(Transaction& tx, const std::string& tenant_id) {
  Session& session = OpenSession(tx);
  if (session.tenants() == std::vector<std::string>{tenant_id}) return;
  session.SetTenants({tenant_id});
}

std::optional<std::string> FindOne(Transaction& tx, const char* sql,
                                   const std::string& tenant_id,
                                   const std::string& key) {
  EnterTenant(tx, tenant_id);
  const pqxx::result found =
      OpenSession(tx).Exec(sql, Args().Text(tenant_id).Text(key));
  if (found.empty()) return std::nullopt;
  return found[0][0].c_str();
}

absl::StatusOr<std::string> Found(const std::optional<std::string>& id,
                                  absl::string_view what,
                                  absl::string_view key) {
  if (id.has_value()) return *id;
  return absl::NotFoundError(
      absl::StrCat("there is no ", what, " `", key, "`"));
}

}  // namespace

absl::string_view PrincipalKindName(PrincipalKind kind) {
  return kKindNames[static_cast<size_t>(kind)];
}

std::optional<PrincipalKind> PrincipalKindFromName(absl::string_view name) {
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames[i] == name) return static_cast<PrincipalKind>(i);
  }
  return std::nullopt;
}

absl::StatusOr<Principal> LookUpToken(
    Database& db, const std::string& token_sha256) noexcept {
  absl::StatusOr<Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  absl::StatusOr<Principal> principal =
      Guard("look a token up", [&]() -> absl::StatusOr<Principal> {
        return ReadPrincipal(OpenSession(*tx).ExecOne(
            kLookUpTokenSql, Args().Text(token_sha256), "such token"));
      });
  return principal;
}

absl::StatusOr<std::string> CreateTenant(Transaction& tx,
                                         const NewTenant& tenant) noexcept {
  const auto create = [&]() -> absl::StatusOr<std::string> {
    CheckSlug(tenant.slug);
    const std::string id = NewUuid();
    EnterTenant(tx, id);
    Args args;
    args.Text(id).Text(tenant.slug).Text(tenant.name).Text(tenant.seat);
    return Create(tx, kCreateTenantSql, args, tenant.actor);
  };
  return Named("a tenant", tenant.slug,
               [&] { return Guard("create a tenant", create); });
}

absl::StatusOr<std::string> CreateAgent(Transaction& tx,
                                        const NewAgent& agent) noexcept {
  return Guard("create an agent", [&]() -> absl::StatusOr<std::string> {
    // Existing systems may hold several of a name; here it is how a token's
    // agent is named, so that a second one would never get a token.
    if (FindOne(tx, kFindAgentSql, agent.tenant_id, agent.name).has_value()) {
      Raise(absl::AlreadyExistsError(absl::StrCat(
          "there is an agent `", agent.name, "` already in the tenant")));
    }
    Args args;
    args.Text(agent.tenant_id)
        .Text(agent.name)
        .Nullable(agent.role)
        .Text(agent.status)
        .Int(agent.tier)
        .TextArray(agent.labels)
        .Nullable(agent.owner_user_id);
    return Create(tx, kCreateAgentSql, args, agent.actor);
  });
}

absl::StatusOr<std::string> CreateMember(Transaction& tx,
                                         const NewMember& member) noexcept {
  const auto create = [&]() -> absl::StatusOr<std::string> {
    EnterTenant(tx, member.tenant_id);
    Args args;
    args.Text(member.tenant_id)
        .Nullable(member.email)
        .Nullable(member.name)
        .Text(member.role)
        .Text(member.seat)
        .TextArray(member.further_roles);
    return Create(tx, kCreateMemberSql, args, member.actor);
  };
  return Named("a member", member.email,
               [&] { return Guard("create a member", create); });
}

absl::StatusOr<std::string> CreateToken(Transaction& tx,
                                        const NewToken& token) noexcept {
  return Guard("create a token", [&]() -> absl::StatusOr<std::string> {
    EnterTenant(tx, token.tenant_id);
    const bool is_agent = token.kind == PrincipalKind::kAgent;
    Args args;
    args.Text(token.tenant_id)
        .Text(PrincipalKindName(token.kind))
        .Nullable(is_agent ? token.principal_id : "")
        .Nullable(is_agent ? "" : token.principal_id)
        .Text(token.name)
        .Text(token.token_sha256)
        .Nullable(token.issued_by)
        .Duration(token.lifetime);
    return Create(tx, kCreateTokenSql, args, token.actor);
  });
}

absl::StatusOr<std::string> EnsureTenant(Transaction& tx,
                                         const NewTenant& tenant) noexcept {
  absl::StatusOr<std::string> found = FindTenant(tx, tenant.slug);
  return absl::IsNotFound(found.status()) ? CreateTenant(tx, tenant) : found;
}

absl::StatusOr<std::string> EnsureAgent(Transaction& tx,
                                        const NewAgent& agent) noexcept {
  absl::StatusOr<std::string> found =
      FindAgent(tx, agent.tenant_id, agent.name);
  return absl::IsNotFound(found.status()) ? CreateAgent(tx, agent) : found;
}

absl::StatusOr<std::string> EnsureMember(Transaction& tx,
                                         const NewMember& member) noexcept {
  absl::StatusOr<std::string> found =
      FindMember(tx, member.tenant_id, member.email);
  return absl::IsNotFound(found.status()) ? CreateMember(tx, member) : found;
}

absl::StatusOr<std::string> EnsureToken(Transaction& tx,
                                        const NewToken& token) noexcept {
  absl::StatusOr<std::string> found =
      Guard("find a token", [&]() -> absl::StatusOr<std::string> {
        return Found(
            FindOne(tx, kFindTokenSql, token.tenant_id, token.token_sha256),
            "token", token.name);
      });
  return absl::IsNotFound(found.status()) ? CreateToken(tx, token) : found;
}

absl::StatusOr<std::string> FindTenant(Transaction& tx,
                                       const std::string& slug) noexcept {
  return Guard("find a tenant", [&]() -> absl::StatusOr<std::string> {
    RowReader reader(
        OpenSession(tx).ExecOne(kFindTenantSql, Args().Text(slug),
                                absl::StrCat("tenant `", slug, "`")));
    std::string id = reader.Text();
    if (id.empty()) {
      return absl::NotFoundError(
          absl::StrCat("find a tenant: there is no tenant `", slug, "`"));
    }
    EnterTenant(tx, id);
    return id;
  });
}

absl::StatusOr<std::string> FindAgent(Transaction& tx,
                                      const std::string& tenant_id,
                                      const std::string& name) noexcept {
  return Guard("find an agent", [&]() -> absl::StatusOr<std::string> {
    return Found(FindOne(tx, kFindAgentSql, tenant_id, name), "agent", name);
  });
}

absl::StatusOr<std::string> FindMember(Transaction& tx,
                                       const std::string& tenant_id,
                                       const std::string& email) noexcept {
  return Guard("find a member", [&]() -> absl::StatusOr<std::string> {
    return Found(FindOne(tx, kFindMemberSql, tenant_id, email), "member",
                 email);
  });
}

absl::Status RevokeToken(Transaction& tx, const std::string& tenant_id,
                         const std::string& token_id,
                         const Actor& actor) noexcept {
  return Guard("revoke a token", [&]() -> absl::Status {
    if (!IsUuid(token_id)) return absl::NotFoundError("there is no such token");
    EnterTenant(tx, tenant_id);
    RowReader reader(
        OpenSession(tx).ExecOne(kRevokeTokenSql,
                                Args()
                                    .Text(tenant_id)
                                    .Text(token_id)
                                    .Nullable(actor.user_id.value_or(""))
                                    .Nullable(actor.external_id),
                                "token"));
    if (reader.Bool()) return absl::OkStatus();
    return absl::NotFoundError("revoke a token: there is no such token");
  });
}

absl::Status RecordRefusedCredentials(
    Transaction& tx, const RefusedCredentialCount& count) noexcept {
  return Guard("record refused credentials", [&] {
    OpenSession(tx).Exec(
        kRecordRefusedCredentialsSql,
        Args().Text(count.source).Int(count.calls).Time(count.minute));
    return absl::OkStatus();
  });
}

}  // namespace sgl::storage
