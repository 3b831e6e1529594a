#include "engine/rpc/authorization.h"

#include <absl/strings/str_cat.h>

#include <string>

#include "base/check.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

using storage::PrincipalKind;

constexpr uint8_t kAgent = KindBit(PrincipalKind::kAgent);
constexpr uint8_t kUser = KindBit(PrincipalKind::kUser);
constexpr uint8_t kWorker = KindBit(PrincipalKind::kWorker);
constexpr uint8_t kOperator = KindBit(PrincipalKind::kOperator);

// Workers call nothing but what leases and ends jobs: what they lease carries
// all that they need.
constexpr MethodRule kRules[] = {
    {Method::kSubmitIntent, "SubmitIntent", kAgent},
    {Method::kBatchSubmitIntents, "BatchSubmitIntents", kAgent},
    {Method::kEvaluateIntent, "EvaluateIntent", kAgent | kUser | kOperator},
    {Method::kGetIntent, "GetIntent", kAgent | kUser | kOperator},
    {Method::kListIntents, "ListIntents", kAgent | kUser | kOperator},
    {Method::kCancelIntent, "CancelIntent", kAgent | kOperator},
    {Method::kWatchIntents, "WatchIntents", kAgent | kUser | kOperator},
    {Method::kGetDecisionMemo, "GetDecisionMemo", kAgent | kUser | kOperator},
    {Method::kListDecisionMemos, "ListDecisionMemos",
     kAgent | kUser | kOperator},
    {Method::kApproveDecisionMemo, "ApproveDecisionMemo", kUser},
    {Method::kRejectDecisionMemo, "RejectDecisionMemo", kUser},
    {Method::kWatchDecisionMemos, "WatchDecisionMemos",
     kAgent | kUser | kOperator},
    {Method::kEditDecisionMemo, "EditDecisionMemo", kUser},
    {Method::kBatchApproveDecisionMemos, "BatchApproveDecisionMemos", kUser},
    {Method::kCreateDelegation, "CreateDelegation", kUser},
    {Method::kListDelegations, "ListDelegations", kUser | kOperator},
    {Method::kRevokeDelegation, "RevokeDelegation", kUser | kOperator},
    {Method::kLeaseJobs, "LeaseJobs", kWorker},
    {Method::kHeartbeatJob, "HeartbeatJob", kWorker},
    {Method::kCompleteJob, "CompleteJob", kWorker},
    {Method::kFailJob, "FailJob", kWorker},
    {Method::kGetJob, "GetJob", kUser | kOperator},
    {Method::kListJobs, "ListJobs", kUser | kOperator},
    {Method::kCancelJob, "CancelJob", kAgent | kOperator},
    {Method::kSetKillSwitch, "SetKillSwitch", kOperator},
    {Method::kGetKillSwitch, "GetKillSwitch", kUser | kOperator},
    {Method::kListKillSwitches, "ListKillSwitches", kUser | kOperator},
    {Method::kCreateTenant, "CreateTenant", kOperator},
    {Method::kListTenants, "ListTenants", kOperator},
    {Method::kCreateAgent, "CreateAgent", kOperator},
    {Method::kUpdateAgent, "UpdateAgent", kOperator},
    {Method::kListAgents, "ListAgents", kOperator},
    {Method::kCreateMember, "CreateMember", kOperator},
    {Method::kSetMemberRoles, "SetMemberRoles", kOperator},
    {Method::kRemoveMember, "RemoveMember", kOperator},
    {Method::kListMembers, "ListMembers", kOperator},
    {Method::kCreateToken, "CreateToken", kOperator},
    {Method::kRevokeToken, "RevokeToken", kOperator},
    {Method::kListTokens, "ListTokens", kOperator},
    {Method::kCheckPolicy, "CheckPolicy", kUser | kOperator},
    {Method::kProposePolicy, "ProposePolicy", kUser | kOperator},
    {Method::kGetPolicy, "GetPolicy", kUser | kOperator},
    {Method::kListPolicies, "ListPolicies", kUser | kOperator},
    {Method::kActivatePolicy, "ActivatePolicy", kUser | kOperator},
    {Method::kReplayIntent, "ReplayIntent", kUser | kOperator},
    {Method::kReplayPolicy, "ReplayPolicy", kUser | kOperator},
    {Method::kListAuditEntries, "ListAuditEntries", kUser | kOperator},
    {Method::kGetTreeHead, "GetTreeHead", kUser | kOperator},
    {Method::kGetInclusionProof, "GetInclusionProof", kUser | kOperator},
    {Method::kVerifyAuditLog, "VerifyAuditLog", kUser | kOperator},
    {Method::kSearchKbDocuments, "SearchKbDocuments",
     kAgent | kUser | kOperator},
    {Method::kGetKbDocument, "GetKbDocument", kAgent | kUser | kOperator},
    {Method::kListKbDocuments, "ListKbDocuments", kAgent | kUser | kOperator},
    {Method::kGetTicket, "GetTicket", kAgent | kUser | kOperator},
    {Method::kListTickets, "ListTickets", kAgent | kUser | kOperator},
    {Method::kListTicketComments, "ListTicketComments",
     kAgent | kUser | kOperator},
    {Method::kGetCrmContact, "GetCrmContact", kAgent | kUser | kOperator},
    {Method::kListCrmContacts, "ListCrmContacts", kAgent | kUser | kOperator},
    {Method::kListCrmCompanies, "ListCrmCompanies", kAgent | kUser | kOperator},
    {Method::kListCrmSegments, "ListCrmSegments", kAgent | kUser | kOperator},
    {Method::kGetLedgerEntry, "GetLedgerEntry", kAgent | kUser | kOperator},
    {Method::kListLedgerEntries, "ListLedgerEntries",
     kAgent | kUser | kOperator},
};

const MethodRule& RuleOf(Method method) {
  const MethodRule& rule = kRules[static_cast<size_t>(method)];
  SGL_CHECK(rule.method == method);
  return rule;
}

}  // namespace

std::span<const MethodRule> AuthorizationTable() { return kRules; }

absl::string_view MethodName(Method method) { return RuleOf(method).name; }

absl::Status Authorize(const storage::Principal& principal, Method method) {
  const MethodRule& rule = RuleOf(method);
  if ((rule.kinds & KindBit(principal.kind)) != 0) return absl::OkStatus();
  std::string allowed;
  for (const PrincipalKind kind :
       {PrincipalKind::kAgent, PrincipalKind::kUser, PrincipalKind::kWorker,
        PrincipalKind::kOperator}) {
    if ((rule.kinds & KindBit(kind)) == 0) continue;
    absl::StrAppend(&allowed, allowed.empty() ? "" : ", ",
                    storage::PrincipalKindName(kind));
  }
  return Refusal(absl::StatusCode::kPermissionDenied, "WRONG_PRINCIPAL_KIND",
                 absl::StrCat(rule.name, " is for tokens of kind ", allowed,
                              "; this one is of kind ",
                              storage::PrincipalKindName(principal.kind)));
}

}  // namespace sgl::engine
