// Edits before approval: who may vote on a memo may also change what it asks
// for. The change is a new revision of the intent, decided again at once; the
// old one is kept to the byte, votes on it fall away, and its editor can't
// vote on what they made.

#ifndef ENGINE_MEMO_EDITS_H_
#define ENGINE_MEMO_EDITS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <string>

#include "engine/call_scope.h"
#include "engine/executors.h"
#include "engine/intent_body.h"
#include "engine/memo_checks.h"
#include "engine/policies.h"
#include "engine/waiters.h"
#include "storage/database.h"

namespace sgl::engine {

// One edit, as the request states it.
struct MemoEdit {
  // What the editor saw.
  Seen seen = {};
  // Required.
  std::string comment = {};
  // The intent as it is to be.
  IntentBody body = {};
};

// Thread-safe. Owned by the engine; borrows what it is made of.
class MemoEdits {
 public:
  MemoEdits(storage::Database* db, Policies* policies,
            const ExecutorRegistry* executors, Waiters* waiters);

  // Makes the edit and returns what came of it: the intent ended, or waits for
  // votes on its new revision. For the caller: what Approvals::Vote gives but
  // ALREADY_EXISTS, and FAILED_PRECONDITION (NOTHING_CHANGED).
  // REQUIRES: the principal is a user.
  absl::StatusOr<VoteOutcome> Edit(const CallScope& scope,
                                   const MemoEdit& edit);

 private:
  absl::StatusOr<VoteOutcome> TryEdit(const CallScope& scope,
                                      const MemoEdit& edit);
  absl::Status Apply(storage::Transaction& tx, const CallScope& scope,
                     const MemoEdit& edit, const storage::LockedMemo& locked,
                     const Speaker& speaker);

  storage::Database* const db_;
  Policies* const policies_;
  const ExecutorRegistry* const executors_;
  Waiters* const waiters_;
};

}  // namespace sgl::engine

#endif  // ENGINE_MEMO_EDITS_H_
