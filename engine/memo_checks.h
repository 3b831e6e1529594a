// What votes and edits have in common: who may, on what, and how it is kept
// that somebody tried. Internal to the engine.

#ifndef ENGINE_MEMO_CHECKS_H_
#define ENGINE_MEMO_CHECKS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/demands.h"
#include "engine/error.h"
#include "storage/audit.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/memos.h"

namespace sgl::engine {

inline constexpr size_t kCommentMax = 5000;  // Characters.

// What somebody saw of a memo.
struct Seen {
  std::string memo_id = {};
  // 0 is the first.
  int32_t revision = 0;
  std::string payload_sha256 = {};
};

// A memo and its intent, as they stand after a call.
struct VoteOutcome {
  storage::MemoRow memo;
  storage::IntentRow intent;
};

// Append what is wrong with a request's fields.
void CheckSeen(const Seen& seen, std::vector<FieldError>* errors);
void CheckComment(const std::string& comment, std::vector<FieldError>* errors);

// Locks what was seen: NOT_FOUND (MEMO_NOT_FOUND), FAILED_PRECONDITION
// (KILL_SWITCH, MEMO_CLOSED, MEMO_EXPIRED), ABORTED (STALE_REVISION,
// STALE_PAYLOAD).
absl::StatusOr<storage::LockedMemo> LockSeen(storage::Transaction& tx,
                                             const Seen& seen);

// Somebody who may speak, with what it rests on.
struct Speaker {
  storage::Standing standing;
  std::vector<std::string> delegation_ids;
};

// Returns the caller as one who may vote on the memo, or PERMISSION_DENIED
// (NOT_A_MEMBER, SELF_APPROVAL, ROLE_MISSING).
absl::StatusOr<Speaker> CheckSpeaker(
    storage::Transaction& tx, const CallScope& scope,
    const storage::LockedMemo& locked,
    const std::vector<ApprovalDemand>& demands);

// Returns an entry by the caller with this meta.
storage::AuditEntry EntryBy(const CallScope& scope, absl::string_view action,
                            storage::AuditLevel level,
                            const nlohmann::ordered_json& meta);

// Keeps as `action` that somebody tried, ends the transaction and returns the
// refusal. It stands even where that can't be written.
absl::Status RecordRefusal(storage::Transaction& tx, const CallScope& scope,
                           const storage::LockedMemo& locked,
                           absl::string_view action,
                           nlohmann::ordered_json meta,
                           const absl::Status& refusal);

// Reads what became of both and commits, unless the caller left.
absl::StatusOr<VoteOutcome> CommitOutcome(storage::Transaction& tx,
                                          const CallScope& scope,
                                          const storage::LockedMemo& locked);

}  // namespace sgl::engine

#endif  // ENGINE_MEMO_CHECKS_H_
