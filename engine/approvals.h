// What people decide: votes on memos, and cancellations.
//
// Each is one transaction: locks (intent, then memo), checks by the
// database's clock, the vote, and, when it is the last that was missing, the
// decision taken again under the policy active now and the intent's end. Two
// approvers at once stand in line at the intent's lock, so exactly one of
// them resumes it.

#ifndef ENGINE_APPROVALS_H_
#define ENGINE_APPROVALS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/executors.h"
#include "engine/policies.h"
#include "engine/waiters.h"
#include "policy/policy.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/memos.h"
#include "storage/settlement.h"

namespace sgl::engine {

inline constexpr size_t kCommentMax = 5000;  // Characters.

// One person's say, as the request states it.
struct Ballot {
  std::string memo_id;
  storage::Verdict verdict = storage::Verdict::kApprove;
  // What the voter saw. 0 is the first.
  int32_t revision = 0;
  std::string payload_sha256;
  // Required for a rejection.
  std::string comment;
};

// A memo and its intent, as they stand after a call.
struct VoteOutcome {
  storage::MemoRow memo;
  storage::IntentRow intent;
};

// Thread-safe. Owned by the engine; borrows what it is made of.
class Approvals {
 public:
  Approvals(storage::Database* db, Policies* policies,
            const ExecutorRegistry* executors, Waiters* waiters);

  // Counts the vote. For the caller: INVALID_ARGUMENT, NOT_FOUND,
  // FAILED_PRECONDITION (KILL_SWITCH, MEMO_CLOSED, MEMO_EXPIRED), ABORTED
  // (STALE_REVISION, STALE_PAYLOAD), PERMISSION_DENIED (SELF_APPROVAL,
  // NOT_A_MEMBER, ROLE_MISSING; each leaves a security entry), ALREADY_EXISTS
  // for a second vote of a person on one revision.
  // REQUIRES: the principal is a user.
  absl::StatusOr<VoteOutcome> Vote(const CallScope& scope,
                                   const Ballot& ballot);

  // Ends an intent that is DRAFT or AWAITING_HUMAN. For the caller: NOT_FOUND,
  // PERMISSION_DENIED (NOT_YOUR_INTENT) for an agent that did not submit it,
  // FAILED_PRECONDITION (INTENT_FINAL).
  // REQUIRES: the principal is an agent or an operator.
  absl::StatusOr<storage::IntentRow> Cancel(const CallScope& scope,
                                            const std::string& intent_id);

 private:
  absl::StatusOr<VoteOutcome> TryVote(const CallScope& scope,
                                      const Ballot& ballot);
  absl::Status Approve(storage::Transaction& tx, const CallScope& scope,
                       const Ballot& ballot, const storage::LockedMemo& locked,
                       const std::vector<storage::VoteRow>& votes);
  absl::Status Resume(storage::Transaction& tx,
                      const storage::LockedMemo& locked,
                      const std::vector<storage::VoteRow>& votes,
                      storage::AuditEntry entry);

  storage::Database* const db_;
  Policies* const policies_;
  const ExecutorRegistry* const executors_;
  Waiters* const waiters_;
};

// Returns whether the votes meet every demand: for each, `count` different
// people who approved, are members still, hold one of its roles (any member,
// where it names none) and whose vote has not expired. One person's vote
// counts towards each demand that it fits.
bool MeetsDemands(const std::vector<ApprovalDemand>& demands,
                  const std::vector<storage::VoteRow>& votes);

// Returns whether somebody with these roles fits one of the demands.
bool FitsAnyDemand(const std::vector<ApprovalDemand>& demands,
                   const std::vector<std::string>& roles);

}  // namespace sgl::engine

#endif  // ENGINE_APPROVALS_H_
