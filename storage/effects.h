// Effects: what an intent changes in the database when it is EXECUTED, one
// statement for all intents of a type, in the transaction that settles them.
//
//   const auto outcomes = ApplyEffects(tx, "TICKET_OPEN", inputs);
//   ... settle each as EXECUTED with its output, or as FAILED ...
//   tx.Commit();
//
// The statement of a type is a file of queries/effects, named like the type in
// small letters. It gets ids of intents and their payloads, reads tenant and
// agent from the intents' rows (effect_inputs of 0034), runs under row-level
// security, and answers (intent id, output) for each intent that it did
// something for. For one whose row it doesn't find it does nothing at all.
//
// Each is done at most once because the intent ends in the same transaction,
// and ends once.

#ifndef STORAGE_EFFECTS_H_
#define STORAGE_EFFECTS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <span>
#include <string>
#include <vector>

#include "storage/database.h"

namespace sgl::storage {

// One intent's part of a batch. Views of the intent's row.
struct EffectInput {
  absl::string_view intent_id;
  // A JSON object that fits what the effect declares.
  absl::string_view payload;
};

struct EffectOutcome {
  // A JSON object that says what was done, such as the ids it made. Empty:
  // nothing was done.
  std::string output = {};
  // Which constraint refused it, in words for the agent. Empty with an empty
  // output: a row that the payload names isn't there.
  std::string refusal = {};
};

// Returns the intent types that have a statement, sorted.
std::vector<std::string> EffectTypes();

// Takes the locks that the settlement of the transaction's intents takes, so
// that they come before the locks of what effects change (README.md, "Lock
// order").
absl::Status ShareSettlementLocks(Transaction& tx) noexcept;

// Applies the effects of up to kBatchIntentsMax intents of one type, in
// savepoints: one that is refused leaves no trace and holds up no other. Where
// the statement can't do all at once it is given halves, in their order, down
// to single ones. Returns the outcomes in the order of `inputs`. INTERNAL: the
// type has no statement, or that is wrong. Other errors failed the transaction.
absl::StatusOr<std::vector<EffectOutcome>> ApplyEffects(
    Transaction& tx, absl::string_view intent_type,
    std::span<const EffectInput> inputs) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_EFFECTS_H_
