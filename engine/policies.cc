#include "engine/policies.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "engine/error.h"
#include "engine/policy_check.h"
#include "engine/policy_files.h"

namespace sgl::engine {
namespace {

absl::Status OtherPolicy(const std::string& active, const std::string& given) {
  return absl::FailedPreconditionError(absl::StrCat(
      "another policy is active: ", active, ", while --policy names ", given,
      "; leave --policy out to serve under the active one, and propose the "
      "other with `intentctl policies propose`"));
}

std::string LayerKey(const ActivePolicy& active, const std::string& digest) {
  return absl::StrCat(active.digest, " ", digest);
}

size_t BytesOf(const std::vector<SourceFile>& sources) {
  size_t bytes = 0;
  for (const SourceFile& source : sources) bytes += source.text.size();
  return bytes;
}

}  // namespace

storage::PolicySet SetOf(const std::string& digest,
                         const std::vector<SourceFile>& sources) {
  storage::PolicySet set{.digest = digest};
  for (const SourceFile& source : sources) {
    set.sources.push_back({.name = source.name, .text = source.text});
  }
  return set;
}

std::vector<SourceFile> SourcesOf(const storage::PolicySet& set) {
  std::vector<SourceFile> sources;
  for (const storage::PolicySource& source : set.sources) {
    sources.push_back({.name = source.name, .text = source.text});
  }
  return sources;
}

Policies::Policies(storage::Database* db) : db_(db) {}

std::shared_ptr<const ActivePolicy> Policies::active() const {
  MutexLock lock(mutex_);
  return active_;
}

void Policies::Replace(std::shared_ptr<const ActivePolicy> policy) {
  MutexLock lock(mutex_);
  active_ = std::move(policy);
}

absl::Status Policies::Reload() {
  MutexLock lock(reload_mutex_);
  {
    MutexLock lock_map(mutex_);
    ++generation_;
    layer_digests_.clear();
  }
  return ReloadLocked();
}

absl::Status Policies::ReloadLocked() {
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::string> digest = storage::GetActiveDigest(*tx);
  if (!digest.ok()) return digest.status();
  const std::shared_ptr<const ActivePolicy> before = active();
  if (before != nullptr && before->digest == *digest) return absl::OkStatus();
  if (digest->empty()) {
    Replace(nullptr);
    return absl::OkStatus();
  }
  if (*digest == broken_digest_) {
    Replace(nullptr);
    return absl::FailedPreconditionError(
        absl::StrCat("active policy ", *digest, " does not compile here"));
  }
  absl::StatusOr<std::optional<storage::PolicySet>> set =
      storage::GetActivePolicy(*tx);
  if (!set.ok()) return set.status();
  if (!set->has_value()) return absl::OkStatus();  // Replaced meanwhile.
  tx->Rollback();
  absl::StatusOr<std::shared_ptr<const Program>> program =
      CompilePolicy(SourcesOf(**set));
  if (!program.ok()) {
    // Nothing may be decided under a set that is active no longer, so there
    // is no policy until this is mended.
    broken_digest_ = (*set)->digest;
    Replace(nullptr);
    return absl::FailedPreconditionError(
        absl::StrCat("active policy ", (*set)->digest,
                     " does not compile here:\n", program.status().message()));
  }
  LogInfo("policy {} is active", (*set)->digest);
  Replace(std::make_shared<const ActivePolicy>(ActivePolicy{
      .digest = (*set)->digest,
      .program = *program,
      .sources = SourcesOf(**set),
      .plain = std::make_shared<const TenantPolicy>(TenantPolicy{
          .program = *program, .platform_digest = (*set)->digest})}));
  return absl::OkStatus();
}

uint64_t Policies::Recall(const ActivePolicy& active,
                          const std::vector<std::string>& tenant_ids,
                          TenantPolicies* found,
                          std::vector<std::string>* others) {
  MutexLock lock(mutex_);
  for (const std::string& tenant_id : tenant_ids) {
    const auto digest = layer_digests_.find(tenant_id);
    if (digest == layer_digests_.end()) {
      others->push_back(tenant_id);
      continue;
    }
    if (digest->second.empty()) {
      found->emplace(tenant_id, active.plain);
      continue;
    }
    const auto layer = layers_.find(LayerKey(active, digest->second));
    if (layer == layers_.end()) {
      others->push_back(tenant_id);
      continue;
    }
    layer->second.last_used = ++use_count_;
    found->emplace(tenant_id, layer->second.policy);
  }
  return generation_;
}

void Policies::Remember(uint64_t generation, const std::string& tenant_id,
                        const std::string& layer_digest) {
  MutexLock lock(mutex_);
  if (generation != generation_) return;
  if (layer_digests_.size() >= kTenantsMax) layer_digests_.clear();
  layer_digests_[tenant_id] = layer_digest;
}

std::shared_ptr<const TenantPolicy> Policies::TryLayer(
    const ActivePolicy& active, const std::string& digest) {
  MutexLock lock(mutex_);
  const auto layer = layers_.find(LayerKey(active, digest));
  if (layer == layers_.end()) return nullptr;
  layer->second.last_used = ++use_count_;
  return layer->second.policy;
}

void Policies::CompileLayer(const ActivePolicy& active,
                            const storage::ActiveLayer& layer) {
  const PolicyFileSet platform{.digest = active.digest,
                               .sources = active.sources};
  const PolicyFileSet own{.digest = layer.set.digest,
                          .sources = SourcesOf(layer.set)};
  const size_t bytes = BytesOf(own.sources) + BytesOf(active.sources);
  auto shared = std::make_shared<const TenantPolicy>(
      CompileTenantPolicy(platform, own, layer.tenant_slug));
  MutexLock lock(mutex_);
  Layer& slot = layers_[LayerKey(active, layer.set.digest)];
  layer_bytes_ += bytes - slot.bytes;
  slot = {.policy = shared, .bytes = bytes, .last_used = ++use_count_};
  while (layers_.size() > 1 &&
         (layers_.size() > kLayersMax || layer_bytes_ > kLayerBytesMax)) {
    auto oldest = layers_.begin();
    for (auto it = layers_.begin(); it != layers_.end(); ++it) {
      if (it->second.last_used < oldest->second.last_used) oldest = it;
    }
    layer_bytes_ -= oldest->second.bytes;
    layers_.erase(oldest);
  }
}

void Policies::CompileWaiting() {
  MutexLock lock_compile(compile_mutex_);
  std::vector<Waiting> waiting;
  {
    MutexLock lock(mutex_);
    waiting.swap(waiting_);
  }
  for (const Waiting& next : waiting) {
    if (TryLayer(*next.active, next.layer.set.digest) != nullptr) continue;
    CompileLayer(*next.active, next.layer);
  }
}

std::optional<std::string> Policies::ObstacleOf(
    const storage::PolicySet& version) {
  MutexLock lock(mutex_);
  const auto known = obstacles_.find(version.digest);
  if (known != obstacles_.end()) return known->second;
  const bool is_waiting = std::any_of(
      unchecked_.begin(), unchecked_.end(),
      [&](const auto& other) { return other.digest == version.digest; });
  if (!is_waiting && unchecked_.size() < kWaitingMax) {
    unchecked_.push_back(version);
  }
  return std::nullopt;
}

bool Policies::IsChecked(const std::string& digest) {
  MutexLock lock(mutex_);
  return obstacles_.contains(digest);
}

void Policies::CheckWaiting() {
  MutexLock lock_check(check_mutex_);
  std::vector<storage::PolicySet> unchecked;
  {
    MutexLock lock(mutex_);
    unchecked.swap(unchecked_);
  }
  for (const storage::PolicySet& version : unchecked) {
    if (IsChecked(version.digest)) continue;
    const CheckedVersion checked =
        CheckVersion({.sources = SourcesOf(version)});
    NoteObstacle(version.digest, checked.obstacle);
  }
}

void Policies::NoteObstacle(const std::string& digest,
                            const std::string& obstacle) {
  MutexLock lock(mutex_);
  if (obstacles_.size() >= kCheckedMax) obstacles_.clear();
  obstacles_[digest] = obstacle;
}

absl::StatusOr<TenantPolicies> Policies::ForTenants(
    storage::Transaction& tx,
    const std::shared_ptr<const ActivePolicy>& active_or_null,
    const std::vector<std::string>& tenant_ids) {
  TenantPolicies policies;
  if (active_or_null == nullptr) {
    for (const std::string& id : tenant_ids) policies.emplace(id, nullptr);
    return policies;
  }
  const ActivePolicy& active = *active_or_null;
  std::vector<std::string> others;
  const uint64_t generation = Recall(active, tenant_ids, &policies, &others);
  if (others.empty()) return policies;

  const absl::StatusOr<std::vector<storage::ActiveLayer>> layers =
      storage::ActiveLayers(tx, {});
  if (!layers.ok()) return layers.status();
  absl::flat_hash_map<std::string, std::string> digests;
  std::vector<std::string> missing;
  for (const storage::ActiveLayer& layer : *layers) {
    digests[layer.tenant_id] = layer.set.digest;
  }
  for (const std::string& id : others) {
    const std::string& digest = digests[id];
    Remember(generation, id, digest);
    if (digest.empty()) {
      policies.emplace(id, active.plain);
    } else if (auto known = TryLayer(active, digest); known != nullptr) {
      policies.emplace(id, std::move(known));
    } else {
      missing.push_back(digest);
    }
  }
  const absl::Status awaited =
      AwaitLayers(tx, active_or_null, std::move(missing));
  if (!awaited.ok()) return awaited;
  return policies;
}

absl::Status Policies::AwaitLayers(
    storage::Transaction& tx, const std::shared_ptr<const ActivePolicy>& active,
    std::vector<std::string> digests) {
  if (digests.size() > kWaitingMax) digests.resize(kWaitingMax);
  if (digests.empty()) return absl::OkStatus();
  absl::StatusOr<std::vector<storage::ActiveLayer>> layers =
      storage::ActiveLayers(tx, digests);
  if (!layers.ok()) return layers.status();
  MutexLock lock(mutex_);
  for (storage::ActiveLayer& layer : *layers) {
    const bool is_wanted = std::find(digests.begin(), digests.end(),
                                     layer.set.digest) != digests.end();
    const bool is_waiting = std::any_of(
        waiting_.begin(), waiting_.end(), [&](const Waiting& other) {
          return other.active == active &&
                 other.layer.set.digest == layer.set.digest;
        });
    if (!is_wanted || is_waiting || waiting_.size() >= kWaitingMax) continue;
    waiting_.push_back({.active = active, .layer = std::move(layer)});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const TenantPolicy>> Policies::ForTenant(
    storage::Transaction& tx,
    const std::shared_ptr<const ActivePolicy>& active_or_null,
    const std::string& tenant_id) {
  absl::StatusOr<TenantPolicies> policies =
      ForTenants(tx, active_or_null, {tenant_id});
  if (!policies.ok()) return policies.status();
  const auto own = policies->find(tenant_id);
  if (own != policies->end()) return own->second;
  return absl::AbortedError(
      absl::StrCat("the layer of tenant ", tenant_id, " is to be compiled"));
}

absl::Status NoActivePolicy() {
  return Refusal(absl::StatusCode::kFailedPrecondition, "NO_ACTIVE_POLICY",
                 "no policy is active; start intentd with --policy once");
}

absl::Status InstallPolicy(storage::Database& db,
                           const std::vector<SourceFile>& sources,
                           OnOtherPolicy on_other) {
  const absl::StatusOr<std::shared_ptr<const Program>> program =
      CompilePolicy(sources);
  if (!program.ok()) return program.status();
  const std::string& digest = (*program)->set_digest();

  absl::StatusOr<storage::Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::string> active = storage::GetActiveDigest(*tx);
  if (!active.ok()) return active.status();
  if (*active == digest) return absl::OkStatus();
  const bool replaces = !active->empty();
  if (replaces && on_other == OnOtherPolicy::kRefuse) {
    return OtherPolicy(*active, digest);
  }
  absl::Status status =
      storage::StorePolicy(*tx, SetOf(digest, sources), "intentd --policy");
  if (!status.ok()) return status;
  // Two engines may start at once with different sets; the first one wins.
  status = storage::ActivatePolicy(*tx, digest,
                                   replaces ? storage::Activation::kReplace
                                            : storage::Activation::kFirstOnly,
                                   {.external_id = "intentd"});
  if (!status.ok()) return status;
  return tx->Commit();
}

}  // namespace sgl::engine
