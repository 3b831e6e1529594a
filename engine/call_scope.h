// One call on its way through the engine: who calls, how long it may take,
// and whether the caller still waits for it.

#ifndef ENGINE_CALL_SCOPE_H_
#define ENGINE_CALL_SCOPE_H_

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <memory>

#include "storage/identity.h"

namespace sgl::engine {

// No statement of a call runs longer, however patient its caller is: a stuck
// one would keep a thread and a connection.
inline constexpr absl::Duration kCallTimeoutMax = absl::Seconds(30);

// What outlives the call's own object: shared by the transport, which sets
// it, and by whatever works on the call.
struct CallState {
  // Unique in this process.
  uint64_t id = 0;
  std::atomic<bool> is_canceled = false;
};

// Copyable; its state is shared. Thread-safe.
class CallScope {
 public:
  // `deadline` may be absl::InfiniteFuture().
  CallScope(std::shared_ptr<const CallState> state,
            storage::Principal principal, absl::Time deadline);

  const storage::Principal& principal() const { return principal_; }
  uint64_t id() const { return state_->id; }
  absl::Time deadline() const { return deadline_; }
  bool is_canceled() const { return state_->is_canceled.load(); }

  // Returns how long a statement may take: what is left until the deadline,
  // at least a millisecond, at most kCallTimeoutMax.
  absl::Duration StatementTimeout() const;

  // Returns CANCELLED or DEADLINE_EXCEEDED where nobody waits for the answer
  // any more. Asked before each commit: a canceled call stops before it, or
  // not at all.
  absl::Status CheckAlive() const;

 private:
  std::shared_ptr<const CallState> state_;
  storage::Principal principal_;
  absl::Time deadline_;
};

}  // namespace sgl::engine

#endif  // ENGINE_CALL_SCOPE_H_
