// Proves that the pool's queue is bounded, that a refused task never runs,
// and that stopping runs what was accepted.

#include "engine/work_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

namespace sgl::engine {
namespace {

TEST(WorkPoolTest, RefusesWhenTheQueueIsFull) {
  WorkPool pool({.threads = 1, .queue_max = 1});
  std::latch is_busy(1);
  std::latch may_end(1);
  ASSERT_TRUE(pool.TryPost([&] {
    is_busy.count_down();
    may_end.wait();
  }));
  is_busy.wait();
  EXPECT_TRUE(pool.TryPost([] {}));
  EXPECT_FALSE(pool.TryPost([] { FAIL() << "a refused task ran"; }));
  may_end.count_down();
  pool.Stop();
}

TEST(WorkPoolTest, StopRunsWhatWasQueued) {
  std::atomic<int> runs = 0;
  WorkPool pool({.threads = 2, .queue_max = 100});
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(pool.TryPost([&] { ++runs; }));
  }
  pool.Stop();
  EXPECT_EQ(runs, 100);
}

TEST(WorkPoolTest, RefusesAfterStop) {
  WorkPool pool({.threads = 1, .queue_max = 1});
  pool.Stop();
  EXPECT_FALSE(pool.TryPost([] {}));
}

}  // namespace
}  // namespace sgl::engine
