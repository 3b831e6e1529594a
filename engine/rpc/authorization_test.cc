// Proves who may call what: the whole table, written out a second time.

#include "engine/rpc/authorization.h"

#include <gtest/gtest.h>

#include "engine/error.h"

namespace sgl::engine {
namespace {

using storage::PrincipalKind;

constexpr struct {
  Method method;
  const char* name;
  bool agent, user, worker, is_operator;
} kCases[] = {
    {Method::kSubmitIntent, "SubmitIntent", true, false, false, false},
    {Method::kBatchSubmitIntents, "BatchSubmitIntents", true, false, false,
     false},
    {Method::kEvaluateIntent, "EvaluateIntent", true, true, false, true},
    {Method::kGetIntent, "GetIntent", true, true, false, true},
    {Method::kListIntents, "ListIntents", true, true, false, true},
    {Method::kCancelIntent, "CancelIntent", true, false, false, true},
    {Method::kGetDecisionMemo, "GetDecisionMemo", true, true, false, true},
    {Method::kListDecisionMemos, "ListDecisionMemos", true, true, false, true},
    {Method::kApproveDecisionMemo, "ApproveDecisionMemo", false, true, false,
     false},
    {Method::kRejectDecisionMemo, "RejectDecisionMemo", false, true, false,
     false},
    {Method::kEditDecisionMemo, "EditDecisionMemo", false, true, false, false},
    {Method::kBatchApproveDecisionMemos, "BatchApproveDecisionMemos", false,
     true, false, false},
    {Method::kCreateDelegation, "CreateDelegation", false, true, false, false},
    {Method::kListDelegations, "ListDelegations", false, true, false, true},
    {Method::kRevokeDelegation, "RevokeDelegation", false, true, false, true},
    {Method::kSetKillSwitch, "SetKillSwitch", false, false, false, true},
    {Method::kGetKillSwitch, "GetKillSwitch", false, true, false, true},
    {Method::kListKillSwitches, "ListKillSwitches", false, true, false, true},
    {Method::kCreateTenant, "CreateTenant", false, false, false, true},
    {Method::kListTenants, "ListTenants", false, false, false, true},
    {Method::kCreateAgent, "CreateAgent", false, false, false, true},
    {Method::kUpdateAgent, "UpdateAgent", false, false, false, true},
    {Method::kListAgents, "ListAgents", false, false, false, true},
    {Method::kCreateMember, "CreateMember", false, false, false, true},
    {Method::kSetMemberRoles, "SetMemberRoles", false, false, false, true},
    {Method::kRemoveMember, "RemoveMember", false, false, false, true},
    {Method::kListMembers, "ListMembers", false, false, false, true},
    {Method::kCreateToken, "CreateToken", false, false, false, true},
    {Method::kRevokeToken, "RevokeToken", false, false, false, true},
    {Method::kListTokens, "ListTokens", false, false, false, true},
    {Method::kCheckPolicy, "CheckPolicy", false, true, false, true},
    {Method::kProposePolicy, "ProposePolicy", false, true, false, true},
    {Method::kGetPolicy, "GetPolicy", false, true, false, true},
    {Method::kListPolicies, "ListPolicies", false, true, false, true},
    {Method::kActivatePolicy, "ActivatePolicy", false, true, false, true},
    {Method::kReplayIntent, "ReplayIntent", false, true, false, true},
    {Method::kReplayPolicy, "ReplayPolicy", false, true, false, true},
    {Method::kListAuditEntries, "ListAuditEntries", false, true, false, true},
    {Method::kGetTreeHead, "GetTreeHead", false, true, false, true},
    {Method::kGetInclusionProof, "GetInclusionProof", false, true, false, true},
    {Method::kVerifyAuditLog, "VerifyAuditLog", false, true, false, true},
    {Method::kSearchKbDocuments, "SearchKbDocuments", true, true, false, true},
    {Method::kGetKbDocument, "GetKbDocument", true, true, false, true},
    {Method::kListKbDocuments, "ListKbDocuments", true, true, false, true},
    {Method::kGetTicket, "GetTicket", true, true, false, true},
    {Method::kListTickets, "ListTickets", true, true, false, true},
    {Method::kListTicketComments, "ListTicketComments", true, true, false,
     true},
    {Method::kGetCrmContact, "GetCrmContact", true, true, false, true},
    {Method::kListCrmContacts, "ListCrmContacts", true, true, false, true},
    {Method::kListCrmCompanies, "ListCrmCompanies", true, true, false, true},
    {Method::kListCrmSegments, "ListCrmSegments", true, true, false, true},
    {Method::kGetLedgerEntry, "GetLedgerEntry", true, true, false, true},
    {Method::kListLedgerEntries, "ListLedgerEntries", true, true, false, true},
};

TEST(AuthorizeTest, EachKindCallsItsOwnMethods) {
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.name);
    EXPECT_EQ(MethodName(test.method), test.name);
    const auto may = [&](PrincipalKind kind) {
      storage::Principal principal;
      principal.kind = kind;
      return Authorize(principal, test.method).ok();
    };
    EXPECT_EQ(may(PrincipalKind::kAgent), test.agent);
    EXPECT_EQ(may(PrincipalKind::kUser), test.user);
    EXPECT_EQ(may(PrincipalKind::kWorker), test.worker);
    EXPECT_EQ(may(PrincipalKind::kOperator), test.is_operator);
  }
}

TEST(AuthorizeTest, RefusalSaysWhoMay) {
  storage::Principal principal;
  principal.kind = PrincipalKind::kWorker;
  const absl::Status status = Authorize(principal, Method::kCancelIntent);
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(status.message(),
            "CancelIntent is for tokens of kind agent, operator; this one is "
            "of kind worker");
  EXPECT_EQ(ReasonOf(status), "WRONG_PRINCIPAL_KIND");
}

}  // namespace
}  // namespace sgl::engine
