#include "storage/directory.h"

#include <absl/strings/str_cat.h>

#include "storage/guard.h"
#include "storage/intent_columns.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

DirectoryTenant ReadTenant(RowReader& reader) {
  DirectoryTenant tenant;
  tenant.id = reader.Text();
  tenant.slug = reader.Text();
  tenant.name = reader.Text();
  tenant.seat = reader.Text();
  tenant.created_at = reader.Time();
  return tenant;
}

DirectoryAgent ReadAgent(RowReader& reader) {
  DirectoryAgent agent;
  agent.id = reader.Text();
  agent.tenant_id = reader.Text();
  agent.name = reader.Text();
  agent.role = reader.Text();
  agent.status = reader.Text();
  agent.tier = static_cast<int32_t>(reader.Int());
  agent.labels = reader.TextArray();
  agent.owner_user_id = reader.Text();
  agent.created_at = reader.Time();
  return agent;
}

DirectoryMember ReadMember(RowReader& reader) {
  DirectoryMember member;
  member.user_id = reader.Text();
  member.tenant_id = reader.Text();
  member.email = reader.Text();
  member.name = reader.Text();
  member.role = reader.Text();
  member.further_roles = reader.TextArray();
  member.seat = reader.Text();
  member.created_at = reader.Time();
  return member;
}

DirectoryToken ReadToken(RowReader& reader) {
  DirectoryToken token;
  token.id = reader.Text();
  token.tenant_id = reader.Text();
  const std::string kind = reader.Text();
  const std::optional<PrincipalKind> known = PrincipalKindFromName(kind);
  if (!known.has_value()) {
    Raise(absl::InternalError(
        absl::StrCat("a token is of the kind `", kind, "`")));
  }
  token.kind = *known;
  token.agent_id = reader.Text();
  token.user_id = reader.Text();
  token.name = reader.Text();
  token.issued_by = reader.Text();
  token.created_at = reader.Time();
  token.expires_at = reader.OptionalTime();
  token.revoked_at = reader.OptionalTime();
  return token;
}

// Runs a list's statement and reads its rows.
template <typename Row>
std::vector<Row> ReadRows(Transaction& tx, const char* sql, const Args& args,
                          Row (*read)(RowReader&)) {
  std::vector<Row> rows;
  for (const pqxx::row& row : OpenSession(tx).Exec(sql, args)) {
    RowReader reader(row);
    rows.push_back(read(reader));
  }
  return rows;
}

// Runs a change that answers whether there was something to change.
absl::Status RunChange(Transaction& tx, const char* sql, Args& args,
                       absl::string_view what, const Actor& actor) {
  args.Nullable(actor.user_id.value_or("")).Nullable(actor.external_id);
  RowReader reader(OpenSession(tx).ExecOne(sql, args, what));
  if (reader.Bool()) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("there is no such ", what));
}

}  // namespace

absl::StatusOr<std::vector<DirectoryTenant>> ListTenants(
    Transaction& tx, const TenantFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<DirectoryTenant>>;
  return Guard("list tenants", [&]() -> Result {
    Args args;
    args.Nullable(filter.slug);
    AddPage(after, limit, args);
    return ReadRows(tx, kListTenantsSql, args, ReadTenant);
  });
}

absl::StatusOr<std::vector<DirectoryAgent>> ListAgents(
    Transaction& tx, const AgentFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<DirectoryAgent>>;
  return Guard("list agents", [&]() -> Result {
    if (!filter.id.empty()) RequireId("agent", filter.id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Nullable(filter.id)
        .Nullable(filter.name);
    AddPage(after, limit, args);
    return ReadRows(tx, kListAgentsSql, args, ReadAgent);
  });
}

absl::StatusOr<std::vector<DirectoryMember>> ListMembers(
    Transaction& tx, const MemberFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<DirectoryMember>>;
  return Guard("list members", [&]() -> Result {
    if (!filter.user_id.empty()) RequireId("member", filter.user_id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Nullable(filter.user_id)
        .Nullable(filter.email);
    AddPage(after, limit, args);
    return ReadRows(tx, kListMembersSql, args, ReadMember);
  });
}

absl::StatusOr<std::vector<DirectoryToken>> ListTokens(
    Transaction& tx, const TokenFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept {
  using Result = absl::StatusOr<std::vector<DirectoryToken>>;
  return Guard("list tokens", [&]() -> Result {
    if (!filter.id.empty()) RequireId("token", filter.id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Nullable(filter.id)
        .Bool(filter.only_live)
        .Nullable(filter.kind.has_value() ? PrincipalKindName(*filter.kind)
                                          : "");
    AddPage(after, limit, args);
    return ReadRows(tx, kListTokensSql, args, ReadToken);
  });
}

absl::Status UpdateAgent(Transaction& tx, const AgentChange& change) noexcept {
  return Guard("update an agent", [&]() -> absl::Status {
    RequireId("agent", change.agent_id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant()).Text(change.agent_id);
    for (const auto* text : {&change.role, &change.status}) {
      if (text->has_value()) {
        args.Text(**text);
      } else {
        args.Null();
      }
    }
    args.OptionalInt(change.tier);
    if (change.labels.has_value()) {
      args.TextArray(*change.labels);
    } else {
      args.Null();
    }
    args.Bool(change.owner_user_id.has_value())
        .Nullable(change.owner_user_id.value_or(""));
    return RunChange(tx, kUpdateAgentSql, args, "agent", change.actor);
  });
}

absl::Status SetMemberRoles(Transaction& tx,
                            const RolesChange& change) noexcept {
  return Guard("set a member's roles", [&]() -> absl::Status {
    RequireId("member", change.user_id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant())
        .Text(change.user_id)
        .Text(change.role)
        .TextArray(change.further_roles);
    return RunChange(tx, kSetMemberRolesSql, args, "member", change.actor);
  });
}

absl::Status RemoveMember(Transaction& tx, const std::string& user_id,
                          const Actor& actor) noexcept {
  return Guard("remove a member", [&]() -> absl::Status {
    RequireId("member", user_id);
    Args args;
    args.Text(OpenSession(tx).OnlyTenant()).Text(user_id);
    return RunChange(tx, kRemoveMemberSql, args, "member", actor);
  });
}

}  // namespace sgl::storage
