// A mutex that waits for conditions, known to clang's thread-safety analysis
// and to ThreadSanitizer.
//
// absl::Mutex offers the same, but Debian's build of it is invisible to
// ThreadSanitizer, which then reports every correct use as a race; this one is
// made of the standard library's parts, which it does see.
//
//   MutexLock lock(mutex_);
//   mutex_.Await([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
//     return is_stopped_ || !queue_.empty();
//   });

#ifndef BASE_MUTEX_H_
#define BASE_MUTEX_H_

#include <absl/base/thread_annotations.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace sgl {

// Thread-safe. Not recursive. Whoever unlocks touches nothing of it afterwards,
// so that the one woken may destroy it.
class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }

  void Unlock() ABSL_UNLOCK_FUNCTION() {
    WakeOthers();
    mutex_.unlock();
  }

  // Returns once `condition` holds, which is asked with the lock held, and
  // asked again after each Unlock by another thread.
  template <typename Condition>
  void Await(Condition condition) ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    AwaitUntil(condition, absl::InfiniteFuture());
  }

  // The same with an end. Returns whether the condition holds.
  template <typename Condition>
  bool AwaitFor(Condition condition, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(this) {
    return AwaitUntil(condition, absl::Now() + timeout);
  }
  template <typename Condition>
  bool AwaitUntil(Condition condition, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(this);

 private:
  void WakeOthers() {
    if (waiting_ > 0) changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  // How many threads wait for a condition; guarded by mutex_.
  int waiting_ = 0;
};

// Holds a mutex for as long as it lives.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

template <typename Condition>
bool Mutex::AwaitUntil(Condition condition,
                       absl::Time deadline) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  // The standard clock's range is smaller than absl's: far deadlines are
  // reached in steps.
  constexpr absl::Duration kStep = absl::Hours(1);
  // What this thread changed before it waits may be what others wait for.
  WakeOthers();
  std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
  ++waiting_;
  while (!condition() && absl::Now() < deadline) {
    changed_.wait_until(
        lock, absl::ToChronoTime(std::min(deadline, absl::Now() + kStep)));
  }
  --waiting_;
  lock.release();
  return condition();
}

}  // namespace sgl

#endif  // BASE_MUTEX_H_
