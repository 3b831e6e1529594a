#include "engine/lease_waits.h"

#include <absl/time/clock.h>

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "engine/error.h"
#include "storage/intents.h"

namespace sgl::engine {
namespace {

// Keys that one read looks up.
constexpr size_t kReadMax = storage::kBatchIntentsMax;

void Call(
    const std::vector<std::pair<LeaseWaits::Wake, LeaseWaits::Cause>>& woken) {
  for (const auto& [wake, cause] : woken) wake(cause);
}

}  // namespace

absl::Status LeaseWaits::Draining() {
  return Refusal(absl::StatusCode::kUnavailable, "DRAINING",
                 "the engine is stopping; lease from another, or later");
}

LeaseWaits::LeaseWaits(Reader reader) : reader_(std::move(reader)) {}

LeaseWaits::~LeaseWaits() { Stop(); }

void LeaseWaits::Start() {
  SGL_CHECK(!thread_.joinable());
  thread_ = std::jthread([this] { Run(); });
}

void LeaseWaits::Stop() {
  Woken woken;
  {
    MutexLock lock(mutex_);
    is_stopped_ = true;
    const absl::btree_set<Deadline> parked = deadlines_;
    for (const auto& [until, call_id] : parked) {
      woken.emplace_back(Take(call_id).wake, Cause::kDraining);
    }
  }
  Call(woken);
  if (thread_.joinable()) thread_.join();
}

absl::Status LeaseWaits::Add(uint64_t call_id, Wait wait) {
  SGL_CHECK(!wait.keys.empty());
  const std::string tenant_id = wait.keys[0].tenant_id;
  MutexLock lock(mutex_);
  if (is_stopped_) return Draining();
  const auto known = by_tenant_.find(tenant_id);
  const size_t of_tenant = known == by_tenant_.end() ? 0 : known->second;
  if (entries_.size() >= kWaitsMax || of_tenant >= kTenantWaitsMax) {
    return Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WAITS",
                   "too many workers lease here already; try another engine, "
                   "or later");
  }
  ++by_tenant_[tenant_id];
  for (const storage::JobKey& key : wait.keys) by_key_[key].insert(call_id);
  const bool is_new =
      entries_.try_emplace(call_id, Entry{.wait = std::move(wait)}).second;
  SGL_CHECK(is_new) << "call " << call_id;
  return absl::OkStatus();
}

void LeaseWaits::Park(uint64_t call_id) {
  Woken woken;
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(call_id);
    SGL_CHECK(found != entries_.end()) << "call " << call_id;
    Entry& entry = found->second;
    SGL_CHECK(!entry.is_parked);
    if (is_stopped_) {
      woken.emplace_back(Take(call_id).wake, Cause::kDraining);
    } else if (entry.is_canceled) {
      woken.emplace_back(Take(call_id).wake, Cause::kCanceled);
    } else if (entry.wait.until <= absl::Now()) {
      woken.emplace_back(Take(call_id).wake, Cause::kTimeUp);
    } else if (entry.has_news) {
      entry.has_news = false;
      woken.emplace_back(entry.wait.wake, Cause::kNews);
    } else {
      entry.is_parked = true;
      if (deadlines_.empty() || entry.wait.until < deadlines_.begin()->first) {
        is_earlier_ = true;
      }
      deadlines_.insert({entry.wait.until, call_id});
    }
  }
  Call(woken);
}

LeaseWaits::Wait LeaseWaits::Take(uint64_t call_id) {
  const auto found = entries_.find(call_id);
  SGL_CHECK(found != entries_.end());
  Wait wait = std::move(found->second.wait);
  deadlines_.erase({wait.until, call_id});
  entries_.erase(found);
  for (const storage::JobKey& key : wait.keys) {
    const auto calls = by_key_.find(key);
    // A key may have been named twice.
    if (calls == by_key_.end()) continue;
    calls->second.erase(call_id);
    if (calls->second.empty()) by_key_.erase(calls);
  }
  const auto tenant = by_tenant_.find(wait.keys[0].tenant_id);
  SGL_CHECK(tenant != by_tenant_.end());
  if (--tenant->second == 0) by_tenant_.erase(tenant);
  return wait;
}

void LeaseWaits::Remove(uint64_t call_id, bool has_found) {
  Woken woken;
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(call_id);
    if (found == entries_.end()) return;
    // What it did not look at, because it is over, is another's to look at.
    const bool passes_on = has_found || found->second.has_news;
    const Wait wait = Take(call_id);
    if (passes_on) {
      for (const storage::JobKey& key : wait.keys) NoteLocked(key, &woken);
    }
  }
  Call(woken);
}

void LeaseWaits::Cancel(uint64_t call_id) {
  Woken woken;
  {
    MutexLock lock(mutex_);
    const auto found = entries_.find(call_id);
    if (found == entries_.end()) return;
    if (!found->second.is_parked) {
      found->second.is_canceled = true;
      return;
    }
    woken.emplace_back(Take(call_id).wake, Cause::kCanceled);
  }
  Call(woken);
}

void LeaseWaits::NoteLocked(const storage::JobKey& key, Woken* woken) {
  const auto calls = by_key_.find(key);
  if (calls == by_key_.end()) return;
  for (const uint64_t call_id : calls->second) {
    Entry& entry = entries_.at(call_id);
    // One that looks may be past these jobs already; it looks once more, and
    // that is all this news can do with it.
    if (entry.has_news) continue;
    if (entry.is_parked) {
      entry.is_parked = false;
      deadlines_.erase({entry.wait.until, call_id});
      woken->emplace_back(entry.wait.wake, Cause::kNews);
    } else {
      entry.has_news = true;
    }
    return;
  }
}

void LeaseWaits::Note(std::span<const storage::JobKey> keys) {
  Woken woken;
  {
    MutexLock lock(mutex_);
    for (const storage::JobKey& key : keys) NoteLocked(key, &woken);
  }
  Call(woken);
}

void LeaseWaits::NoteAny() {
  MutexLock lock(mutex_);
  is_any_due_ = true;
}

std::vector<storage::JobKey> LeaseWaits::AwaitedKeys() {
  std::vector<storage::JobKey> keys;
  keys.reserve(by_key_.size());
  for (const auto& [key, calls] : by_key_) keys.push_back(key);
  return keys;
}

void LeaseWaits::EndLate(Woken* woken) {
  const absl::Time now = absl::Now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    woken->emplace_back(Take(deadlines_.begin()->second).wake, Cause::kTimeUp);
  }
  is_earlier_ = false;
}

void LeaseWaits::Run() {
  absl::Time polled = absl::InfinitePast();
  while (true) {
    Woken woken;
    std::vector<storage::JobKey> keys;
    {
      MutexLock lock(mutex_);
      const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return is_stopped_ || is_earlier_ || is_any_due_;
      };
      const absl::Time next_poll =
          std::min(absl::Now(), polled) + kPollInterval;
      mutex_.AwaitUntil(has_work,
                        deadlines_.empty()
                            ? next_poll
                            : std::min(next_poll, deadlines_.begin()->first));
      if (is_stopped_) return;
      EndLate(&woken);
      const absl::Duration since = absl::Now() - polled;
      // A clock that was set back must not hold it up.
      if (is_any_due_ || since >= kPollInterval ||
          since < absl::ZeroDuration()) {
        is_any_due_ = false;
        polled = absl::Now();
        keys = AwaitedKeys();
      }
    }
    Call(woken);
    Poll(keys);
  }
}

void LeaseWaits::Poll(const std::vector<storage::JobKey>& keys) {
  for (size_t start = 0; start < keys.size(); start += kReadMax) {
    const size_t end = std::min(keys.size(), start + kReadMax);
    const absl::StatusOr<std::vector<storage::JobKey>> due =
        reader_({keys.begin() + static_cast<ptrdiff_t>(start),
                 keys.begin() + static_cast<ptrdiff_t>(end)});
    if (!due.ok()) {
      LogWarn("look for jobs that workers wait for: {}",
              due.status().ToString());
      return;
    }
    Note(*due);
  }
}

}  // namespace sgl::engine
