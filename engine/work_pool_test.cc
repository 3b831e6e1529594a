// Proves that the pool's queue is bounded, that a refused task never runs,
// and that stopping runs what was accepted.

#include "engine/work_pool.h"

#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

#include <atomic>

namespace sgl::engine {
namespace {

TEST(WorkPoolTest, RefusesWhenTheQueueIsFull) {
  WorkPool pool({.threads = 1, .queue_max = 1});
  absl::Notification is_busy;
  absl::Notification may_end;
  ASSERT_TRUE(pool.TryPost([&] {
    is_busy.Notify();
    may_end.WaitForNotification();
  }));
  is_busy.WaitForNotification();
  EXPECT_TRUE(pool.TryPost([] {}));
  EXPECT_FALSE(pool.TryPost([] { FAIL() << "a refused task ran"; }));
  may_end.Notify();
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
