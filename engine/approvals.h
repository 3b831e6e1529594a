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

#include <functional>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/demands.h"
#include "engine/executors.h"
#include "engine/memo_checks.h"
#include "engine/policies.h"
#include "engine/waiters.h"
#include "policy/policy.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/memos.h"

namespace sgl::engine {

// One person's say, as the request states it.
struct Ballot {
  // What the voter saw.
  Seen seen = {};
  storage::Verdict verdict = storage::Verdict::kApprove;
  // Required for a rejection.
  std::string comment = {};
  // Where set, a memo that is there for any other reason is refused.
  std::string only_reason = {};
};

// Each item is a transaction of its own, so that this bounds a call's time.
inline constexpr size_t kBatchVotesMax = 200;

// Approvals of many memos that one rule asked for.
struct BatchBallot {
  std::string reason_code = {};
  std::vector<Seen> seen = {};
  std::string comment = {};
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

  using Note = std::function<void(const absl::StatusOr<VoteOutcome>&)>;

  // Votes for each by itself, in their order, and calls `note` with what came
  // of it, as Vote gives it; also FAILED_PRECONDITION (OTHER_REASONS). Once
  // the database or the caller is away the rest is not tried (NOT_TRIED).
  // INVALID_ARGUMENT: what the items have in common is wrong.
  // REQUIRES: the principal is a user.
  absl::Status ApproveBatch(const CallScope& scope, const BatchBallot& batch,
                            const Note& note);

  // Ends an intent that is DRAFT or AWAITING_HUMAN. For the caller: NOT_FOUND,
  // PERMISSION_DENIED (NOT_YOUR_INTENT) for an agent that did not submit it,
  // FAILED_PRECONDITION (INTENT_FINAL, HAS_JOB).
  // REQUIRES: the principal is an agent or an operator.
  absl::StatusOr<storage::IntentRow> Cancel(const CallScope& scope,
                                            const std::string& intent_id);

 private:
  absl::StatusOr<VoteOutcome> TryVote(const CallScope& scope,
                                      const Ballot& ballot);
  absl::Status Approve(storage::Transaction& tx, const CallScope& scope,
                       const Ballot& ballot, const storage::LockedMemo& locked,
                       const Speaker& speaker,
                       const std::vector<ApprovalDemand>& demands);

  storage::Database* const db_;
  Policies* const policies_;
  const ExecutorRegistry* const executors_;
  Waiters* const waiters_;
};

}  // namespace sgl::engine

#endif  // ENGINE_APPROVALS_H_
