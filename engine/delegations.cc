#include "engine/delegations.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "engine/intent_body.h"
#include "engine/memo_checks.h"
#include "storage/audit.h"
#include "storage/identity.h"
#include "storage/intents.h"
#include "storage/memos.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

using storage::DelegationRow;

// As the tables hold them.
constexpr size_t kRoleMax = 100;
constexpr size_t kEmailMax = 320;

absl::Status CheckRequest(const DelegationRequest& request) {
  std::vector<FieldError> errors;
  if (request.to_user_id.empty() == request.to_email.empty()) {
    errors.push_back({"to_user_id", "give either it or to_email"});
  } else if (!request.to_user_id.empty() &&
             !storage::IsUuid(request.to_user_id)) {
    errors.push_back({"to_user_id", "it is no UUID"});
  }
  CheckText("to_email", request.to_email, kEmailMax, &errors);
  if (request.roles.size() > kDelegatedRolesMax) {
    errors.push_back({"roles", absl::StrCat("at most ", kDelegatedRolesMax,
                                            " are allowed")});
  }
  for (const std::string& role : request.roles) {
    CheckText("roles", role, kRoleMax, &errors);
  }
  if (!request.ends_at.has_value()) {
    errors.push_back({"end_time", "say when it ends"});
  }
  if (request.reason.empty()) {
    errors.push_back({"reason", "say why; others will read it"});
  }
  CheckText("reason", request.reason, kDelegationReasonMax, &errors);
  return errors.empty() ? absl::OkStatus() : BadFields(errors);
}

// `start` is not before `now`.
absl::Status CheckTimes(absl::Time now, absl::Time start, absl::Time end) {
  std::vector<FieldError> errors;
  if (start > now + kDelegationAheadMax) {
    errors.push_back({"start_time", "it is more than a year ahead"});
  }
  if (end <= start) {
    errors.push_back({"end_time", "it is over before it starts"});
  } else if (end > start + kDelegationMax) {
    errors.push_back({"end_time", "at most 90 days after the start"});
  }
  return errors.empty() ? absl::OkStatus() : BadFields(errors);
}

absl::StatusOr<std::string> FindDelegate(storage::Transaction& tx,
                                         const std::string& tenant_id,
                                         const DelegationRequest& request) {
  const absl::Status nobody =
      Refusal(absl::StatusCode::kNotFound, "MEMBER_NOT_FOUND",
              "there is no such member of the tenant");
  if (!request.to_email.empty()) {
    absl::StatusOr<std::string> found =
        storage::FindMember(tx, tenant_id, request.to_email);
    return absl::IsNotFound(found.status()) ? nobody : found;
  }
  const absl::StatusOr<storage::Standing> standing =
      storage::ReadStanding(tx, request.to_user_id);
  if (!standing.ok()) return standing.status();
  if (!standing->is_member) return nobody;
  // As the database spells it, to compare.
  return absl::AsciiStrToLower(request.to_user_id);
}

// A delegator lends what they hold themselves, and never what is lent to them.
absl::Status CheckRoles(const storage::Standing& standing,
                        const std::vector<std::string>& roles) {
  if (!standing.is_member) {
    return Refusal(absl::StatusCode::kPermissionDenied, "NOT_A_MEMBER",
                   "only members of the tenant delegate");
  }
  for (const std::string& role : roles) {
    if (std::binary_search(standing.roles.begin(), standing.roles.end(),
                           role)) {
      continue;
    }
    return Refusal(absl::StatusCode::kPermissionDenied, "ROLE_NOT_HELD",
                   absl::StrCat("you don't hold the role `", role,
                                "` yourself, so you can't lend it"));
  }
  return absl::OkStatus();
}

absl::Status Append(storage::Transaction& tx, const CallScope& scope,
                    absl::string_view action, const DelegationRow& row) {
  const auto time = [](absl::Time value) {
    return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", value, absl::UTCTimeZone());
  };
  return storage::AppendAudit(
      tx,
      {.tenant_id = row.tenant_id,
       .entity_type = "delegation",
       .entity_id = row.id},
      EntryBy(scope, action, storage::AuditLevel::kSecurity,
              {{"from_user_id", row.from_user_id},
               {"to_user_id", row.to_user_id},
               {"roles", row.roles},
               {"starts_at", time(row.starts_at)},
               {"ends_at", time(row.ends_at)},
               {"reason", row.reason}}));
}

// Writes the entry, reads the row as it stands and commits.
absl::StatusOr<DelegationRow> Finish(storage::Transaction& tx,
                                     const CallScope& scope,
                                     absl::string_view action,
                                     const std::string& id) {
  absl::StatusOr<DelegationRow> row = storage::GetDelegation(tx, id);
  if (!row.ok()) return row;
  absl::Status status = Append(tx, scope, action, *row);
  if (status.ok()) status = scope.CheckAlive();
  if (status.ok()) status = tx.Commit();
  if (!status.ok()) return status;
  return row;
}

}  // namespace

absl::StatusOr<DelegationRow> Delegations::Create(
    const CallScope& scope, const DelegationRequest& request) {
  absl::Status status = CheckRequest(request);
  if (!status.ok()) return status;
  const storage::Principal& principal = scope.principal();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {principal.tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<absl::Time> now = storage::ReadNow(*tx);
  if (!now.ok()) return now.status();
  const absl::Time start = std::max(*now, request.starts_at.value_or(*now));
  status = CheckTimes(*now, start, *request.ends_at);
  if (!status.ok()) return status;

  std::vector<std::string> roles = request.roles;
  std::sort(roles.begin(), roles.end());
  roles.erase(std::unique(roles.begin(), roles.end()), roles.end());
  const absl::StatusOr<storage::Standing> standing =
      storage::ReadStanding(*tx, principal.user_id);
  if (!standing.ok()) return standing.status();
  status = CheckRoles(*standing, roles);
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> delegate =
      FindDelegate(*tx, principal.tenant_id, request);
  if (!delegate.ok()) return delegate.status();
  if (*delegate == principal.user_id) {
    return BadField("to_user_id", "it is you yourself");
  }
  const absl::StatusOr<std::string> id =
      storage::CreateDelegation(*tx, {.from_user_id = principal.user_id,
                                      .to_user_id = *delegate,
                                      .roles = roles,
                                      .starts_at = start,
                                      .ends_at = *request.ends_at,
                                      .reason = request.reason});
  if (absl::IsResourceExhausted(id.status())) {
    return Refusal(absl::StatusCode::kFailedPrecondition,
                   "TOO_MANY_DELEGATIONS",
                   absl::StrCat("one of the two has ", storage::kDelegationsMax,
                                " that are not over; revoke some first"));
  }
  if (!id.ok()) return id.status();
  return Finish(*tx, scope, "DELEGATION_CREATED", *id);
}

absl::StatusOr<DelegationRow> Delegations::Revoke(const CallScope& scope,
                                                  const std::string& id) {
  const storage::Principal& principal = scope.principal();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {principal.tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<DelegationRow> row = storage::GetDelegation(*tx, id);
  if (absl::IsNotFound(row.status())) {
    return Refusal(absl::StatusCode::kNotFound, "DELEGATION_NOT_FOUND",
                   "there is no delegation with this id");
  }
  if (!row.ok()) return row.status();
  if (principal.kind != storage::PrincipalKind::kOperator &&
      row->from_user_id != principal.user_id) {
    return Refusal(absl::StatusCode::kPermissionDenied, "NOT_YOUR_DELEGATION",
                   "who gave it revokes it, or an operator");
  }
  const absl::Status revoked = storage::RevokeDelegation(*tx, id);
  if (absl::IsFailedPrecondition(revoked)) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "DELEGATION_OVER",
                   "the delegation is over already");
  }
  if (!revoked.ok()) return revoked;
  return Finish(*tx, scope, "DELEGATION_REVOKED", id);
}

}  // namespace sgl::engine
