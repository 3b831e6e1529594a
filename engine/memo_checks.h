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
#include "engine/executors.h"
#include "engine/policies.h"
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

// Locks an open memo and the intent that waits for it: NOT_FOUND
// (MEMO_NOT_FOUND), FAILED_PRECONDITION (KILL_SWITCH, MEMO_CLOSED,
// MEMO_EXPIRED).
absl::StatusOr<storage::LockedMemo> LockOpenMemo(storage::Transaction& tx,
                                                 const std::string& memo_id);

// Returns whether the memo asks about the intent as it stands. It always does,
// unless somebody wrote past the engine: what they put into the intent is not
// what people were asked about.
bool AsksAboutIntent(const storage::LockedMemo& locked);

// What goes on where it doesn't.
struct ReopeningTools {
  Policies* policies;
  const ExecutorRegistry* executors;
};

// Decides the intent again as it stands, counting no votes, so that the memo
// asks about what is there; keeps as `action` that somebody tried and commits.
// Returns why nothing came of the call: ABORTED (INTENT_CHANGED), or what went
// wrong.
absl::Status ReopenChanged(storage::Transaction& tx, const CallScope& scope,
                           const ReopeningTools& tools,
                           const storage::LockedMemo& locked,
                           absl::string_view action,
                           nlohmann::ordered_json meta);

// Checks that what was seen is what the memo asks about: ABORTED
// (STALE_REVISION, STALE_PAYLOAD).
absl::Status CheckFresh(const storage::LockedMemo& locked, const Seen& seen);

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
