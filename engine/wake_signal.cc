#include "engine/wake_signal.h"

namespace sgl::engine {

void WakeSignal::Set() {
  absl::MutexLock lock(&mutex_);
  has_news_ = true;
}

void WakeSignal::Stop() {
  absl::MutexLock lock(&mutex_);
  is_stopped_ = true;
}

WakeSignal::Cause WakeSignal::Wait(absl::Duration timeout) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(
      absl::Condition(
          +[](WakeSignal* signal)
               ABSL_EXCLUSIVE_LOCKS_REQUIRED(signal->mutex_) {
                 return signal->has_news_ || signal->is_stopped_;
               },
          this),
      timeout);
  if (is_stopped_) return Cause::kStop;
  if (!has_news_) return Cause::kTimeout;
  has_news_ = false;
  return Cause::kNews;
}

bool WakeSignal::is_stopped() const {
  absl::MutexLock lock(&mutex_);
  return is_stopped_;
}

}  // namespace sgl::engine
