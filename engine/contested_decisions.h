// Decisions on what others compete for: the places that a limit has left, the
// money that a budget has left. Every path that decides and settles comes
// through here: a worker's batch, a group of submissions, an intent that goes
// on after a vote or an edit.
//
//   DecideContested(tx, facts, contenders,
//                   [&](size_t place, const Deliberation& deliberation) {
//                     settlements[place] = SettleDecided(...);
//                     return &settlements[place];
//                   });
//
// 1. Each intent is decided by itself. That says what it draws on; one that
//    draws on nothing contested is settled as it was decided, and where none
//    does the database is not asked.
// 2. What is drawn on is locked, in one order for all (storage/README.md, "Lock
//    order"), and read in a later statement: what others settled before they
//    gave the lock up is seen.
// 3. Those intents are decided again, in their order, at the time that was read
//    with it. What passes is noted in its settlement, and counts for those
//    after it. What passes the rules and would spend more than its budget has
//    left is FAILED (FailSpend).
//
// A limit is drawn on by what rules match; a budget by what was settled and
// spends, judged by facts that were read without a lock.
//
// Nothing that was read can change before the transaction ends, so what was
// decided by it holds. One that by that time draws on something else than at
// first (a rule may ask what time it is) is locked and read as well, and all of
// step 3 done again. Only then may a limit be locked after a budget; should two
// meet crosswise so, one is ABORTED.

#ifndef ENGINE_CONTESTED_DECISIONS_H_
#define ENGINE_CONTESTED_DECISIONS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstddef>
#include <functional>
#include <span>

#include "engine/decider.h"
#include "engine/tenant_policy.h"
#include "storage/database.h"
#include "storage/facts.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::engine {

// An intent of the transaction that is to be decided. Borrows both.
struct Contender {
  // As in Decide.
  const TenantPolicy* policy_or_null;
  const storage::IntentRow* row;
};

// Settles the contender at this place of the list, and returns where it keeps
// the settlement; null where it does not settle that one. Called for each,
// those that draw on no limit first; for one that does maybe more than once,
// and then the last call holds.
using SettleContender = std::function<absl::StatusOr<storage::Settlement*>(
    size_t place, const Deliberation& deliberation)>;

// Decides and has them settled; writes nothing. Effects come after it, and what
// fails then does not count (FailEffect); CheckTurnedAway (effects/apply.h) has
// those decided once more in whose way it was. ABORTED: locks were not to be
// had, or what is drawn on changed with every look; begin the transaction
// again. Errors of `settle` are handed on.
absl::Status DecideContested(storage::Transaction& tx,
                             const storage::Facts& facts,
                             std::span<const Contender> contenders,
                             const SettleContender& settle);

// Decides one by what counted so far, for whoever only asks: nothing is locked
// and nothing counts. Explains it where an explanation is wanted.
absl::StatusOr<Deliberation> DecideUncounted(storage::Transaction& tx,
                                             const storage::Facts& facts,
                                             const Contender& contender,
                                             Explanation* explanation_or_null);

}  // namespace sgl::engine

#endif  // ENGINE_CONTESTED_DECISIONS_H_
