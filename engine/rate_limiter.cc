#include "engine/rate_limiter.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sgl::engine {

RateLimiter::RateLimiter(Options options) : options_(std::move(options)) {
  SGL_CHECK(options_.per_second >= 0);
  SGL_CHECK(options_.burst >= 1);
  SGL_CHECK(options_.buckets_max >= 1);
}

RateLimiter::Bucket& RateLimiter::Fill(const std::string& key) {
  const absl::Time now = options_.now();
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (buckets_.size() >= options_.buckets_max) {
      by_key_.erase(buckets_.back().key);
      buckets_.pop_back();
    }
    buckets_.push_front({key, options_.burst, now});
    by_key_.emplace(key, buckets_.begin());
    return buckets_.front();
  }
  buckets_.splice(buckets_.begin(), buckets_, found->second);
  Bucket& bucket = buckets_.front();
  // A clock that was set back fills nothing, and takes nothing away.
  const absl::Duration since =
      std::max(now - bucket.updated, absl::ZeroDuration());
  bucket.level =
      std::min(options_.burst, bucket.level + absl::ToDoubleSeconds(since) *
                                                  options_.per_second);
  bucket.updated = now;
  return bucket;
}

absl::Duration RateLimiter::UntilOne(const Bucket& bucket) const {
  if (bucket.level >= 1) return absl::ZeroDuration();
  return absl::Seconds((1 - bucket.level) / options_.per_second);
}

absl::Duration RateLimiter::Take(const std::string& key) {
  if (options_.per_second == 0) return absl::ZeroDuration();
  MutexLock lock(mutex_);
  Bucket& bucket = Fill(key);
  const absl::Duration wait = UntilOne(bucket);
  if (wait == absl::ZeroDuration()) bucket.level -= 1;
  return wait;
}

void RateLimiter::Charge(const std::string& key, double count) {
  if (options_.per_second == 0) return;
  MutexLock lock(mutex_);
  Fill(key).level -= count;
}

absl::Duration RateLimiter::Peek(const std::string& key) {
  if (options_.per_second == 0) return absl::ZeroDuration();
  MutexLock lock(mutex_);
  // A key that never took anything needs no bucket.
  if (!by_key_.contains(key)) return absl::ZeroDuration();
  return UntilOne(Fill(key));
}

size_t RateLimiter::bucket_count() {
  MutexLock lock(mutex_);
  return buckets_.size();
}

}  // namespace sgl::engine
