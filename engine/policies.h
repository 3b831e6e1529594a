// The active policy as this process has it: compiled once, shared by all
// evaluations in flight, replaced as a whole when another set becomes active.
//
//   const auto active = policies.active();
//   const auto of_tenants = policies.ForTenants(*tx, active, tenant_ids);
//   const auto own = of_tenants->find(row.tenant_id);
//   if (own != of_tenants->end()) Decide(own->second.get(), row, facts);
//
// A tenant may have an active layer of its own. Those are looked up when the
// tenant's first intent comes, and kept up to a bound. Compiling one (with the
// platform's set) and checking a version that people voted for take seconds, so
// neither happens in a transaction: whoever needs one gives its locks back,
// calls CompileWaiting or CheckWaiting, and begins again.
//
// What is active is said by the database. A decision taken under a set that
// was replaced meanwhile is refused when it is settled (storage/settlement.h);
// whoever gets that refusal calls Reload and decides again.

#ifndef ENGINE_POLICIES_H_
#define ENGINE_POLICIES_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "engine/tenant_policy.h"
#include "policy/policy.h"
#include "storage/database.h"
#include "storage/policies.h"

namespace sgl::engine {

// Immutable.
struct ActivePolicy {
  // Of the whole set: what settlements are compared by.
  std::string digest;
  std::shared_ptr<const Program> program;
  std::vector<SourceFile> sources;
  // For tenants without a layer of their own.
  std::shared_ptr<const TenantPolicy> plain;
};

// What each tenant is decided under, by its id.
using TenantPolicies =
    absl::flat_hash_map<std::string, std::shared_ptr<const TenantPolicy>>;

// Thread-safe. Owned by the engine; borrows the database.
class Policies {
 public:
  // Compiled layers kept at once, and the bytes of source that they were
  // compiled from: a program takes a small multiple of that. The least
  // recently used goes first.
  static constexpr size_t kLayersMax = 256;
  static constexpr size_t kLayerBytesMax = 64 * 1024 * 1024;
  // Tenants remembered as having this layer or none; beyond that all are
  // looked up again.
  static constexpr size_t kTenantsMax = 100'000;

  // Layers that wait to be compiled: that many are compiled between two batches
  // of drafts, which must not wait long for other tenants' layers.
  static constexpr size_t kWaitingMax = 8;
  // Versions whose check is remembered; beyond that all are forgotten.
  static constexpr size_t kCheckedMax = 1'000;

  explicit Policies(storage::Database* db);
  Policies(const Policies&) = delete;
  Policies& operator=(const Policies&) = delete;

  // Returns the active policy; null where there is none, or none that this
  // build can compile. Then nothing is claimed and submissions are refused.
  std::shared_ptr<const ActivePolicy> active() const;

  // Asks the database what is active, and compiles it where that is another
  // set than before. One reload runs at a time. FAILED_PRECONDITION: the
  // active set does not compile here; active() is null then.
  // Forgets which layers are active, so that they are looked up again.
  // Compiles, so never call it while a transaction of yours holds locks.
  absl::Status Reload();

  // Returns what each of these tenants is decided under, a null for each where
  // `active_or_null` is null. Leaves out those whose layer is not compiled; the
  // first kWaitingMax of them will be by the next CompileWaiting.
  // REQUIRES: they are tenants of the transaction.
  absl::StatusOr<TenantPolicies> ForTenants(
      storage::Transaction& tx,
      const std::shared_ptr<const ActivePolicy>& active_or_null,
      const std::vector<std::string>& tenant_ids);

  // The same for one tenant. ABORTED without a reason where its layer is not
  // compiled yet.
  absl::StatusOr<std::shared_ptr<const TenantPolicy>> ForTenant(
      storage::Transaction& tx,
      const std::shared_ptr<const ActivePolicy>& active_or_null,
      const std::string& tenant_id);

  // Compiles the layers that ForTenants left out. Outside transactions.
  void CompileWaiting();

  // Returns why this version of the platform can't become active, empty where
  // it can; nothing where it was not checked yet: the next CheckWaiting does.
  std::optional<std::string> ObstacleOf(const storage::PolicySet& version);
  // Checks and tests what ObstacleOf did not know. Outside transactions.
  void CheckWaiting();
  void NoteObstacle(const std::string& digest, const std::string& obstacle);

 private:
  struct Layer {
    std::shared_ptr<const TenantPolicy> policy;
    size_t bytes = 0;
    uint64_t last_used = 0;
  };

  // A layer to be compiled with this platform.
  struct Waiting {
    std::shared_ptr<const ActivePolicy> active;
    storage::ActiveLayer layer;
  };

  absl::Status ReloadLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reload_mutex_);
  void Replace(std::shared_ptr<const ActivePolicy> policy);
  // Fills in whom it can from memory; returns the others, and the time of the
  // reading for Remember.
  uint64_t Recall(const ActivePolicy& active,
                  const std::vector<std::string>& tenant_ids,
                  TenantPolicies* found, std::vector<std::string>* others);
  void Remember(uint64_t generation, const std::string& tenant_id,
                const std::string& layer_digest);
  std::shared_ptr<const TenantPolicy> TryLayer(const ActivePolicy& active,
                                               const std::string& digest);
  // Reads and notes layers that CompileWaiting is to compile.
  absl::Status AwaitLayers(storage::Transaction& tx,
                           const std::shared_ptr<const ActivePolicy>& active,
                           std::vector<std::string> digests);
  void CompileLayer(const ActivePolicy& active,
                    const storage::ActiveLayer& layer);
  bool IsChecked(const std::string& digest);

  storage::Database* const db_;
  // LOCK ORDER: one of the first three, then mutex_.
  // Held while compiling and checking what waits, so that each is done once.
  Mutex compile_mutex_;
  Mutex check_mutex_;
  Mutex reload_mutex_;
  // The set that did not compile; so that it is not tried over and over.
  std::string broken_digest_ ABSL_GUARDED_BY(reload_mutex_);
  mutable Mutex mutex_;
  std::shared_ptr<const ActivePolicy> active_ ABSL_GUARDED_BY(mutex_);
  // Counts reloads: what was read before one is not remembered after it.
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;
  // By tenant; empty for one without a layer.
  absl::flat_hash_map<std::string, std::string> layer_digests_
      ABSL_GUARDED_BY(mutex_);
  // By the platform's digest and the layer's.
  absl::flat_hash_map<std::string, Layer> layers_ ABSL_GUARDED_BY(mutex_);
  size_t layer_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t use_count_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  // Versions of the platform, by digest: why they can't become active.
  absl::flat_hash_map<std::string, std::string> obstacles_
      ABSL_GUARDED_BY(mutex_);
  std::vector<storage::PolicySet> unchecked_ ABSL_GUARDED_BY(mutex_);
};

// Returns the refusal of whoever needs a policy where none is active.
absl::Status NoActivePolicy();

// What to do when `--policy` names another set than the active one.
enum class OnOtherPolicy { kRefuse, kActivate };

// From a stored set's files to the policy layer's, and back.
std::vector<SourceFile> SourcesOf(const storage::PolicySet& set);
storage::PolicySet SetOf(const std::string& digest,
                         const std::vector<SourceFile>& sources);

// Stores the files' set and activates it where none is active; where another
// one is, as `on_other` says. Compiles first: a set with errors is never
// stored. INVALID_ARGUMENT: the rendered diagnostics. FAILED_PRECONDITION:
// another set is active, with both digests and the ways out. kActivate takes
// a database on DIRECT_URL: only its owner replaces a policy without a vote.
absl::Status InstallPolicy(storage::Database& db,
                           const std::vector<SourceFile>& sources,
                           OnOtherPolicy on_other);

}  // namespace sgl::engine

#endif  // ENGINE_POLICIES_H_
