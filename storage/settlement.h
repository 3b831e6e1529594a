// Settlement: what was decided and done becomes the intents' new state, with
// memos and audit entries, a whole batch in few statements.
//
//   auto claimed = ClaimDraftIntents(tx, 500);
//   ... decide each ...
//   absl::Status settled = SettleIntents(tx, active_digest, settlements);
//   if (settled.ok()) settled = tx.Commit();
//
// The caller holds the rows' locks (by a claim or a lock of intents.h or
// memos.h). Where one member breaks a constraint the whole call fails with
// FAILED_PRECONDITION: run it in a savepoint, then settle members singly.

#ifndef STORAGE_SETTLEMENT_H_
#define STORAGE_SETTLEMENT_H_

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/limits.h"

namespace sgl::storage {

// What a row inserted by SQL lacks; written once, with its first settlement.
// The engine puts an INTENT_SUBMITTED entry first then.
struct Adoption {
  // As claimed, exactly. Both empty where it was unreadable.
  std::string payload = {};
  std::string payload_sha256 = {};
  // Where the row's own was null.
  std::optional<int64_t> spend_micros_usd = {};
  std::string data_class = {};
  std::string requested_by = {};
};

// The decision memo of a REVIEW. Opens it; where the intent has one already,
// reopens that with the new demands (its id then stays).
struct MemoDraft {
  // From NewUuid().
  std::string id = {};
  // The agent's name.
  std::string agent = {};
  std::string title = {};
  // Why the rules ask for a human.
  std::string rationale = {};
  int64_t estimated_cost_micros_usd = 0;
  int32_t risk_tier = 0;
  // JSON arrays, as the decision has them.
  std::string demands = "[]";
  std::string reasons = "[]";
  // How long votes may take, from the database's now. Unset: no expiry.
  std::optional<absl::Duration> within = {};
};

// The job that a decision hands over to workers (jobs.h). Its input is the
// intent's payload.
struct JobDraft {
  // From NewUuid().
  std::string id = {};
  std::string job_type = {};
  int32_t priority = 0;
  int32_t max_retries = 0;
  // Accounts for the job; the intent has entries of its own.
  AuditEntry audit = {};
};

// What an intent spends that is allowed, where its type draws on budgets
// (budgets.h).
struct SpendDraft {
  // As the ledger has it.
  std::string category = {};
  // Above zero.
  int64_t micros_usd = 0;
  // The decision's `now`: the period that it counts for.
  absl::Time counted_at = {};
};

// What becomes of one intent.
struct Settlement {
  std::string intent_id = {};
  std::string tenant_id = {};
  // EXECUTED, FAILED, BLOCKED_SGL, AWAITING_HUMAN; VALIDATING while a job runs.
  IntentStatus status = IntentStatus::kFailed;
  // JSON text. Empty leaves what the row has (a CANCEL of a DRAFT has none).
  std::string decision = {};
  std::string sgl_result = {};
  std::string policy_digest = {};
  // The digest of the tenant's own active layer that the decision was made
  // with; empty where it has none. Compared like `active_digest` below.
  std::string layer_digest = {};
  // The decision came from no policy: neither digest is compared.
  bool is_built_in = false;
  // For FAILED, and then required.
  std::string failure_reason = {};
  std::string failure_message = {};
  // JSON text, or empty.
  std::string output = {};
  std::optional<Adoption> adoption = {};
  // For AWAITING_HUMAN that opens or reopens a memo.
  std::optional<MemoDraft> memo = {};
  // For VALIDATING: the job that it waits for.
  std::optional<JobDraft> job = {};
  // What limits count of it (limits.h), with its settlement: of one that is
  // EXECUTED or waits for its job. The counters are locked.
  std::vector<LimitCount> limit_counts = {};
  // It was decided by what limits or budgets had left under their locks: what
  // others of the transaction took is why it may have been turned away.
  bool is_contested = false;
  // Recorded where it is EXECUTED (committed, and entered in the ledger) or
  // VALIDATING (reserved: it ends with the intent). With any other status it
  // says what would have been spent.
  std::optional<SpendDraft> spend = {};
  // In their order; numbered from the intent's counter.
  std::vector<AuditEntry> audit = {};
};

// Settles up to kBatchIntentsMax intents, each named once. ABORTED: another
// platform set than `active_digest`, or for a tenant another layer than its
// settlements name, is active by now, or a kill switch holds one of them up;
// claim and decide again. An empty `active_digest` means that no decision of a
// policy is involved (cancel, expiry, reject): nothing is asked then.
// FAILED_PRECONDITION: one is final already or gone, or breaks a constraint;
// nothing was written that a savepoint wouldn't undo.
absl::Status SettleIntents(Transaction& tx, const std::string& active_digest,
                           std::span<const Settlement> settlements) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_SETTLEMENT_H_
