// Escalation: where nobody voted on a memo in time, a further role may. Each
// tenant's rules say which and when (storage/escalations.h); the worker's
// sweep asks.

#ifndef ENGINE_ESCALATIONS_H_
#define ENGINE_ESCALATIONS_H_

#include <absl/status/statusor.h>

#include "storage/database.h"

namespace sgl::engine {

// Escalates up to `limit` memos of any tenant that are due, each with its
// DECISION_MEMO_ESCALATED entry, in one transaction. Returns how many.
absl::StatusOr<int> EscalateDueMemos(storage::Database& db, int limit);

}  // namespace sgl::engine

#endif  // ENGINE_ESCALATIONS_H_
