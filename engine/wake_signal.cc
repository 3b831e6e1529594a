#include "engine/wake_signal.h"

namespace sgl::engine {

void WakeSignal::Set() {
  MutexLock lock(mutex_);
  has_news_ = true;
}

void WakeSignal::Stop() {
  MutexLock lock(mutex_);
  is_stopped_ = true;
}

WakeSignal::Cause WakeSignal::Wait(absl::Duration timeout) {
  MutexLock lock(mutex_);
  mutex_.AwaitFor([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(
                      mutex_) { return has_news_ || is_stopped_; },
                  timeout);
  if (is_stopped_) return Cause::kStop;
  if (!has_news_) return Cause::kTimeout;
  has_news_ = false;
  return Cause::kNews;
}

bool WakeSignal::is_stopped() const {
  MutexLock lock(mutex_);
  return is_stopped_;
}

}  // namespace sgl::engine
