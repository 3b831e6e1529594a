// Proves that news of a job wakes one call and no crowd, that none is lost
// while a call looks, and that every wait ends exactly once: by its time, by a
// cancel, by a stop.

#include "engine/lease_waits.h"

#include <absl/time/clock.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Cause = LeaseWaits::Cause;
using Keys = std::vector<storage::JobKey>;

const storage::JobKey kSend = {.tenant_id = "acme", .job_type = "SEND"};
const storage::JobKey kCall = {.tenant_id = "acme", .job_type = "CALL"};

// Calls that wait, and who was woken how.
class LeaseWaitsTest : public ::testing::Test {
 protected:
  using Event = std::pair<uint64_t, Cause>;

  LeaseWaits::Wait WaitFor(uint64_t call_id, Keys keys) {
    return {.keys = std::move(keys),
            .until = absl::InfiniteFuture(),
            .wake = [this, call_id](Cause cause) {
              MutexLock lock(mutex_);
              events_.emplace_back(call_id, cause);
            }};
  }
  void Add(uint64_t call_id, Keys keys) {
    const absl::Status added = waits_.Add(call_id, WaitFor(call_id, keys));
    EXPECT_TRUE(added.ok()) << added;
  }
  void AddParked(uint64_t call_id, Keys keys) {
    Add(call_id, std::move(keys));
    waits_.Park(call_id);
  }
  void Note(const storage::JobKey& key) { waits_.Note({&key, 1}); }
  std::vector<Event> TakeEvents() {
    MutexLock lock(mutex_);
    return std::exchange(events_, {});
  }

  Mutex mutex_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
  LeaseWaits waits_{[](const Keys&) { return Keys(); }};
};

TEST_F(LeaseWaitsTest, NewsWakesTheOneThatWaitsLongest) {
  AddParked(1, {kCall});
  AddParked(2, {kSend, kCall});
  AddParked(3, {kSend});
  Note(kSend);
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(2, Cause::kNews)));
  Note({.tenant_id = "bolt", .job_type = "SEND"});
  EXPECT_THAT(TakeEvents(), IsEmpty());
  // What found something passes it on.
  waits_.Remove(2, true);
  EXPECT_THAT(TakeEvents(),
              ElementsAre(Event(3, Cause::kNews), Event(1, Cause::kNews)));
}

TEST_F(LeaseWaitsTest, NewsWhileACallLooksIsNotLost) {
  Add(1, {kSend});
  Note(kSend);
  EXPECT_THAT(TakeEvents(), IsEmpty());
  waits_.Park(1);
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(1, Cause::kNews)));
  waits_.Park(1);
  EXPECT_THAT(TakeEvents(), IsEmpty());
  // More news than one call can look after goes to the next.
  Note(kSend);
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(1, Cause::kNews)));
  AddParked(2, {kSend});
  Note(kSend);
  Note(kSend);
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(2, Cause::kNews)));
  // One that ends without a look hands it on.
  waits_.Park(2);
  waits_.Remove(1, false);
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(2, Cause::kNews)));
}

TEST_F(LeaseWaitsTest, ACancelEndsAWaitOnce) {
  AddParked(1, {kSend});
  waits_.Cancel(1);
  waits_.Cancel(1);
  Note(kSend);
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(1, Cause::kCanceled)));
  Add(2, {kSend});
  waits_.Cancel(2);
  EXPECT_THAT(TakeEvents(), IsEmpty());
  waits_.Park(2);
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(2, Cause::kCanceled)));
}

TEST_F(LeaseWaitsTest, AStopEndsThemAllWhateverTheyDo) {
  AddParked(1, {kSend});
  Add(2, {kSend});
  waits_.Stop();
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(1, Cause::kDraining)));
  waits_.Park(2);
  EXPECT_THAT(TakeEvents(), ElementsAre(Event(2, Cause::kDraining)));
  EXPECT_EQ(ReasonOf(waits_.Add(3, WaitFor(3, {kSend}))), "DRAINING");
}

TEST_F(LeaseWaitsTest, ATenantCanNotTakeAllPlaces) {
  for (uint64_t id = 1; id <= LeaseWaits::kTenantWaitsMax; ++id) {
    Add(id, {kSend});
  }
  EXPECT_EQ(ReasonOf(waits_.Add(9999, WaitFor(9999, {kCall}))),
            "TOO_MANY_WAITS");
  Add(10000, {{.tenant_id = "bolt", .job_type = "SEND"}});
  waits_.Remove(1, false);
  Add(10001, {kCall});
}

TEST(LeaseWaitsThreadTest, TimeEndsAWaitAndAPollFindsWhatNoNewsToldOf) {
  std::latch late(1);
  std::latch found(1);
  LeaseWaits waits([](const Keys& keys) {
    Keys due;
    for (const storage::JobKey& key : keys) {
      if (key == kCall) due.push_back(key);
    }
    return due;
  });
  ASSERT_TRUE(waits
                  .Add(1, {.keys = {kSend},
                           .until = absl::Now() + absl::Milliseconds(20),
                           .wake =
                               [&](Cause cause) {
                                 EXPECT_EQ(cause, Cause::kTimeUp);
                                 late.count_down();
                               }})
                  .ok());
  waits.Park(1);
  ASSERT_TRUE(waits
                  .Add(2, {.keys = {kCall},
                           .until = absl::InfiniteFuture(),
                           .wake =
                               [&](Cause cause) {
                                 EXPECT_EQ(cause, Cause::kNews);
                                 found.count_down();
                               }})
                  .ok());
  waits.Park(2);
  waits.Start();
  late.wait();
  found.wait();
}

}  // namespace
}  // namespace sgl::engine
