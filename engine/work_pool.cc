#include "engine/work_pool.h"

#include <utility>

#include "base/check.h"

namespace sgl::engine {

WorkPool::WorkPool(const Options& options) : queue_max_(options.queue_max) {
  SGL_CHECK_GE(options.threads, 1);
  SGL_CHECK_GE(options.queue_max, size_t{1});
  for (int i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this] { Run(); });
  }
}

WorkPool::~WorkPool() { Stop(); }

bool WorkPool::TryPost(std::function<void()> task) {
  MutexLock lock(mutex_);
  if (is_stopped_ || queue_.size() >= queue_max_) return false;
  queue_.push_back(std::move(task));
  return true;
}

void WorkPool::Stop() {
  {
    MutexLock lock(mutex_);
    is_stopped_ = true;
  }
  threads_.clear();  // Joins.
}

void WorkPool::Run() {
  while (true) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return is_stopped_ || !queue_.empty();
      });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace sgl::engine
