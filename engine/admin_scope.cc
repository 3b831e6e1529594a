#include "engine/admin_scope.h"

#include <absl/strings/str_cat.h>

#include <optional>
#include <utility>

#include "engine/text.h"
#include "storage/identity.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

using storage::DirectoryAgent;
using storage::DirectoryMember;
using storage::DirectoryTenant;

// No email and no name is longer.
constexpr size_t kNameMax = 320;

absl::Status TenantNotFound() {
  return Refusal(absl::StatusCode::kNotFound, "TENANT_NOT_FOUND",
                 "there is no tenant with this slug");
}

}  // namespace

bool IsPlatformOperator(const storage::Principal& principal) {
  return principal.kind == storage::PrincipalKind::kOperator &&
         principal.tenant_id == storage::kSystemTenantId;
}

absl::Status RequirePlatformOperator(const storage::Principal& principal,
                                     absl::string_view what) {
  if (IsPlatformOperator(principal)) return absl::OkStatus();
  return Refusal(absl::StatusCode::kPermissionDenied, "PLATFORM_OPERATORS_ONLY",
                 absl::StrCat(what, " for operators of the system tenant"));
}

absl::StatusOr<AdminTransaction> BeginFor(storage::Database* db,
                                          const CallScope& scope,
                                          const std::string& tenant_slug) {
  const storage::Principal& principal = scope.principal();
  const bool is_own =
      tenant_slug.empty() || tenant_slug == principal.tenant_slug;
  if (!is_own && (!IsPlatformOperator(principal) || HasNul(tenant_slug))) {
    return TenantNotFound();
  }
  absl::StatusOr<storage::Transaction> tx =
      db->Begin({.tenants = {principal.tenant_id},
                 .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  if (is_own) {
    return AdminTransaction{.tx = *std::move(tx),
                            .tenant_id = principal.tenant_id,
                            .tenant_slug = principal.tenant_slug};
  }
  const absl::StatusOr<std::vector<DirectoryTenant>> found =
      storage::ListTenants(*tx, {.slug = tenant_slug}, std::nullopt, 1);
  if (!found.ok()) return found.status();
  if (found->empty()) return TenantNotFound();
  const absl::Status entered = tx->SetTenants({(*found)[0].id});
  if (!entered.ok()) return entered;
  return AdminTransaction{.tx = *std::move(tx),
                          .tenant_id = (*found)[0].id,
                          .tenant_slug = tenant_slug};
}

absl::StatusOr<DirectoryAgent> FindAgent(storage::Transaction& tx,
                                         const std::string& agent) {
  const absl::Status fits =
      TextChecks().Check("agent", agent, 1, kNameMax).Finish();
  if (!fits.ok()) return fits;
  storage::AgentFilter filter;
  (storage::IsUuid(agent) ? filter.id : filter.name) = agent;
  absl::StatusOr<std::vector<DirectoryAgent>> found =
      storage::ListAgents(tx, filter, std::nullopt, 2);
  if (!found.ok()) return found.status();
  if (found->empty()) {
    return Refusal(absl::StatusCode::kNotFound, "AGENT_NOT_FOUND",
                   "the tenant has no agent with this id or name");
  }
  if (found->size() > 1) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "AMBIGUOUS_NAME",
                   "several agents have this name; give the id");
  }
  return (*std::move(found))[0];
}

absl::StatusOr<DirectoryMember> FindMember(storage::Transaction& tx,
                                           const std::string& member) {
  const absl::Status fits =
      TextChecks().Check("member", member, 1, kNameMax).Finish();
  if (!fits.ok()) return fits;
  storage::MemberFilter filter;
  (storage::IsUuid(member) ? filter.user_id : filter.email) = member;
  absl::StatusOr<std::vector<DirectoryMember>> found =
      storage::ListMembers(tx, filter, std::nullopt, 1);
  if (!found.ok()) return found.status();
  if (found->empty()) {
    return Refusal(absl::StatusCode::kNotFound, "MEMBER_NOT_FOUND",
                   "the tenant has no member with this id or email");
  }
  return (*std::move(found))[0];
}

absl::Status CommitFor(const CallScope& scope, storage::Transaction& tx) {
  const absl::Status alive = scope.CheckAlive();
  return alive.ok() ? tx.Commit() : alive;
}

TextChecks& TextChecks::Check(absl::string_view field, absl::string_view text,
                              size_t min, size_t max) {
  const size_t count = CharacterCount(text);
  if (count < min) return Add(field, "it is required");
  if (count > max) {
    return Add(field, absl::StrCat("it has ", count, " characters; at most ",
                                   max, " are allowed"));
  }
  if (HasNul(text)) return Add(field, "it holds a NUL character");
  return *this;
}

TextChecks& TextChecks::Add(absl::string_view field,
                            absl::string_view description) {
  errors_.push_back({std::string(field), std::string(description)});
  return *this;
}

absl::Status TextChecks::Finish() const {
  return errors_.empty() ? absl::OkStatus() : BadFields(errors_);
}

}  // namespace sgl::engine
