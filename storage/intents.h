// Intents: claimed, looked at. What puts them in is in submissions.h, what ends
// them in settlement.h.
//
// Ids are UUIDs in lower-case text; an id that is no UUID is NOT_FOUND, like
// one of another tenant. Every call works on the tenants of its transaction,
// except the claims, which cross tenants and set the transaction to those
// claimed.

#ifndef STORAGE_INTENTS_H_
#define STORAGE_INTENTS_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/audit.h"
#include "storage/database.h"

namespace sgl::storage {

// Claims and settlements of more are refused: a batch is one transaction.
inline constexpr int kBatchIntentsMax = 1000;
// Lists give at most this many rows a page.
inline constexpr int kPageRowsMax = 200;

enum class IntentStatus : uint8_t {
  kDraft,
  kValidating,
  kExecuted,
  kFailed,
  kBlockedSgl,
  kAwaitingHuman,
};

// Returns `DRAFT`, `BLOCKED_SGL` and so on, as the column holds it.
absl::string_view IntentStatusName(IntentStatus status);
std::optional<IntentStatus> IntentStatusFromName(absl::string_view name);

// One row of intents. Texts that are null in the row are empty here.
struct IntentRow {
  std::string id;
  std::string tenant_id;
  // Empty where a row inserted by SQL names none.
  std::string agent_id;
  std::string intent_type;
  IntentStatus status = IntentStatus::kDraft;
  // The exact JSON text that was submitted. For a row inserted by SQL that no
  // engine claimed yet: the text of its jsonb (`adopted` is false then).
  std::string payload;
  // Lower-case hex. Empty exactly where `adopted` is false.
  std::string payload_sha256;
  // False for a row inserted by SQL until its first settlement, which brings
  // what such a row lacks (settlement.h, Adoption).
  bool adopted = true;
  // The jsonb of a row inserted by SQL is too large, too deep or holds numbers
  // too long to be written out. `payload` is empty then.
  bool payload_unreadable = false;
  int32_t revision = 1;
  std::optional<int64_t> spend_micros_usd;
  // NONE, PII or PHI; empty where unset.
  std::string data_class;
  std::string requested_by;
  std::string title;
  std::string rationale;
  // The decision as the engine gave it (JSON text). Empty until decided.
  std::string decision;
  // ALLOW, REVIEW or BLOCK. Empty until decided.
  std::string sgl_result;
  // The digest of the decision (its tenant's files).
  std::string policy_digest;
  std::string decision_memo_id;
  std::string job_id;
  // Set exactly where FAILED.
  std::string failure_reason;
  std::string failure_message;
  // JSON text that the executor gave back.
  std::string output;
  // Empty for a row inserted by SQL.
  std::string request_id;
  // The token it was submitted with. Empty for a row inserted by SQL.
  std::string submitted_by_token;
  // How many audit entries account for it so far.
  int64_t transition_number = 0;
  absl::Time created_at;
  absl::Time updated_at;
};

// Locks and returns up to `limit` DRAFTs that no other engine holds, each
// tenant's oldest first, the batch shared fairly between the tenants that have
// any. Sets the transaction's tenants to theirs. They stay DRAFT: who claims
// them settles them in this transaction, or they go back with its end. What
// a kill switch holds up stays where it is, and so do those in `passed_over`,
// at most kBatchIntentsMax ids.
absl::StatusOr<std::vector<IntentRow>> ClaimDraftIntents(
    Transaction& tx, int limit,
    const std::vector<std::string>& passed_over = {}) noexcept;

// Locks and returns up to `limit` DRAFTs that activate a policy: what is
// decided without one. Sets the transaction's tenants to theirs. Gives nothing
// while the kill switch is set.
absl::StatusOr<std::vector<IntentRow>> ClaimPolicyActivations(
    Transaction& tx, int limit) noexcept;

// Locks one DRAFT of the transaction's tenants. Nothing where it isn't DRAFT
// any more, another engine holds it, or a kill switch is set.
absl::StatusOr<std::optional<IntentRow>> ClaimOneDraft(
    Transaction& tx, const std::string& id) noexcept;

// Locks the row, waiting for whoever holds it (up to lock_timeout: ABORTED).
absl::StatusOr<IntentRow> LockIntent(Transaction& tx,
                                     const std::string& id) noexcept;

// What an edit makes of an intent.
struct IntentEdit {
  std::string tenant_id = {};
  std::string intent_id = {};
  std::string intent_type = {};
  // As in NewIntent.
  std::string payload = {};
  std::string payload_sha256 = {};
  int64_t spend_micros_usd = 0;
  std::string data_class = "NONE";
  // A member of the tenant, who from now on can't vote on it.
  std::string edited_by = {};
};

// Makes it the intent's next revision and returns its number; what it replaces
// is kept in intent_revisions. The intent still waits under its old decision:
// settle it in the same transaction. FAILED_PRECONDITION: it isn't
// AWAITING_HUMAN. INVALID_ARGUMENT: a payload that jsonb can't hold.
// REQUIRES: the row's lock.
absl::StatusOr<int32_t> ReviseIntent(Transaction& tx,
                                     const IntentEdit& edit) noexcept;

absl::StatusOr<IntentRow> GetIntent(Transaction& tx,
                                    const std::string& id) noexcept;

// Returns those of the ids that the transaction's tenants own, in no order; at
// most kBatchIntentsMax ids. How waiters learn what became of theirs.
absl::StatusOr<std::vector<IntentRow>> GetIntents(
    Transaction& tx, const std::vector<std::string>& ids) noexcept;

// Unset fields do not restrict.
struct IntentFilter {
  std::optional<IntentStatus> status = {};
  std::string intent_type = {};
  std::string agent_id = {};
  // From this time on, and before that time.
  std::optional<absl::Time> created_from = {};
  std::optional<absl::Time> created_to = {};
};

// A place in a list, newest first: after the row with this time and id. Times
// are whole microseconds, as PostgreSQL keeps them.
struct PageCursor {
  absl::Time created_at;
  std::string id;
};

// Returns up to `limit` rows (1 to kPageRowsMax) after the cursor, newest
// first. Rows that come in meanwhile don't shift later pages.
absl::StatusOr<std::vector<IntentRow>> ListIntents(
    Transaction& tx, const IntentFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

// Returns whether the platform's kill switch lets the engine act.
absl::StatusOr<bool> EngineEnabled(Transaction& tx) noexcept;

// Returns the database's time, engine_now().
absl::StatusOr<absl::Time> ReadNow(Transaction& tx) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_INTENTS_H_
