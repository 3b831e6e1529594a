// Decision memos and the votes on them. A memo is opened, and reopened with new
// demands, by a settlement (settlement.h); here it is read, locked, voted on
// and resolved.
//
// LOCK ORDER: an intent before its memo, always. LockMemo keeps it.

#ifndef STORAGE_MEMOS_H_
#define STORAGE_MEMOS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/intents.h"
#include "storage/switches.h"

namespace sgl::storage {

enum class MemoStatus : uint8_t { kProposed, kApproved, kRejected };

absl::string_view MemoStatusName(MemoStatus status);
std::optional<MemoStatus> MemoStatusFromName(absl::string_view name);

enum class Verdict : uint8_t { kApprove, kReject };

// What one delegation lends to whom it was given.
struct LentRoles {
  std::string delegation_id = {};
  // Whose roles they are.
  std::string from_user_id = {};
  // Those of them that the delegator holds as of now, sorted.
  std::vector<std::string> roles = {};
};

// One person's say on one revision.
struct VoteRow {
  std::string id;
  // The voter's user id.
  std::string approved_by;
  Verdict verdict = Verdict::kApprove;
  std::string comment;
  int32_t revision = 1;
  std::string payload_sha256;
  absl::Time created_at;
  // Unset: never.
  std::optional<absl::Time> expires_at;
  // As of the reading statement, by the database's clock.
  bool expired = false;
  // The roles that the voter held themselves when they voted and holds still,
  // sorted. Empty for who is no member any more.
  std::vector<std::string> roles;
  bool is_member = false;
  // The delegations that the vote counts by, as of then.
  std::vector<std::string> delegation_ids;
  // Those of them that are in force as of now.
  std::vector<LentRoles> lent;
};

// One row of decision_memos with what a voter must see of its intent.
struct MemoRow {
  std::string id;
  std::string tenant_id;
  std::string intent_id;
  // The agent's name.
  std::string agent;
  std::string title;
  std::string rationale;
  int64_t estimated_cost_micros_usd = 0;
  int32_t risk_tier = 0;
  MemoStatus status = MemoStatus::kProposed;
  // How it ended. Empty while it is open.
  std::string resolution;
  // JSON arrays.
  std::string demands;
  std::string reasons;
  int32_t revision = 1;
  std::string payload_sha256;
  std::string policy_digest;
  // Unset: never.
  std::optional<absl::Time> expires_at;
  // Whether it is open and past its expiry, by the database's clock.
  bool expired = false;
  absl::Time created_at;
  absl::Time updated_at;
  // Of the intent.
  std::string intent_type;
  std::string payload;
  std::string intent_rationale;
  std::string data_class;
  std::string requested_by;
  // Who made the revision. Empty for the first.
  std::string edited_by;
  // Of the present revision: a JSON array of {"from", "to", "at"}, roles and
  // microseconds since 1970.
  std::string escalations = "[]";
  // By time. GetMemo, ListMemos and LockMemo fill it.
  std::vector<VoteRow> votes;
};

absl::StatusOr<MemoRow> GetMemo(Transaction& tx,
                                const std::string& id) noexcept;

// Returns those of the ids that the transaction's tenants own, in no order; at
// most kPageRowsMax ids.
absl::StatusOr<std::vector<MemoRow>> GetMemos(
    Transaction& tx, const std::vector<std::string>& ids) noexcept;

// Unset fields do not restrict.
struct MemoFilter {
  std::optional<MemoStatus> status = {};
  std::string intent_id = {};
  std::string intent_type = {};
};

// Like ListIntents.
absl::StatusOr<std::vector<MemoRow>> ListMemos(
    Transaction& tx, const MemoFilter& filter,
    const std::optional<PageCursor>& after, int limit) noexcept;

// What a vote is judged by, read under the locks.
struct LockedMemo {
  MemoRow memo;
  IntentRow intent;
  // Users who may not vote on it: who owns the agent, who issued the token it
  // was submitted with, who edited this revision. Sorted.
  std::vector<std::string> barred_user_ids;
  // The kill switch that holds it up. Unset: none. A transaction that read
  // this is waited for by AwaitSettlements (switches.h).
  std::optional<SwitchLevel> switched_off = {};
};

// Locks the intent, then its memo.
absl::StatusOr<LockedMemo> LockMemo(Transaction& tx,
                                    const std::string& id) noexcept;

// What somebody may say as of now.
struct Standing {
  bool is_member = false;
  // The roles that they hold themselves, sorted.
  std::vector<std::string> roles = {};
  // What others lend them.
  std::vector<LentRoles> lent = {};
};

// Returns a user's standing in the transaction's tenant. One who isn't there
// is no member.
absl::StatusOr<Standing> ReadStanding(Transaction& tx,
                                      const std::string& user_id) noexcept;

struct NewVote {
  std::string memo_id = {};
  // A member of the memo's tenant, else FAILED_PRECONDITION.
  std::string approved_by = {};
  Verdict verdict = Verdict::kApprove;
  std::string comment = {};
  // The voter's own roles.
  std::vector<std::string> roles = {};
  // The delegations that the vote counts by; at most 100.
  std::vector<std::string> delegation_ids = {};
};

// Stores the vote, bound to the memo's revision and payload hash; returns its
// id. ALREADY_EXISTS: this person voted on this revision before (and the
// transaction stays usable). REQUIRES: LockMemo in this transaction.
absl::StatusOr<std::string> InsertVote(Transaction& tx,
                                       const NewVote& vote) noexcept;

// Returns the votes on the memo's present revision, by time, with what is left
// of the voters' roles.
absl::StatusOr<std::vector<VoteRow>> Votes(Transaction& tx,
                                           const std::string& memo_id) noexcept;

// Ends an open memo: APPROVED or REJECTED, with how (`APPROVED`,
// `HUMAN_REJECTED`, `APPROVAL_EXPIRED`, `CANCELED`, `BLOCKED_SGL`,
// `ALLOWED_AFTER_EDIT`).
// FAILED_PRECONDITION: it isn't open.
absl::Status ResolveMemo(Transaction& tx, const std::string& memo_id,
                         MemoStatus status,
                         const std::string& resolution) noexcept;

// Locks up to `limit` open memos of any tenant that are past their expiry, and
// their intents, skipping what others hold. Sets the transaction's tenants to
// theirs. The caller ends each.
absl::StatusOr<std::vector<LockedMemo>> DueMemos(Transaction& tx,
                                                 int limit) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_MEMOS_H_
