#include "engine/call_scope.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <utility>

namespace sgl::engine {

CallScope::CallScope(std::shared_ptr<const CallState> state,
                     storage::Principal principal, absl::Time deadline)
    : state_(std::move(state)),
      principal_(std::move(principal)),
      deadline_(deadline) {}

absl::Duration CallScope::StatementTimeout() const {
  return std::clamp(deadline_ - absl::Now(), absl::Milliseconds(1),
                    kCallTimeoutMax);
}

absl::Status CallScope::CheckAlive() const {
  if (is_canceled()) return absl::CancelledError("the caller went away");
  if (absl::Now() >= deadline_) {
    return absl::DeadlineExceededError("the call's deadline passed");
  }
  return absl::OkStatus();
}

}  // namespace sgl::engine
