// Token buckets, one for each key: how often somebody may do something.
//
//   RateLimiter limiter({.per_second = 100, .burst = 200});
//   const absl::Duration wait = limiter.Take(agent_id);
//   if (wait > absl::ZeroDuration()) return Refuse(wait);
//
// A bucket starts full (`burst`), fills by `per_second`, and each Take takes
// one. Buckets live in this process alone: with three engines behind one
// address a caller gets up to three times the rate.

#ifndef ENGINE_RATE_LIMITER_H_
#define ENGINE_RATE_LIMITER_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <cstddef>
#include <functional>
#include <list>
#include <string>

#include "base/mutex.h"

namespace sgl::engine {

// Thread-safe.
class RateLimiter {
 public:
  struct Options {
    // 0: no limit at all.
    double per_second = 0;
    // At least 1.
    double burst = 1;
    // Buckets kept at once, about 200 bytes each. Beyond that the one that was
    // not used for longest is forgotten, and so is full when its key returns.
    size_t buckets_max = 10'000;
    std::function<absl::Time()> now = absl::Now;
  };

  explicit RateLimiter(Options options);
  RateLimiter(const RateLimiter&) = delete;
  RateLimiter& operator=(const RateLimiter&) = delete;

  // Takes one from the key's bucket and returns zero; where there is none,
  // takes nothing and returns how long it will be until there is.
  absl::Duration Take(const std::string& key);

  // Takes as many as that, whether there are any: what is missing is paid off
  // before Take gives one again.
  void Charge(const std::string& key, double count);

  // Returns what Take would, and takes nothing.
  absl::Duration Peek(const std::string& key);

  size_t bucket_count();

 private:
  struct Bucket {
    std::string key;
    double level;
    absl::Time updated;
  };

  // Returns the key's bucket, filled up to now and moved to the front.
  Bucket& Fill(const std::string& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration UntilOne(const Bucket& bucket) const;

  const Options options_;
  Mutex mutex_;
  // The one used last is first.
  std::list<Bucket> buckets_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::list<Bucket>::iterator> by_key_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace sgl::engine

#endif  // ENGINE_RATE_LIMITER_H_
