#include "engine/waiters.h"

#include <absl/time/clock.h>

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

// After a read that failed: long enough not to storm a database that is
// coming back, short enough for a person not to notice.
constexpr absl::Duration kRetryAfter = absl::Milliseconds(250);

absl::Status Draining() {
  return Refusal(absl::StatusCode::kUnavailable, "DRAINING",
                 "the engine is stopping; repeat the call with the same "
                 "request_id to see what became of the intent");
}

}  // namespace

bool IsDecided(const storage::IntentRow& row) {
  return row.status != storage::IntentStatus::kDraft;
}

Waiters::Waiters(Reader reader) : reader_(std::move(reader)) {}

Waiters::~Waiters() { Stop(); }

void Waiters::Start() {
  SGL_CHECK(!thread_.joinable());
  thread_ = std::jthread([this] { Run(); });
}

void Waiters::Stop() {
  std::vector<Done> ended;
  {
    MutexLock lock(mutex_);
    is_stopped_ = true;
    for (auto& [id, waiter] : waiters_) {
      ended.push_back(std::move(waiter.done));
    }
    waiters_.clear();
    by_intent_.clear();
    by_tenant_.clear();
    deadlines_.clear();
  }
  for (const Done& done : ended) done(Draining());
  if (thread_.joinable()) thread_.join();
}

absl::Status Waiters::Add(uint64_t call_id, const IntentKey& key, Done done) {
  MutexLock lock(mutex_);
  if (is_stopped_) return Draining();
  size_t& of_tenant = by_tenant_[key.tenant_id];
  if (waiters_.size() >= kWaitersMax || of_tenant >= kTenantWaitersMax) {
    if (of_tenant == 0) by_tenant_.erase(key.tenant_id);
    return Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WAITS",
                   "too many calls wait here already; ask for the intent "
                   "later");
  }
  ++of_tenant;
  const bool is_new =
      waiters_.try_emplace(call_id, Waiter{.key = key, .done = std::move(done)})
          .second;
  SGL_CHECK(is_new) << "call " << call_id;
  by_intent_[key.intent_id].insert(call_id);
  return absl::OkStatus();
}

void Waiters::SetUntil(uint64_t call_id, absl::Time until) {
  MutexLock lock(mutex_);
  const auto found = waiters_.find(call_id);
  if (found == waiters_.end()) return;
  deadlines_.erase({found->second.until, call_id});
  if (until < NextDeadline()) is_earlier_ = true;
  found->second.until = until;
  deadlines_.insert({until, call_id});
}

Waiters::Done Waiters::Remove(uint64_t call_id) {
  const auto found = waiters_.find(call_id);
  if (found == waiters_.end()) return nullptr;
  Done done = std::move(found->second.done);
  deadlines_.erase({found->second.until, call_id});
  const auto intent = by_intent_.find(found->second.key.intent_id);
  SGL_CHECK(intent != by_intent_.end());
  intent->second.erase(call_id);
  if (intent->second.empty()) by_intent_.erase(intent);
  const auto tenant = by_tenant_.find(found->second.key.tenant_id);
  SGL_CHECK(tenant != by_tenant_.end());
  if (--tenant->second == 0) by_tenant_.erase(tenant);
  waiters_.erase(found);
  return done;
}

bool Waiters::Forget(uint64_t call_id) {
  MutexLock lock(mutex_);
  return Remove(call_id) != nullptr;
}

void Waiters::Cancel(uint64_t call_id) {
  Done done;
  {
    MutexLock lock(mutex_);
    done = Remove(call_id);
  }
  if (done) done(absl::CancelledError("the caller went away"));
}

void Waiters::NoteSettled(std::span<const std::string> intent_ids) {
  MutexLock lock(mutex_);
  for (const std::string& id : intent_ids) {
    if (by_intent_.contains(id)) due_.insert(id);
  }
}

void Waiters::NoteAnySettled() {
  MutexLock lock(mutex_);
  if (!waiters_.empty()) is_all_due_ = true;
}

bool Waiters::HasWork() const {
  return is_stopped_ || is_earlier_ || is_all_due_ || !due_.empty();
}

absl::Time Waiters::NextDeadline() const {
  return deadlines_.empty() ? absl::InfiniteFuture()
                            : deadlines_.begin()->first;
}

std::vector<IntentKey> Waiters::TakeDue() {
  absl::flat_hash_set<std::string> ids = std::move(due_);
  due_.clear();
  if (is_all_due_) {
    for (const auto& [id, calls] : by_intent_) ids.insert(id);
  }
  is_all_due_ = false;
  is_earlier_ = false;
  const absl::Time now = absl::Now();
  for (const auto& [until, call_id] : deadlines_) {
    if (until > now) break;
    ids.insert(waiters_.at(call_id).key.intent_id);
  }
  std::vector<IntentKey> keys;
  for (const std::string& id : ids) {
    const auto calls = by_intent_.find(id);
    if (calls == by_intent_.end()) continue;
    keys.push_back(waiters_.at(*calls->second.begin()).key);
  }
  return keys;
}

void Waiters::Run() {
  while (true) {
    std::vector<IntentKey> keys;
    {
      MutexLock lock(mutex_);
      const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return HasWork();
      };
      mutex_.AwaitUntil(has_work, NextDeadline());
      if (is_stopped_) return;
      keys = TakeDue();
    }
    for (size_t start = 0; start < keys.size(); start += kReadMax) {
      const size_t end = std::min(keys.size(), start + kReadMax);
      Answer({keys.begin() + static_cast<ptrdiff_t>(start),
              keys.begin() + static_cast<ptrdiff_t>(end)});
    }
  }
}

void Waiters::Answer(const std::vector<IntentKey>& keys) {
  const absl::StatusOr<std::vector<storage::IntentRow>> rows = reader_(keys);
  absl::flat_hash_map<absl::string_view, const storage::IntentRow*> by_id;
  if (rows.ok()) {
    for (const storage::IntentRow& row : *rows) by_id[row.id] = &row;
  }
  std::vector<std::pair<Done, absl::StatusOr<storage::IntentRow>>> ended;
  {
    MutexLock lock(mutex_);
    const absl::Time now = absl::Now();
    for (const IntentKey& key : keys) {
      const auto found = by_id.find(key.intent_id);
      const auto calls = by_intent_.find(key.intent_id);
      if (calls == by_intent_.end()) continue;
      const std::vector<uint64_t> ids(calls->second.begin(),
                                      calls->second.end());
      for (const uint64_t id : ids) {
        const bool is_late = waiters_.at(id).until <= now;
        if (found != by_id.end()) {
          if (!is_late && !IsDecided(*found->second)) continue;
          ended.emplace_back(Remove(id), *found->second);
        } else if (is_late) {
          ended.emplace_back(
              Remove(id), rows.ok() ? absl::NotFoundError("the intent is gone")
                                    : rows.status());
        }
      }
    }
    // Not read: tried again, without holding up what comes meanwhile.
    if (!rows.ok()) {
      for (const IntentKey& key : keys) due_.insert(key.intent_id);
    }
  }
  for (auto& [done, result] : ended) done(std::move(result));
  if (!rows.ok()) {
    LogWarn("look up awaited intents: {}", rows.status().ToString());
    MutexLock lock(mutex_);
    const auto is_stopped = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return is_stopped_;
    };
    mutex_.AwaitFor(is_stopped, kRetryAfter);
  }
}

}  // namespace sgl::engine
