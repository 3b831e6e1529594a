// Which kind of principal may call which method: all of it in one table.
// Internal to engine/rpc.
//
// What a principal may do with one intent or memo (its own, its roles) is the
// business of whoever does it; that a row is its tenant's, the database's.

#ifndef ENGINE_RPC_AUTHORIZATION_H_
#define ENGINE_RPC_AUTHORIZATION_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <span>

#include "storage/identity.h"

namespace sgl::engine {

enum class Method : uint8_t {
  kSubmitIntent,
  kBatchSubmitIntents,
  kEvaluateIntent,
  kGetIntent,
  kListIntents,
  kCancelIntent,
  kWatchIntents,
  kGetDecisionMemo,
  kListDecisionMemos,
  kApproveDecisionMemo,
  kRejectDecisionMemo,
  kWatchDecisionMemos,
  kEditDecisionMemo,
  kBatchApproveDecisionMemos,
  kCreateDelegation,
  kListDelegations,
  kRevokeDelegation,
  kLeaseJobs,
  kHeartbeatJob,
  kCompleteJob,
  kFailJob,
  kGetJob,
  kListJobs,
  kCancelJob,
  kSetKillSwitch,
  kGetKillSwitch,
  kListKillSwitches,
  kCreateTenant,
  kListTenants,
  kCreateAgent,
  kUpdateAgent,
  kListAgents,
  kCreateMember,
  kSetMemberRoles,
  kRemoveMember,
  kListMembers,
  kCreateToken,
  kRevokeToken,
  kListTokens,
  kCheckPolicy,
  kProposePolicy,
  kGetPolicy,
  kListPolicies,
  kActivatePolicy,
  kReplayIntent,
  kReplayPolicy,
  kListAuditEntries,
  kGetTreeHead,
  kGetInclusionProof,
  kVerifyAuditLog,
  kSearchKbDocuments,
  kGetKbDocument,
  kListKbDocuments,
  kGetTicket,
  kListTickets,
  kListTicketComments,
  kGetCrmContact,
  kListCrmContacts,
  kListCrmCompanies,
  kListCrmSegments,
  kGetLedgerEntry,
  kListLedgerEntries,
};

// One row of the table.
struct MethodRule {
  Method method;
  // Its name in the interface; no two services have a method of one name.
  absl::string_view name;
  // The kinds that may call it: KindBit of each, joined.
  uint8_t kinds;
};

constexpr uint8_t KindBit(storage::PrincipalKind kind) {
  return static_cast<uint8_t>(1u << static_cast<uint8_t>(kind));
}

// Returns the whole table, in the order of Method. docs/api.md shows it to
// callers; a test holds the two together, and every method that is served to
// the table.
std::span<const MethodRule> AuthorizationTable();

// Returns the method's name in the interface, such as `SubmitIntent`.
absl::string_view MethodName(Method method);

// Returns OK, or PERMISSION_DENIED naming who may call it.
absl::Status Authorize(const storage::Principal& principal, Method method);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_AUTHORIZATION_H_
