// An intent that waited for people goes on: it is decided again, under the
// policy active now, and settled in the transaction that resumed it. Internal
// to the engine.

#ifndef ENGINE_RESUMPTION_H_
#define ENGINE_RESUMPTION_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <string>

#include "engine/error.h"
#include "engine/executors.h"
#include "engine/policies.h"
#include "policy/policy.h"
#include "storage/audit.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/memos.h"

namespace sgl::engine {

struct Resumption {
  // The intent as it is to be judged.
  const storage::IntentRow* row;
  // Whether votes meet what a REVIEW demands now.
  std::function<bool(const Decision&)> is_met;
  // Accounts for what resumed it.
  storage::AuditEntry entry;
  // How the memo ended where the intent need not wait any more.
  std::string resolution;
};

// Decides and settles. A BLOCK blocks the intent and rejects its memo, whoever
// approved; a REVIEW whose demands are not met reopens the memo. ABORTED
// without a reason: another policy became active meanwhile, or something is to
// be compiled or checked first; see WithRetries.
absl::Status Resume(storage::Transaction& tx, Policies* policies,
                    const ExecutorRegistry& executors,
                    const Resumption& resumption);

// Runs `attempt`, and again where it was ABORTED without a reason: another
// policy is active by now, something had to be compiled or checked, or a lock
// was not to be had. Twice in a row is unlikely; then the caller may try.
// REQUIRES: `attempt` ends its transaction.
template <typename T>
absl::StatusOr<T> WithRetries(
    Policies* policies, const std::function<absl::StatusOr<T>()>& attempt) {
  constexpr int kAttemptsMax = 3;
  absl::StatusOr<T> outcome = absl::AbortedError("");
  for (int tried = 0; tried < kAttemptsMax; ++tried) {
    outcome = attempt();
    if (outcome.ok() || !absl::IsAborted(outcome.status()) ||
        !ReasonOf(outcome.status()).empty()) {
      break;
    }
    // With an active set that does not compile here there is no policy, which
    // the attempt answers for; what is decided without one goes on.
    policies->CompileWaiting();
    policies->CheckWaiting();
    const absl::Status reloaded = policies->Reload();
    if (IsTransient(reloaded)) return reloaded;
  }
  return outcome;
}

}  // namespace sgl::engine

#endif  // ENGINE_RESUMPTION_H_
