#include "engine/watches.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

absl::Status Draining() {
  return Refusal(absl::StatusCode::kUnavailable, "DRAINING",
                 "the engine is stopping; watch again with the last cursor");
}

}  // namespace

Watches::Watches(Reader reader) : reader_(std::move(reader)) {}

Watches::~Watches() { Stop(); }

void Watches::Start() {
  SGL_CHECK(!thread_.joinable());
  thread_ = std::jthread([this] { Run(); });
}

void Watches::Stop() {
  std::vector<std::shared_ptr<Watch>> ended;
  {
    MutexLock lock(mutex_);
    is_stopped_ = true;
    for (auto& [key, entry] : watches_) ended.push_back(entry.watch);
    watches_.clear();
    by_tenant_.clear();
  }
  for (const std::shared_ptr<Watch>& watch : ended) watch->End(Draining());
  if (thread_.joinable()) thread_.join();
}

absl::Status Watches::Add(std::shared_ptr<Watch> watch,
                          const std::string& tenant_id) {
  MutexLock lock(mutex_);
  if (is_stopped_) return Draining();
  if (watches_.size() >= kWatchesMax) {
    return Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHES",
                   absl::StrCat("this engine serves ", kWatchesMax,
                                " watches already; try another, or later"));
  }
  size_t& of_tenant = by_tenant_[tenant_id];
  if (of_tenant >= kTenantWatchesMax) {
    return Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_WATCHES",
                   absl::StrCat("a tenant has at most ", kTenantWatchesMax,
                                " watches on an engine; end one first"));
  }
  ++of_tenant;
  const Watch* const key = watch.get();
  const bool is_new =
      watches_.try_emplace(key, Entry{std::move(watch), tenant_id}).second;
  SGL_CHECK(is_new);
  return absl::OkStatus();
}

void Watches::Remove(const Watch* watch) {
  // Destroyed after the lock is given back.
  Entry removed;
  MutexLock lock(mutex_);
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return;
  removed = std::move(found->second);
  watches_.erase(found);
  const auto tenant = by_tenant_.find(removed.tenant_id);
  if (--tenant->second == 0) by_tenant_.erase(tenant);
}

void Watches::NoteChanged() {
  MutexLock lock(mutex_);
  if (!watches_.empty()) has_news_ = true;
}

bool Watches::AwaitNews() {
  MutexLock lock(mutex_);
  const auto has_work = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return has_news_ || is_stopped_;
  };
  mutex_.AwaitFor(has_work, kPollInterval);
  has_news_ = false;
  return !is_stopped_;
}

std::vector<std::string> Watches::WatchedTenants() {
  MutexLock lock(mutex_);
  std::vector<std::string> tenants;
  for (const auto& [tenant_id, count] : by_tenant_) {
    tenants.push_back(tenant_id);
  }
  return tenants;
}

bool Watches::LookAround(std::string* snapshot) {
  const std::vector<std::string> tenants = WatchedTenants();
  if (tenants.empty()) {
    // An old snapshot would only cost the next one who watches.
    snapshot->clear();
    return true;
  }
  const absl::StatusOr<storage::ChangedTenants> changed =
      reader_(tenants, *snapshot);
  if (!changed.ok()) {
    LogWarn("see what watches wait for: {}", changed.status().ToString());
    return false;
  }
  *snapshot = changed->snapshot;
  const absl::flat_hash_set<std::string> ids(changed->tenant_ids.begin(),
                                             changed->tenant_ids.end());
  const absl::Time now = absl::Now();
  // A clock set back must not stop the beat.
  const bool is_beat = now >= beat_ + kBeatInterval || now < beat_;
  if (is_beat) beat_ = now;
  std::vector<std::shared_ptr<Watch>> looking;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, entry] : watches_) {
      if (is_beat || ids.contains(entry.tenant_id)) {
        looking.push_back(entry.watch);
      }
    }
  }
  for (const std::shared_ptr<Watch>& watch : looking) watch->Look();
  return true;
}

void Watches::Run() {
  std::string snapshot;
  while (AwaitNews()) {
    const bool could_ask = LookAround(&snapshot);
    MutexLock lock(mutex_);
    const auto is_stopped = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return is_stopped_;
    };
    mutex_.AwaitFor(is_stopped, could_ask ? kPause : kPollInterval);
  }
}

}  // namespace sgl::engine
