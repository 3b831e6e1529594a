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
  // The voter's roles as of now, sorted. Empty for who is no member any more.
  std::vector<std::string> roles;
  bool is_member = false;
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

struct NewVote {
  std::string memo_id = {};
  // A member of the memo's tenant, else FAILED_PRECONDITION.
  std::string approved_by = {};
  Verdict verdict = Verdict::kApprove;
  std::string comment = {};
};

// Stores the vote, bound to the memo's revision and payload hash; returns its
// id. ALREADY_EXISTS: this person voted on this revision before (and the
// transaction stays usable). REQUIRES: LockMemo in this transaction.
absl::StatusOr<std::string> InsertVote(Transaction& tx,
                                       const NewVote& vote) noexcept;

// Returns the votes on the memo's present revision, by time, with the voters'
// roles as of now.
absl::StatusOr<std::vector<VoteRow>> Votes(Transaction& tx,
                                           const std::string& memo_id) noexcept;

// Ends an open memo: APPROVED or REJECTED, with how (`APPROVED`,
// `HUMAN_REJECTED`, `APPROVAL_EXPIRED`, `CANCELED`, `BLOCKED_SGL`).
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
