// A fixed number of threads and a bounded queue in front of them: what calls
// run on, so that a slow database can't hold gRPC's own threads.
//
//   WorkPool pool({.threads = 8, .queue_max = 1024});
//   if (!pool.TryPost([&] { Handle(call); })) Refuse(call);
//   pool.Stop();  // Runs what is queued, then joins.

#ifndef ENGINE_WORK_POOL_H_
#define ENGINE_WORK_POOL_H_

#include <absl/base/thread_annotations.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace sgl::engine {

// Thread-safe. Owned by the server; its tasks borrow what the server owns, so
// it is stopped before anything else is.
class WorkPool {
 public:
  struct Options {
    // As many as the database pool has connections: more would only wait
    // there.
    int threads = 8;
    // Calls that wait for a thread. At some hundred calls a second and thread
    // this is a wait of about a second; longer ones are better refused.
    size_t queue_max = 1024;
  };

  explicit WorkPool(const Options& options);
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;
  // Stops.
  ~WorkPool();

  // Queues the task. Returns false, and drops it, when the queue is full or
  // the pool was stopped.
  [[nodiscard]] bool TryPost(std::function<void()> task);

  // Refuses new tasks, runs those queued, and returns when all threads ended.
  // Not to be called from a task. A second call waits for nothing.
  void Stop();

 private:
  void Run();

  const size_t queue_max_;
  Mutex mutex_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool is_stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_;
};

}  // namespace sgl::engine

#endif  // ENGINE_WORK_POOL_H_
