// Proves that every wait ends exactly once: by a decision, by its time, by a
// cancel, by a stop; and that nothing is read while nobody waits.

#include "engine/waiters.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

using storage::IntentRow;
using storage::IntentStatus;

// Answers reads from a list of rows that a test changes.
class FakeIntents {
 public:
  Waiters::Reader Reader() {
    return [this](const std::vector<IntentKey>& keys)
               -> absl::StatusOr<std::vector<IntentRow>> {
      ++reads;
      MutexLock lock(mutex_);
      if (!failure_.ok()) return failure_;
      std::vector<IntentRow> rows;
      for (const IntentKey& key : keys) {
        IntentRow row;
        row.id = key.intent_id;
        row.tenant_id = key.tenant_id;
        row.status = status_;
        rows.push_back(row);
      }
      return rows;
    };
  }
  void SetStatus(IntentStatus status) {
    MutexLock lock(mutex_);
    status_ = status;
  }
  void SetFailure(absl::Status failure) {
    MutexLock lock(mutex_);
    failure_ = std::move(failure);
  }

  std::atomic<int> reads = 0;

 private:
  Mutex mutex_;
  IntentStatus status_ ABSL_GUARDED_BY(mutex_) = IntentStatus::kDraft;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

// One wait's answer.
struct Answered {
  Waiters::Done Done() {
    return [this](absl::StatusOr<IntentRow> row) {
      SGL_CHECK_EQ(++answers, 1);
      result = std::move(row);
      ended.count_down();
    };
  }
  const absl::StatusOr<IntentRow>& Await() {
    ended.wait();
    return result;
  }

  absl::StatusOr<IntentRow> result = absl::UnknownError("not answered");
  std::atomic<int> answers = 0;
  std::latch ended{1};
};

const std::string kIntent = "intent";

TEST(WaitersTest, DecisionEndsTheWait) {
  FakeIntents intents;
  Waiters waiters(intents.Reader());
  waiters.Start();
  Answered answered;
  ASSERT_TRUE(waiters.Add(1, {"tenant", kIntent}, answered.Done()).ok());
  intents.SetStatus(IntentStatus::kExecuted);
  waiters.NoteSettled({&kIntent, 1});
  EXPECT_EQ(answered.Await()->status, IntentStatus::kExecuted);
  EXPECT_EQ(intents.reads, 1);
}

TEST(WaitersTest, NewsOfOthersAreNotReadFor) {
  FakeIntents intents;
  Waiters waiters(intents.Reader());
  waiters.Start();
  waiters.NoteSettled({&kIntent, 1});
  waiters.NoteAnySettled();
  waiters.Stop();
  EXPECT_EQ(intents.reads, 0);
}

TEST(WaitersTest, DraftGoesOnWaiting) {
  FakeIntents intents;
  Waiters waiters(intents.Reader());
  waiters.Start();
  Answered answered;
  ASSERT_TRUE(waiters.Add(1, {"tenant", kIntent}, answered.Done()).ok());
  // A second waiter that ends at once says when the thread has looked.
  Answered late;
  ASSERT_TRUE(waiters.Add(2, {"tenant", kIntent}, late.Done()).ok());
  waiters.SetUntil(2, absl::InfinitePast());
  EXPECT_EQ(late.Await()->status, IntentStatus::kDraft);
  EXPECT_FALSE(answered.ended.try_wait());
  intents.SetStatus(IntentStatus::kFailed);
  waiters.NoteAnySettled();
  EXPECT_EQ(answered.Await()->status, IntentStatus::kFailed);
}

TEST(WaitersTest, TimeEndsTheWaitWithTheIntentAsItStands) {
  FakeIntents intents;
  Waiters waiters(intents.Reader());
  waiters.Start();
  Answered far;
  ASSERT_TRUE(waiters.Add(1, {"tenant", "other"}, far.Done()).ok());
  // An earlier deadline than the one that the thread sleeps for.
  Answered answered;
  ASSERT_TRUE(waiters.Add(2, {"tenant", kIntent}, answered.Done()).ok());
  waiters.SetUntil(2, absl::Now() + absl::Milliseconds(20));
  EXPECT_EQ(answered.Await()->status, IntentStatus::kDraft);
  EXPECT_FALSE(far.ended.try_wait());
  waiters.Cancel(1);
}

TEST(WaitersTest, CancelEndsTheWaitOnce) {
  FakeIntents intents;
  Waiters waiters(intents.Reader());
  waiters.Start();
  Answered answered;
  ASSERT_TRUE(waiters.Add(1, {"tenant", kIntent}, answered.Done()).ok());
  waiters.Cancel(1);
  EXPECT_EQ(answered.Await().status().code(), absl::StatusCode::kCancelled);
  waiters.Cancel(1);
  EXPECT_FALSE(waiters.Forget(1));
}

TEST(WaitersTest, StopEndsAllWaitsAndTakesNoMore) {
  FakeIntents intents;
  Waiters waiters(intents.Reader());
  waiters.Start();
  Answered answered;
  ASSERT_TRUE(waiters.Add(1, {"tenant", kIntent}, answered.Done()).ok());
  waiters.Stop();
  EXPECT_EQ(answered.Await().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(waiters.Add(2, {"tenant", kIntent}, answered.Done())),
            "DRAINING");
}

TEST(WaitersTest, NoTenantTakesAllPlaces) {
  FakeIntents intents;
  Waiters waiters(intents.Reader());
  const Waiters::Done ignore = [](const absl::StatusOr<IntentRow>&) {};
  uint64_t call = 0;
  const auto add = [&](const std::string& tenant) {
    return ReasonOf(waiters.Add(++call, {tenant, kIntent}, ignore));
  };
  for (size_t i = 0; i < Waiters::kTenantWaitersMax; ++i) {
    ASSERT_EQ(add("greedy"), "");
  }
  EXPECT_EQ(add("greedy"), "TOO_MANY_WAITS");
  EXPECT_EQ(add("other"), "");
  // A place that is given back is free again.
  EXPECT_TRUE(waiters.Forget(1));
  EXPECT_EQ(add("greedy"), "");
  EXPECT_EQ(add("greedy"), "TOO_MANY_WAITS");
  size_t waiting = Waiters::kTenantWaitersMax + 1;
  for (size_t i = 0; waiting < Waiters::kWaitersMax; ++i, ++waiting) {
    ASSERT_EQ(add(absl::StrCat("tenant ", i % 20)), "");
  }
  EXPECT_EQ(add("late"), "TOO_MANY_WAITS");
}

TEST(WaitersTest, FailedReadIsTriedAgain) {
  FakeIntents intents;
  intents.SetFailure(absl::UnavailableError("away"));
  Waiters waiters(intents.Reader());
  waiters.Start();
  Answered late;
  ASSERT_TRUE(waiters.Add(1, {"tenant", kIntent}, late.Done()).ok());
  waiters.SetUntil(1, absl::InfinitePast());
  EXPECT_EQ(late.Await().status().code(), absl::StatusCode::kUnavailable);
  Answered answered;
  ASSERT_TRUE(waiters.Add(2, {"tenant", kIntent}, answered.Done()).ok());
  waiters.NoteSettled({&kIntent, 1});
  intents.SetStatus(IntentStatus::kExecuted);
  intents.SetFailure(absl::OkStatus());
  EXPECT_EQ(answered.Await()->status, IntentStatus::kExecuted);
}

}  // namespace
}  // namespace sgl::engine
