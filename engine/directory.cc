#include "engine/directory.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "engine/admin_scope.h"
#include "engine/api_token.h"
#include "engine/error.h"
#include "engine/settlement.h"
#include "engine/text.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

using storage::DirectoryAgent;
using storage::DirectoryMember;
using storage::DirectoryTenant;
using storage::DirectoryToken;
using storage::PrincipalKind;
using storage::Transaction;

constexpr size_t kNameMax = 200;
constexpr size_t kRoleMax = 100;
constexpr size_t kEmailMax = 320;
constexpr std::array<absl::string_view, 4> kSeats = {"free_beta", "starter",
                                                     "pro", "enterprise"};

// What storage says of a change, in words for the caller.
absl::Status ForCaller(const absl::Status& status, absl::string_view what) {
  switch (status.code()) {
    case absl::StatusCode::kAlreadyExists:
      return Refusal(status.code(), "ALREADY_EXISTS",
                     absl::StrCat("there is such a ", what, " already"));
    case absl::StatusCode::kFailedPrecondition:
      return Refusal(status.code(), "REFUSED",
                     absl::StrCat("the database refused this ", what));
    default:
      return status;
  }
}

absl::Status SelfGrant(absl::string_view what) {
  return Refusal(absl::StatusCode::kPermissionDenied, "SELF_GRANT",
                 absl::StrCat(what, "; let another operator do it"));
}

bool IsSelf(const CallScope& scope, const std::string& user_id) {
  return !user_id.empty() && scope.principal().user_id == user_id;
}

void CheckSeat(const std::string& seat, TextChecks& checks) {
  if (std::find(kSeats.begin(), kSeats.end(), seat) == kSeats.end()) {
    checks.Add("seat", "use free_beta, starter, pro or enterprise");
  }
}

void CheckEach(absl::string_view field, const std::vector<std::string>& texts,
               size_t count_max, TextChecks& checks) {
  if (texts.size() > count_max) {
    checks.Add(field, absl::StrCat("there are ", texts.size(), "; at most ",
                                   count_max, " are allowed"));
    return;
  }
  for (const std::string& text : texts) checks.Check(field, text, 1, kRoleMax);
}

// Replaces an id or an email by the id.
absl::Status ResolveOwner(Transaction& tx, std::string& owner) {
  if (owner.empty()) return absl::OkStatus();
  absl::StatusOr<DirectoryMember> member = FindMember(tx, owner);
  if (!member.ok()) return member.status();
  owner = member->user_id;
  return absl::OkStatus();
}

absl::Status CheckToken(const TokenRequest& request) {
  TextChecks checks;
  const bool is_somebodys = request.kind == PrincipalKind::kAgent ||
                            request.kind == PrincipalKind::kUser;
  if (is_somebodys && request.principal.empty()) {
    checks.Add("principal", "say whose token it is");
  }
  if (request.kind == PrincipalKind::kWorker && !request.principal.empty()) {
    checks.Add("principal", "a worker's token is nobody's; give it a `name`");
  }
  checks.Check("name", request.name, request.principal.empty() ? 1 : 0,
               kNameMax);
  if (request.lifetime < kTokenLifetimeMin ||
      request.lifetime > kTokenLifetimeMax) {
    checks.Add("lifetime", "it must be a minute to 365 days");
  }
  return checks.Finish();
}

// Fills in whose it is, and its name where it has none.
absl::Status ResolvePrincipal(Transaction& tx, const TokenRequest& request,
                              storage::NewToken& token) {
  if (request.principal.empty()) return absl::OkStatus();
  std::string name;
  if (request.kind == PrincipalKind::kAgent) {
    const absl::StatusOr<DirectoryAgent> agent =
        FindAgent(tx, request.principal);
    if (!agent.ok()) return agent.status();
    token.principal_id = agent->id;
    name = agent->name;
  } else {
    const absl::StatusOr<DirectoryMember> member =
        FindMember(tx, request.principal);
    if (!member.ok()) return member.status();
    token.principal_id = member->user_id;
    name = member->name.empty() ? member->email : member->name;
  }
  if (token.name.empty()) token.name = std::string(Cut(name, kNameMax));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DirectoryTenant> Directory::CreateTenant(
    const CallScope& scope, storage::NewTenant tenant) {
  absl::Status status =
      RequirePlatformOperator(scope.principal(), "creating tenants is");
  if (!status.ok()) return status;
  TextChecks checks;
  checks.Check("slug", tenant.slug, 1, kNameMax)
      .Check("name", tenant.name, 1, kNameMax);
  CheckSeat(tenant.seat, checks);
  status = checks.Finish();
  if (!status.ok()) return status;
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, "");
  if (!admin.ok()) return admin.status();
  tenant.actor = ActorOf(scope.principal());
  const absl::StatusOr<std::string> id =
      storage::CreateTenant(admin->tx, tenant);
  if (id.status().code() == absl::StatusCode::kInvalidArgument) {
    return BadField("slug",
                    "use 1 to 63 lower-case letters, digits and dashes");
  }
  if (!id.ok()) return ForCaller(id.status(), "tenant");
  status = admin->tx.SetTenants({storage::kSystemTenantId});
  if (!status.ok()) return status;
  absl::StatusOr<std::vector<DirectoryTenant>> made =
      storage::ListTenants(admin->tx, {.slug = tenant.slug}, std::nullopt, 1);
  if (!made.ok()) return made.status();
  SGL_CHECK_EQ(made->size(), 1u);
  status = CommitFor(scope, admin->tx);
  if (!status.ok()) return status;
  return (*made)[0];
}

absl::StatusOr<std::vector<DirectoryTenant>> Directory::ListTenants(
    const CallScope& scope, const PageOf& page) {
  const absl::Status allowed =
      RequirePlatformOperator(scope.principal(), "the list of tenants is");
  if (!allowed.ok()) return allowed;
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, "");
  if (!admin.ok()) return admin.status();
  return storage::ListTenants(admin->tx, {}, page.after, page.limit);
}

absl::StatusOr<DirectoryAgent> Directory::CreateAgent(const CallScope& scope,
                                                      const std::string& tenant,
                                                      storage::NewAgent agent) {
  TextChecks checks;
  checks.Check("name", agent.name, 1, kNameMax)
      .Check("role", agent.role, 0, kRoleMax)
      .Check("status", agent.status, 1, kRoleMax);
  CheckEach("labels", agent.labels, kLabelsMax, checks);
  absl::Status status = checks.Finish();
  if (!status.ok()) return status;
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  status = ResolveOwner(admin->tx, agent.owner_user_id);
  if (!status.ok()) return status;
  agent.tenant_id = admin->tenant_id;
  agent.actor = ActorOf(scope.principal());
  const absl::StatusOr<std::string> id = storage::CreateAgent(admin->tx, agent);
  if (!id.ok()) return ForCaller(id.status(), "agent");
  absl::StatusOr<DirectoryAgent> made = FindAgent(admin->tx, *id);
  if (!made.ok()) return made;
  status = CommitFor(scope, admin->tx);
  if (!status.ok()) return status;
  return made;
}

absl::StatusOr<DirectoryAgent> Directory::UpdateAgent(
    const CallScope& scope, const std::string& tenant,
    storage::AgentChange change) {
  TextChecks checks;
  if (change.role.has_value()) checks.Check("role", *change.role, 0, kRoleMax);
  if (change.status.has_value()) {
    checks.Check("status", *change.status, 1, kRoleMax);
  }
  if (change.labels.has_value()) {
    CheckEach("labels", *change.labels, kLabelsMax, checks);
  }
  absl::Status status = checks.Finish();
  if (!status.ok()) return status;
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  const absl::StatusOr<DirectoryAgent> before =
      FindAgent(admin->tx, change.agent_id);
  if (!before.ok()) return before.status();
  if (change.owner_user_id.has_value()) {
    status = ResolveOwner(admin->tx, *change.owner_user_id);
    if (!status.ok()) return status;
    if (IsSelf(scope, before->owner_user_id) &&
        *change.owner_user_id != before->owner_user_id) {
      return SelfGrant(
          "nobody gives away an agent of their own: they could vote on it");
    }
  }
  change.agent_id = before->id;
  change.actor = ActorOf(scope.principal());
  status = storage::UpdateAgent(admin->tx, change);
  if (!status.ok()) return ForCaller(status, "change of an agent");
  absl::StatusOr<DirectoryAgent> after = FindAgent(admin->tx, before->id);
  if (!after.ok()) return after;
  status = CommitFor(scope, admin->tx);
  if (!status.ok()) return status;
  return after;
}

absl::StatusOr<std::vector<DirectoryAgent>> Directory::ListAgents(
    const CallScope& scope, const std::string& tenant, const PageOf& page) {
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  return storage::ListAgents(admin->tx, {}, page.after, page.limit);
}

absl::StatusOr<DirectoryMember> Directory::CreateMember(
    const CallScope& scope, const std::string& tenant,
    storage::NewMember member) {
  TextChecks checks;
  checks.Check("email", member.email, 1, kEmailMax)
      .Check("name", member.name, 0, kNameMax)
      .Check("role", member.role, 1, kRoleMax);
  CheckEach("further_roles", member.further_roles, kFurtherRolesMax, checks);
  CheckSeat(member.seat, checks);
  // It could never be named again.
  if (storage::IsUuid(member.email)) checks.Add("email", "it is no email");
  absl::Status status = checks.Finish();
  if (!status.ok()) return status;
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  member.tenant_id = admin->tenant_id;
  member.actor = ActorOf(scope.principal());
  const absl::StatusOr<std::string> id =
      storage::CreateMember(admin->tx, member);
  if (!id.ok()) return ForCaller(id.status(), "member");
  if (IsSelf(scope, *id)) return SelfGrant("nobody adds themselves");
  absl::StatusOr<DirectoryMember> made = FindMember(admin->tx, *id);
  if (!made.ok()) return made;
  status = CommitFor(scope, admin->tx);
  if (!status.ok()) return status;
  return made;
}

absl::StatusOr<DirectoryMember> Directory::SetMemberRoles(
    const CallScope& scope, const std::string& tenant,
    storage::RolesChange change) {
  TextChecks checks;
  checks.Check("role", change.role, 1, kRoleMax);
  CheckEach("further_roles", change.further_roles, kFurtherRolesMax, checks);
  absl::Status status = checks.Finish();
  if (!status.ok()) return status;
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  const absl::StatusOr<DirectoryMember> before =
      FindMember(admin->tx, change.user_id);
  if (!before.ok()) return before.status();
  if (IsSelf(scope, before->user_id)) {
    return SelfGrant("nobody sets their own roles");
  }
  change.user_id = before->user_id;
  change.actor = ActorOf(scope.principal());
  status = storage::SetMemberRoles(admin->tx, change);
  if (!status.ok()) return ForCaller(status, "change of roles");
  absl::StatusOr<DirectoryMember> after =
      FindMember(admin->tx, before->user_id);
  if (!after.ok()) return after;
  status = CommitFor(scope, admin->tx);
  if (!status.ok()) return status;
  return after;
}

absl::Status Directory::RemoveMember(const CallScope& scope,
                                     const std::string& tenant,
                                     const std::string& member) {
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  const absl::StatusOr<DirectoryMember> before = FindMember(admin->tx, member);
  if (!before.ok()) return before.status();
  const absl::Status removed = storage::RemoveMember(
      admin->tx, before->user_id, ActorOf(scope.principal()));
  if (!removed.ok()) return ForCaller(removed, "removal");
  return CommitFor(scope, admin->tx);
}

absl::StatusOr<std::vector<DirectoryMember>> Directory::ListMembers(
    const CallScope& scope, const std::string& tenant, const PageOf& page) {
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  return storage::ListMembers(admin->tx, {}, page.after, page.limit);
}

absl::StatusOr<MadeToken> Directory::CreateToken(const CallScope& scope,
                                                 const std::string& tenant,
                                                 const TokenRequest& request) {
  absl::Status status = CheckToken(request);
  if (!status.ok()) return status;
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  MadeToken made;
  made.secret = NewApiToken();
  storage::NewToken token = {.tenant_id = admin->tenant_id,
                             .kind = request.kind,
                             .name = request.name,
                             .token_sha256 = HashApiToken(made.secret),
                             .lifetime = request.lifetime,
                             .actor = ActorOf(scope.principal())};
  status = ResolvePrincipal(admin->tx, request, token);
  if (!status.ok()) return status;
  if (request.kind == PrincipalKind::kUser &&
      IsSelf(scope, token.principal_id)) {
    return SelfGrant("nobody makes themselves a token to vote with");
  }
  // The platform's operators are no members of other tenants.
  if (admin->tenant_id == scope.principal().tenant_id) {
    token.issued_by = scope.principal().user_id;
  }
  const absl::StatusOr<std::string> id = storage::CreateToken(admin->tx, token);
  if (!id.ok()) return ForCaller(id.status(), "token");
  absl::StatusOr<std::vector<DirectoryToken>> listed =
      storage::ListTokens(admin->tx, {.id = *id}, std::nullopt, 1);
  if (!listed.ok()) return listed.status();
  SGL_CHECK_EQ(listed->size(), 1u);
  made.token = (*listed)[0];
  status = CommitFor(scope, admin->tx);
  if (!status.ok()) return status;
  return made;
}

absl::Status Directory::RevokeToken(const CallScope& scope,
                                    const std::string& tenant,
                                    const std::string& token_id) {
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  const absl::Status revoked = storage::RevokeToken(
      admin->tx, admin->tenant_id, token_id, ActorOf(scope.principal()));
  if (revoked.code() == absl::StatusCode::kNotFound) {
    return Refusal(absl::StatusCode::kNotFound, "TOKEN_NOT_FOUND",
                   "the tenant has no token with this id");
  }
  if (!revoked.ok()) return revoked;
  return CommitFor(scope, admin->tx);
}

absl::StatusOr<std::vector<DirectoryToken>> Directory::ListTokens(
    const CallScope& scope, const std::string& tenant,
    const storage::TokenFilter& filter, const PageOf& page) {
  absl::StatusOr<AdminTransaction> admin = BeginFor(db_, scope, tenant);
  if (!admin.ok()) return admin.status();
  return storage::ListTokens(admin->tx, filter, page.after, page.limit);
}

}  // namespace sgl::engine
