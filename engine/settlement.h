// From a deliberation to what is written: the intent's new state, its memo and
// its audit entries. Pure; storage/settlement.h does the writing.
//
// Which entries account for which transition (each exactly once):
//
//   DRAFT by SQL, first seen   INTENT_SUBMITTED
//   claimed and decided        SGL_EVALUATED (and so BLOCKED_SGL)
//   -> AWAITING_HUMAN          DECISION_MEMO_OPENED, or _REOPENED
//   -> EXECUTED                ENGINE_EXECUTED_INTENT
//   -> VALIDATING for a job    none of its own; JOB_ENQUEUED is the job's
//   -> FAILED                  ENGINE_FAILED
//   AWAITING_HUMAN ->          DECISION_MEMO_APPROVED, _REJECTED, _EXPIRED
//   canceled                   INTENT_CANCELED

#ifndef ENGINE_SETTLEMENT_H_
#define ENGINE_SETTLEMENT_H_

#include <absl/strings/string_view.h>

#include <optional>
#include <string>

#include "engine/decider.h"
#include "engine/executors.h"
#include "storage/facts.h"
#include "storage/identity.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::engine {

// Why an intent FAILED.
inline constexpr char kNoExecutor[] = "NO_EXECUTOR";
inline constexpr char kPayloadUnreadable[] = "PAYLOAD_UNREADABLE";
inline constexpr char kCanceled[] = "CANCELED";
inline constexpr char kHumanRejected[] = "HUMAN_REJECTED";
inline constexpr char kApprovalExpired[] = "APPROVAL_EXPIRED";
// Its effect could not be applied.
inline constexpr char kEffectRefused[] = "EFFECT_REFUSED";
// It has an effect, and no rules that name its type let it happen.
inline constexpr char kTypeNotNamed[] = "TYPE_NOT_NAMED";
// Its payload is not what its effect declares.
inline constexpr char kInvalidPayload[] = "INVALID_PAYLOAD";
// Its settlement broke a constraint of the database.
inline constexpr char kSettlementRefused[] = "SETTLEMENT_REFUSED";
// Its worker gave it up, or its retries were used up.
inline constexpr char kJobFailed[] = "JOB_FAILED";
inline constexpr char kJobExhaustedRetries[] = "JOB_EXHAUSTED_RETRIES";

// Its budget has less left than it would spend.
inline constexpr char kBudgetExceeded[] = "BUDGET_EXCEEDED";

// Returns what a fresh decision makes of a claimed DRAFT. Where it executes by
// an effect, ApplyEffects (engine/effects/apply.h) is to be called next.
storage::Settlement SettleDecided(const storage::IntentRow& row,
                                  const Deliberation& deliberation,
                                  const ExecutorRegistry& executors);

// What came of an effect that is built in, applied in this transaction.
struct Effect {
  // Its name, for the audit entry.
  std::string executor = {};
  // Why it was not applied; then the intent fails with EFFECT_REFUSED.
  std::string refusal = {};
  // A JSON object that says what it did.
  std::string output = {};
};

// Returns what a decision makes of an intent whose votes met its memo's
// demands: a BLOCK blocks it all the same, `demands_met` says whether the
// votes also meet what a REVIEW demands now. Starts with `vote`, the entry
// that accounts for the vote. `effect` is there exactly where the decision is
// built in and the demands are met: then no executor is asked.
storage::Settlement SettleApproved(const storage::IntentRow& row,
                                   const Deliberation& deliberation,
                                   bool demands_met,
                                   const ExecutorRegistry& executors,
                                   storage::AuditEntry vote,
                                   const std::optional<Effect>& effect = {});

// An end that no decision gave: cancel, reject, expiry, a refused settlement.
struct Failure {
  std::string reason;
  std::string message;
  // Accounts for the transition.
  storage::AuditEntry audit;
};

// Returns the settlement that fails the intent. A row that came by SQL is
// adopted on the way.
storage::Settlement SettleFailed(const storage::IntentRow& row,
                                 Failure failure);

// Makes the settlement of an intent whose effect was not applied the one of its
// failure. REQUIRES: it is EXECUTED, by one of the two functions above.
void FailEffect(absl::string_view reason, absl::string_view message,
                storage::Settlement* settlement);

// Makes the settlement of an intent that would spend more than its budget has
// left the one of its failure. REQUIRES: it is EXECUTED or waits for a job, by
// one of the functions above, and nothing of it has happened.
void FailSpend(const storage::BudgetRecord& budget,
               storage::Settlement* settlement);

// Returns an entry with a JSON object as its meta.
storage::AuditEntry MakeEntry(absl::string_view action,
                              storage::AuditLevel level, std::string meta);

// Returns who a principal is for the audit log.
storage::Actor ActorOf(const storage::Principal& principal);

}  // namespace sgl::engine

#endif  // ENGINE_SETTLEMENT_H_
