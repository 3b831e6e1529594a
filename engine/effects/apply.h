// Applies the effects of settlements that execute, in the transaction that
// settles them.
//
//   storage::Settlement settlement = SettleDecided(row, deliberation, ...);
//   absl::Status applied = ApplyEffects(tx, executors, rows, settlements);
//   if (applied.ok()) applied = storage::SettleIntents(tx, ...);

#ifndef ENGINE_EFFECTS_APPLY_H_
#define ENGINE_EFFECTS_APPLY_H_

#include <absl/status/status.h>

#include <span>

#include "engine/executors.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::engine {

// Applies the effect of each settlement that is EXECUTED by one, and puts what
// it did into the settlement's output. One whose payload doesn't fit or whose
// effect is refused becomes FAILED; the others go on. Effects of one type are
// applied together, types in the order of the registry: between intents of one
// batch no order is promised. Asks the database nothing where no settlement has
// an effect. ABORTED as CheckTurnedAway, never so for one alone. Any error
// failed the transaction, or the savepoint around it. REQUIRES: the settlements
// are of the rows, in their order; the rows' locks.
absl::Status ApplyEffects(storage::Transaction& tx,
                          const ExecutorRegistry& executors,
                          std::span<const storage::IntentRow> rows,
                          std::span<storage::Settlement> settlements);

// ABORTED where the effect of one was refused that had taken money or places of
// a limit, and another that was contested did not pass: it may have been turned
// away for nothing. Each settled by itself gets what it is due.
absl::Status CheckTurnedAway(
    std::span<const storage::Settlement* const> settlements);

}  // namespace sgl::engine

#endif  // ENGINE_EFFECTS_APPLY_H_
