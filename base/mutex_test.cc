// Proves that waiting threads see what others change under the lock, that time
// ends a wait, and (under --config=tsan) that the sanitizer sees the locks.

#include "base/mutex.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace sgl {
namespace {

struct Counter {
  Mutex mutex;
  int value ABSL_GUARDED_BY(mutex) = 0;
};

TEST(MutexTest, AwaitReturnsWhenAnotherThreadMakesItTrue) {
  Counter counter;
  std::jthread adder([&counter] {
    for (int i = 0; i < 1000; ++i) {
      MutexLock lock(counter.mutex);
      ++counter.value;
    }
  });
  MutexLock lock(counter.mutex);
  counter.mutex.Await([&counter]() { return counter.value == 1000; });
  EXPECT_EQ(counter.value, 1000);
}

TEST(MutexTest, TimeEndsAWait) {
  Counter counter;
  MutexLock lock(counter.mutex);
  EXPECT_FALSE(counter.mutex.AwaitFor([&counter] { return counter.value > 0; },
                                      absl::Milliseconds(1)));
  EXPECT_FALSE(counter.mutex.AwaitUntil(
      [&counter] { return counter.value > 0; }, absl::InfinitePast()));
  EXPECT_TRUE(
      counter.mutex.AwaitFor([] { return true; }, absl::InfiniteDuration()));
}

// Each waits for the number that the one before it makes, so a change made
// just before waiting must wake the others.
TEST(MutexTest, AChangeBeforeWaitingWakesOthers) {
  Counter counter;
  constexpr int kThreads = 4;
  constexpr int kTurns = 400;
  std::vector<std::jthread> threads;
  for (int self = 0; self < kThreads; ++self) {
    threads.emplace_back([&counter, self] {
      MutexLock lock(counter.mutex);
      for (int turn = self; turn < kTurns; turn += kThreads) {
        counter.mutex.Await([&counter, turn] { return counter.value == turn; });
        ++counter.value;
      }
    });
  }
  threads.clear();
  MutexLock lock(counter.mutex);
  EXPECT_EQ(counter.value, kTurns);
}

}  // namespace
}  // namespace sgl
