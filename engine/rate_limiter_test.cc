// Proves that buckets empty, fill with time alone, are apart from each other,
// and that their number is bounded.

#include "engine/rate_limiter.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

namespace sgl::engine {
namespace {

class RateLimiterTest : public ::testing::Test {
 protected:
  RateLimiter::Options Options(double per_second, double burst) {
    return {.per_second = per_second,
            .burst = burst,
            .buckets_max = 3,
            .now = [this] { return now_; }};
  }

  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

TEST_F(RateLimiterTest, BurstThenRate) {
  RateLimiter limiter(Options(10, 3));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
  }
  EXPECT_EQ(limiter.Take("a"), absl::Milliseconds(100));
  // What is refused costs nothing more.
  EXPECT_EQ(limiter.Take("a"), absl::Milliseconds(100));
  now_ += absl::Milliseconds(60);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(limiter.Take("a")), 40, 0.01);
  now_ += absl::Milliseconds(41);
  EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, WhatIsChargedIsPaidOffFirst) {
  RateLimiter limiter(Options(10, 3));
  limiter.Charge("a", 12);
  EXPECT_EQ(limiter.Take("a"), absl::Seconds(1));
  now_ += absl::Seconds(1);
  EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, FillsToTheBurstAndNoFurther) {
  RateLimiter limiter(Options(10, 3));
  EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
  now_ += absl::Hours(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
  }
  EXPECT_GT(limiter.Take("a"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, KeysAreApart) {
  RateLimiter limiter(Options(1, 1));
  EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a"), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("b"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, PeekTakesNothingAndMakesNoBucket) {
  RateLimiter limiter(Options(1, 1));
  EXPECT_EQ(limiter.Peek("a"), absl::ZeroDuration());
  EXPECT_EQ(limiter.bucket_count(), 0u);
  EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
  EXPECT_EQ(limiter.Peek("a"), absl::Seconds(1));
  now_ += absl::Seconds(1);
  EXPECT_EQ(limiter.Peek("a"), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, ClockSetBackNeitherFillsNorTakes) {
  RateLimiter limiter(Options(1, 1));
  EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
  now_ -= absl::Hours(1);
  EXPECT_EQ(limiter.Take("a"), absl::Seconds(1));
  now_ += absl::Seconds(1);
  EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, TheOldestBucketIsForgotten) {
  RateLimiter limiter(Options(1, 1));
  limiter.Take("a");
  for (int i = 0; i < 1000; ++i) {
    limiter.Take("a");  // Stays among the ones used last.
    limiter.Take(absl::StrCat("key", i));
  }
  EXPECT_EQ(limiter.bucket_count(), 3u);
  EXPECT_GT(limiter.Take("a"), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("key0"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, NoRateIsNoLimit) {
  RateLimiter limiter(Options(0, 1));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(limiter.Take("a"), absl::ZeroDuration());
  }
  EXPECT_EQ(limiter.bucket_count(), 0u);
}

}  // namespace
}  // namespace sgl::engine
