// Wakes one loop: set by whoever has news, waited for by the loop's thread.
// News set while the loop works are not lost, and many at once wake it once.
//
//   while (signal.Wait(absl::Seconds(1)) != WakeSignal::Cause::kStop) Tick();

#ifndef ENGINE_WAKE_SIGNAL_H_
#define ENGINE_WAKE_SIGNAL_H_

#include <absl/base/thread_annotations.h>
#include <absl/time/time.h>

#include "base/mutex.h"

namespace sgl::engine {

// Thread-safe.
class WakeSignal {
 public:
  enum class Cause { kNews, kTimeout, kStop };

  // Wakes the loop, now or when it next waits.
  void Set();
  // Makes this and every later Wait return kStop.
  void Stop();
  // Returns when set, stopped, or after `timeout`.
  Cause Wait(absl::Duration timeout);
  bool is_stopped() const;

 private:
  mutable Mutex mutex_;
  bool has_news_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sgl::engine

#endif  // ENGINE_WAKE_SIGNAL_H_
