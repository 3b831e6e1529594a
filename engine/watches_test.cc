// Proves that watches look when their tenant changed and not otherwise, that
// every watch is ended once, and that their number is bounded.

#include "engine/watches.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

// Counts its looks; a test waits for them.
class FakeWatch : public Watch {
 public:
  void Look() override {
    MutexLock lock(mutex_);
    ++looks_;
  }
  void End(const absl::Status& status) override {
    MutexLock lock(mutex_);
    ++ends_;
    status_ = status;
  }
  void AwaitLooks(int count) {
    MutexLock lock(mutex_);
    mutex_.Await([this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return looks_ >= count;
    });
  }
  int looks() {
    MutexLock lock(mutex_);
    return looks_;
  }
  int ends() {
    MutexLock lock(mutex_);
    return ends_;
  }
  absl::Status status() {
    MutexLock lock(mutex_);
    return status_;
  }

 private:
  Mutex mutex_;
  int looks_ ABSL_GUARDED_BY(mutex_) = 0;
  int ends_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// Answers who changed; a test says who.
class FakeTenants {
 public:
  Watches::Reader Reader() {
    return [this](const std::vector<std::string>& tenant_ids,
                  const std::string& snapshot)
               -> absl::StatusOr<storage::ChangedTenants> {
      MutexLock lock(mutex_);
      ++reads_;
      storage::ChangedTenants changed;
      changed.snapshot = absl::StrCat(reads_);
      for (const std::string& id : tenant_ids) {
        if (snapshot.empty() || changed_.contains(id)) {
          changed.tenant_ids.push_back(id);
        }
      }
      return changed;
    };
  }
  void SetChanged(absl::flat_hash_set<std::string> changed) {
    MutexLock lock(mutex_);
    changed_ = std::move(changed);
  }
  void AwaitReads(int more) {
    MutexLock lock(mutex_);
    const int wanted = reads_ + more;
    mutex_.Await([this, wanted]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return reads_ >= wanted;
    });
  }

 private:
  Mutex mutex_;
  int reads_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_set<std::string> changed_ ABSL_GUARDED_BY(mutex_);
};

TEST(WatchesTest, OnlyTheChangedTenantsWatchesLook) {
  FakeTenants tenants;
  Watches watches(tenants.Reader());
  const auto acme = std::make_shared<FakeWatch>();
  const auto bolt = std::make_shared<FakeWatch>();
  ASSERT_TRUE(watches.Add(acme, "acme").ok());
  ASSERT_TRUE(watches.Add(bolt, "bolt").ok());
  watches.Start();
  // The first look is everybody's.
  acme->AwaitLooks(1);
  bolt->AwaitLooks(1);
  const int before = bolt->looks();
  tenants.SetChanged({"acme"});
  watches.NoteChanged();
  acme->AwaitLooks(3);
  EXPECT_EQ(bolt->looks(), before);
}

TEST(WatchesTest, ChangesAreFoundWithoutANotification) {
  FakeTenants tenants;
  Watches watches(tenants.Reader());
  const auto acme = std::make_shared<FakeWatch>();
  ASSERT_TRUE(watches.Add(acme, "acme").ok());
  tenants.SetChanged({"acme"});
  watches.Start();
  acme->AwaitLooks(2);
}

TEST(WatchesTest, ARemovedWatchLooksNoMore) {
  FakeTenants tenants;
  Watches watches(tenants.Reader());
  const auto gone = std::make_shared<FakeWatch>();
  const auto there = std::make_shared<FakeWatch>();
  ASSERT_TRUE(watches.Add(gone, "acme").ok());
  ASSERT_TRUE(watches.Add(there, "acme").ok());
  watches.Remove(gone.get());
  watches.Remove(gone.get());
  tenants.SetChanged({"acme"});
  watches.Start();
  there->AwaitLooks(2);
  watches.Stop();
  EXPECT_EQ(gone->looks(), 0);
  EXPECT_EQ(gone->ends(), 0);
  EXPECT_EQ(there->ends(), 1);
}

TEST(WatchesTest, StoppingEndsEachOnceAndTakesNoMore) {
  FakeTenants tenants;
  Watches watches(tenants.Reader());
  const auto watch = std::make_shared<FakeWatch>();
  ASSERT_TRUE(watches.Add(watch, "acme").ok());
  watches.Start();
  watches.Stop();
  watches.Stop();
  EXPECT_EQ(watch->ends(), 1);
  EXPECT_EQ(watch->status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(watch->status()), "DRAINING");
  EXPECT_EQ(watches.Add(watch, "acme").code(), absl::StatusCode::kUnavailable);
}

TEST(WatchesTest, TheirNumberIsBounded) {
  FakeTenants tenants;
  Watches watches(tenants.Reader());
  std::vector<std::shared_ptr<FakeWatch>> all;
  absl::Status status;
  const auto add = [&](const std::string& tenant) {
    all.push_back(std::make_shared<FakeWatch>());
    return watches.Add(all.back(), tenant);
  };
  for (size_t i = 0; i < Watches::kTenantWatchesMax; ++i) {
    ASSERT_TRUE(add("acme").ok());
  }
  status = add("acme");
  EXPECT_EQ(ReasonOf(status), "TOO_MANY_WATCHES");
  for (size_t i = Watches::kTenantWatchesMax; i < Watches::kWatchesMax; ++i) {
    ASSERT_TRUE(add(absl::StrCat("tenant", i)).ok());
  }
  EXPECT_EQ(ReasonOf(add("another")), "TOO_MANY_WATCHES");
  watches.Remove(all.front().get());
  EXPECT_TRUE(add("another").ok());
}

}  // namespace
}  // namespace sgl::engine
