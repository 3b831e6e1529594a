// A version of the rules tried on the decisions of a period: each is taken
// again from its recorded facts, and compared with what was decided then.
//
//   auto replay = replays.Begin(scope, request);
//   do {
//     progress = (*replay)->Step(scope);
//   } while (progress.ok() && !progress->is_caught_up);
//   (*replay)->tally().Changes();
//
// A version of the platform is tried on the decisions of all tenants, each
// together with the layer that is active for that tenant now; a tenant's layer
// on that tenant's, together with the platform's active set. So it tells what
// would be decided if the version were active.
//
// It reads page by page, each in a transaction of its own for one tenant, and
// holds one page in memory. Going on after it caught up follows the decisions
// that are made meanwhile: a version that runs in the shadow of the active one.

#ifndef ENGINE_POLICY_REPLAY_H_
#define ENGINE_POLICY_REPLAY_H_

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/policies.h"
#include "engine/policy_versions.h"
#include "engine/recorded_decision.h"
#include "engine/replay_tally.h"
#include "engine/tenant_policy.h"
#include "storage/database.h"
#include "storage/decisions.h"

namespace sgl::engine {

struct PolicyReplayRequest {
  PolicyScope whose = PolicyScope::kCallers;
  PolicyName name = {};
  absl::Time start = {};
  // Unset: up to now.
  std::optional<absl::Time> end = {};
  // Empty: all.
  std::string intent_type = {};
  int examples_max = 5;
  // Goes on with what is decided from then on; there is no `end`.
  bool follows = false;
};

// How far a replay is.
struct ReplayProgress {
  // All that there is was read.
  bool is_caught_up = false;
  int64_t tenants_done = 0;
  int64_t tenant_count = 0;
  // The time of the last decision that was read; unset before the first.
  std::optional<absl::Time> position;
};

// Confined to one thread at a time. Holds one of the engine's few places for
// replays until it is destroyed.
class PolicyReplay {
 public:
  // Rows read at once: a round trip for thousands, and some MiB in memory.
  static constexpr int kPageRows = 4'000;
  // Who follows stays this far behind: what was decided may be committed a
  // little later.
  static constexpr absl::Duration kLag = absl::Seconds(2);

  PolicyReplay(const PolicyReplay&) = delete;
  PolicyReplay& operator=(const PolicyReplay&) = delete;
  ~PolicyReplay();

  // Reads and decides the next page. For the caller: CANCELLED,
  // DEADLINE_EXCEEDED. Any other failure ends the replay too.
  absl::StatusOr<ReplayProgress> Step(const CallScope& scope);

  const ReplayTally& tally() const { return tally_; }
  const std::string& digest() const { return digest_; }

 private:
  friend class PolicyReplays;
  // A tenant, how far its decisions are read, and what decides them.
  struct Tenant {
    std::string id;
    storage::DecisionCursor after;
  };

  PolicyReplay(storage::Database* db, std::atomic<int>* places,
               const PolicyReplayRequest& request);

  absl::Status ListTenants(const CallScope& scope);
  absl::StatusOr<std::shared_ptr<const TenantPolicy>> PolicyOf(
      storage::Transaction& tx, const std::string& tenant_id);
  void Decide(const std::string& tenant_id, const storage::DecisionView& view);
  // Whether the verdict is what was recorded; false where that takes more to
  // tell than rules' codes.
  bool IsPlainlySame(const RecordedDecision& recorded,
                     const Verdict& verdict) const;
  // Makes this policy the one that decides.
  void Use(std::shared_ptr<const TenantPolicy> policy);
  // Ends the round: what comes next starts with the first tenant again.
  absl::Status BeginRound(const CallScope& scope);

  storage::Database* const db_;
  std::atomic<int>* const places_;
  const PolicyReplayRequest request_;
  std::string digest_;
  // The version; for a tenant's, with the platform's active set.
  std::shared_ptr<const TenantPolicy> candidate_;
  // Its files, for tenants with a layer; empty for a tenant's version.
  PolicyFileSet platform_;
  std::vector<Tenant> tenants_;
  size_t at_ = 0;
  // By the layer's digest: the version with a tenant's layer.
  absl::flat_hash_map<std::string, std::shared_ptr<const TenantPolicy>> layers_;
  // Of the tenant that is being read; null until its first page. With it, where
  // it has a program, what evaluating that takes and its rules by place.
  std::shared_ptr<const TenantPolicy> policy_;
  std::optional<EvaluationContext> context_;
  std::vector<RuleInfo> rules_;
  // Up to where this round reads.
  absl::Time round_end_;
  bool is_in_round_ = false;
  std::optional<absl::Time> position_;
  RecordedDecisionReader reader_;
  ReplayTally tally_;
};

// Begins replays. Thread-safe. Owned by the engine; borrows what it is made of.
class PolicyReplays {
 public:
  // Replays at once, more are refused (RESOURCE_EXHAUSTED): each keeps a core
  // busy until it caught up.
  static constexpr int kReplaysMax = 8;

  PolicyReplays(storage::Database* db, Policies* policies,
                PolicyVersions* versions);

  // For the caller: INVALID_ARGUMENT naming bad fields, PERMISSION_DENIED
  // (ROLE_MISSING, NOT_SYSTEM_TENANT), NOT_FOUND (POLICY_NOT_FOUND),
  // FAILED_PRECONDITION (POLICY_REFUSED where it does not compile,
  // NO_ACTIVE_POLICY for a tenant's), RESOURCE_EXHAUSTED.
  absl::StatusOr<std::unique_ptr<PolicyReplay>> Begin(
      const CallScope& scope, const PolicyReplayRequest& request);

 private:
  absl::Status CompileCandidate(const CallScope& scope, PolicyScope whose,
                                const storage::PolicyVersion& version,
                                PolicyReplay* replay);

  storage::Database* const db_;
  Policies* const policies_;
  PolicyVersions* const versions_;
  std::atomic<int> places_ = 0;
};

}  // namespace sgl::engine

#endif  // ENGINE_POLICY_REPLAY_H_
