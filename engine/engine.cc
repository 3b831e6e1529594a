#include "engine/engine.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <absl/time/time.h>

#include <utility>
#include <vector>

#include "base/log.h"
#include "storage/intents.h"
#include "storage/jobs.h"
#include "storage/watches.h"

namespace sgl::engine {
namespace {

// One wait for notifications; Interrupt ends it early.
constexpr absl::Duration kListenWait = absl::Seconds(60);
// Between tries to connect again. Meanwhile the worker polls.
constexpr absl::Duration kListenRetry = absl::Seconds(2);

// Of a sealer that is told of its work.
constexpr absl::Duration kSealerIdleInterval = absl::Seconds(30);

// Says which of the two settings a refusal is about.
absl::Status Of(absl::string_view setting, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(setting, ": ", status.message()));
}

absl::StatusOr<std::vector<storage::IntentRow>> ReadIntents(
    storage::Database* db, const std::vector<IntentKey>& keys) {
  absl::flat_hash_set<std::string> tenants;
  std::vector<std::string> ids;
  for (const IntentKey& key : keys) {
    tenants.insert(key.tenant_id);
    ids.push_back(key.intent_id);
  }
  absl::StatusOr<storage::Transaction> tx =
      db->Begin({.tenants = {tenants.begin(), tenants.end()}});
  if (!tx.ok()) return tx.status();
  return storage::GetIntents(*tx, ids);
}

absl::StatusOr<storage::ChangedTenants> ReadChangedTenants(
    storage::Database* db, const std::vector<std::string>& tenant_ids,
    const std::string& snapshot) {
  absl::StatusOr<storage::Transaction> tx = db->Begin({.tenants = tenant_ids});
  if (!tx.ok()) return tx.status();
  return storage::TenantsChangedSince(*tx, snapshot);
}

absl::StatusOr<std::vector<storage::JobKey>> ReadLeasableJobs(
    storage::Database* db, const std::vector<storage::JobKey>& keys) {
  absl::flat_hash_set<std::string> tenants;
  for (const storage::JobKey& key : keys) tenants.insert(key.tenant_id);
  absl::StatusOr<storage::Transaction> tx =
      db->Begin({.tenants = {tenants.begin(), tenants.end()}});
  if (!tx.ok()) return tx.status();
  return storage::LeasableJobs(*tx, keys);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Engine>> Engine::Create(Options options) {
  absl::StatusOr<std::unique_ptr<storage::Database>> db =
      storage::Database::Create(options.database_url, options.database);
  if (!db.ok()) return Of("DATABASE_URL", db.status());
  const absl::Status role = (*db)->CheckRuntimeRole();
  if (role.code() == absl::StatusCode::kUnavailable) {
    return absl::UnavailableError(
        absl::StrCat("can't reach the database; check that it runs and what "
                     "DATABASE_URL names: ",
                     role.message()));
  }
  if (!role.ok()) return role;
  absl::StatusOr<std::unique_ptr<storage::Listener>> listener =
      storage::Listener::Create(
          options.direct_url, {storage::kDraftChannel, storage::kSettledChannel,
                               storage::kPolicyChannel, storage::kJobChannel});
  if (!listener.ok()) return Of("DIRECT_URL", listener.status());
  return std::unique_ptr<Engine>(
      new Engine(std::move(options), *std::move(db), *std::move(listener)));
}

Engine::Engine(Options options, std::unique_ptr<storage::Database> db,
               std::unique_ptr<storage::Listener> listener)
    : options_(std::move(options)),
      db_(std::move(db)),
      listener_(std::move(listener)),
      policies_(db_.get()),
      waiters_([db = db_.get()](const std::vector<IntentKey>& keys) {
        return ReadIntents(db, keys);
      }),
      watches_([db = db_.get()](const std::vector<std::string>& tenant_ids,
                                const std::string& snapshot) {
        return ReadChangedTenants(db, tenant_ids, snapshot);
      }),
      lease_waits_([db = db_.get()](const std::vector<storage::JobKey>& keys) {
        return ReadLeasableJobs(db, keys);
      }),
      worker_(db_.get(), &policies_, &options_.executors, &waiters_,
              WorkerOptions()),
      intake_(db_.get(), &policies_, &options_.executors, &worker_, &waiters_),
      approvals_(db_.get(), &policies_, &options_.executors, &waiters_),
      memo_edits_(db_.get(), &policies_, &options_.executors, &waiters_),
      delegations_(db_.get()),
      jobs_(db_.get(), &options_.executors,
            options_.secret_keys.has_value() ? &*options_.secret_keys : nullptr,
            &lease_waits_),
      policy_versions_(db_.get(), &policies_, &options_.executors),
      replays_(db_.get(), &policies_),
      policy_replays_(db_.get(), &policies_, &policy_versions_),
      sealer_(db_.get(), SealerOptions()) {}

Engine::~Engine() { Stop(); }

Worker::Options Engine::WorkerOptions() {
  Worker::Options options = options_.worker;
  options.on_unsealed = [this] { sealer_.Wake(); };
  return options;
}

Sealer::Options Engine::SealerOptions() const {
  Sealer::Options options = options_.sealer;
  // The worker looks for entries; the sealer's own look finds those that came
  // while the worker was stuck.
  if (options_.claims) options.idle_interval = kSealerIdleInterval;
  return options;
}

void Engine::Load() {
  const absl::Status loaded = policies_.Reload();
  if (!loaded.ok()) LogWarn("load the active policy: {}", loaded.ToString());
  const std::shared_ptr<const ActivePolicy> policy = policies_.active();
  if (policy == nullptr) {
    LogWarn("no policy is active: submissions are refused until one is");
    return;
  }
  const std::vector<std::string> missing =
      options_.executors.Missing(policy->program->intent_types());
  if (!missing.empty()) {
    LogWarn("{} declared intent types have no executor and will fail: {}",
            missing.size(), absl::StrJoin(missing, ", "));
  }
  const std::vector<std::string> unknown =
      options_.executors.UnknownSpends(policy->program->intent_types());
  if (!unknown.empty()) {
    LogWarn(
        "`spends` names intent types that the active policy doesn't declare: "
        "{}",
        absl::StrJoin(unknown, ", "));
  }
}

void Engine::Start() {
  waiters_.Start();
  watches_.Start();
  lease_waits_.Start();
  if (options_.claims) {
    worker_.Start();
    intake_.StartDeciding();
  }
  sealer_.Start();
  listener_thread_ = std::jthread([this] { Listen(); });
}

void Engine::Stop() {
  intake_.StopDeciding();
  worker_.Stop();
  sealer_.Stop();
  listening_.Stop();
  listener_->Interrupt();
  if (listener_thread_.joinable()) listener_thread_.join();
  waiters_.Stop();
  watches_.Stop();
  lease_waits_.Stop();
}

void Engine::Listen() {
  while (!listening_.is_stopped()) {
    const absl::StatusOr<storage::Wakeup> wakeup = listener_->Wait(kListenWait);
    if (wakeup.ok()) {
      Hear(*wakeup);
      continue;
    }
    LogWarn("listen: {}; polling meanwhile", wakeup.status().ToString());
    listening_.Wait(kListenRetry);
  }
}

void Engine::Hear(const storage::Wakeup& wakeup) {
  bool has_drafts = wakeup.reconnected;
  bool has_policy = wakeup.reconnected;
  bool is_any_settled = wakeup.reconnected;
  std::vector<std::string> settled;
  std::vector<storage::JobKey> jobs;
  for (const storage::Notification& notification : wakeup.notifications) {
    if (notification.channel == storage::kDraftChannel) has_drafts = true;
    if (notification.channel == storage::kPolicyChannel) has_policy = true;
    if (notification.channel == storage::kJobChannel) {
      const std::pair<std::string, std::string> key =
          absl::StrSplit(notification.payload, absl::MaxSplits(':', 1));
      jobs.push_back({.tenant_id = key.first, .job_type = key.second});
    }
    if (notification.channel != storage::kSettledChannel) continue;
    if (notification.payload.empty()) is_any_settled = true;
    for (absl::string_view id :
         absl::StrSplit(notification.payload, ',', absl::SkipEmpty())) {
      settled.emplace_back(id);
    }
  }
  if (has_policy) {
    const absl::Status reloaded = policies_.Reload();
    if (!reloaded.ok()) {
      LogError("reload the policy: {}", reloaded.ToString());
    }
  }
  if (has_drafts || has_policy) worker_.Wake();
  if (wakeup.reconnected) lease_waits_.NoteAny();
  lease_waits_.Note(jobs);
  if (!settled.empty()) waiters_.NoteSettled(settled);
  if (is_any_settled) waiters_.NoteAnySettled();
  if (has_drafts || is_any_settled || !settled.empty()) watches_.NoteChanged();
}

}  // namespace sgl::engine
