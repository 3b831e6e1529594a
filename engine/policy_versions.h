// Policy versions: checked, proposed, looked at, activated.
//
// The platform's are the business of the system tenant: its operators, and its
// members who hold the role `policy`, propose them and ask for their
// activation, which two of those members must approve (built_in.h). A tenant's
// own layer is the business of its members who hold that role; each of them
// activates it alone, since a layer can only tighten.

#ifndef ENGINE_POLICY_VERSIONS_H_
#define ENGINE_POLICY_VERSIONS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/check_turns.h"
#include "engine/executors.h"
#include "engine/policies.h"
#include "engine/policy_check.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/policies.h"

namespace sgl::engine {

inline constexpr size_t kDescriptionMax = 5000;  // Characters.

enum class PolicyScope : uint8_t {
  // The platform's for callers of the system tenant, else the caller's
  // tenant's.
  kCallers,
  kPlatform,
  kTenant,
};

// Returns whose rules a caller means.
PolicyScope ResolveScope(const storage::Principal& principal,
                         PolicyScope whose);

// Returns OK for who may propose and try versions: the platform's, operators
// and holders of the role `policy` in the system tenant; a tenant's, the same
// in that tenant. Else PERMISSION_DENIED (ROLE_MISSING, NOT_SYSTEM_TENANT), for
// the caller. `whose` is resolved.
absl::Status CheckPolicyRole(const storage::Principal& principal,
                             PolicyScope whose);

struct Proposal {
  CheckedVersion checked;
  // Nothing where the files have errors: then nothing was stored.
  std::optional<storage::PolicyVersion> version;
  // It was stored before.
  bool existed = false;
};

// Which version. Neither: the active one.
struct PolicyName {
  std::string id = {};
  std::string digest = {};
};

struct PolicyActivationRequest {
  // For the platform's; a UUID.
  std::string request_id = {};
  PolicyName name = {};
  std::string rationale = {};
  bool allow_broken_layers = false;
};

struct RequestedActivation {
  storage::PolicyVersion version;
  // For the platform's: what waits for approval.
  std::optional<storage::IntentRow> intent;
};

// Thread-safe. Owned by the engine; borrows what it is made of.
class PolicyVersions {
 public:
  // Layers of tenants that one activation is tried with.
  static constexpr int kLayersTriedMax = 10'000;

  PolicyVersions(storage::Database* db, Policies* policies,
                 const ExecutorRegistry* executors);

  // Compiles and tests the files; stores nothing. For the caller:
  // INVALID_ARGUMENT naming bad fields, FAILED_PRECONDITION NO_ACTIVE_POLICY
  // for a tenant's where the platform has none, RESOURCE_EXHAUSTED.
  absl::StatusOr<CheckedVersion> Check(const CallScope& scope,
                                       PolicyScope whose,
                                       std::vector<SourceFile> sources);

  // Stores the files as a version, unless they have errors or are stored
  // already. Beside Check's statuses: PERMISSION_DENIED (ROLE_MISSING,
  // NOT_SYSTEM_TENANT).
  absl::StatusOr<Proposal> Propose(const CallScope& scope, PolicyScope whose,
                                   std::vector<SourceFile> sources,
                                   const std::string& description);

  // Each for the caller: NOT_FOUND (POLICY_NOT_FOUND). Of the platform's, who
  // is not of the system tenant sees the active version only.
  absl::StatusOr<storage::PolicyVersion> Get(const CallScope& scope,
                                             PolicyScope whose,
                                             const PolicyName& name);
  absl::StatusOr<std::vector<storage::PolicyVersion>> List(
      const CallScope& scope, PolicyScope whose,
      const std::optional<storage::PageCursor>& after, int limit);

  // Activates a tenant's version, or asks for votes on one of the platform's.
  // For the caller, beside Propose's: FAILED_PRECONDITION (POLICY_REFUSED with
  // the obstacle, POLICY_ACTIVE, LAYERS_BREAK naming tenants), ALREADY_EXISTS
  // for a request id with another body.
  absl::StatusOr<RequestedActivation> Activate(
      const CallScope& scope, PolicyScope whose,
      const PolicyActivationRequest& request);

 private:
  // What a version of this scope is checked with.
  absl::StatusOr<VersionSources> FilesOf(const CallScope& scope,
                                         PolicyScope whose,
                                         std::vector<SourceFile> sources) const;
  absl::StatusOr<CheckedVersion> CheckFiles(const CallScope& scope,
                                            const VersionSources& files);
  absl::Status CheckActivatable(const CallScope& scope,
                                const storage::PolicyVersion& version,
                                const std::vector<SourceFile>& platform);
  absl::Status CheckLayers(const CallScope& scope,
                           const storage::PolicyVersion& version);
  absl::StatusOr<RequestedActivation> AskForVotes(
      const CallScope& scope, const PolicyActivationRequest& request);
  absl::StatusOr<storage::IntentRow> SubmitActivation(
      const CallScope& scope, const PolicyActivationRequest& request,
      const storage::PolicyVersion& version);
  absl::StatusOr<RequestedActivation> ActivateLayer(const CallScope& scope,
                                                    const PolicyName& name);
  absl::Status TryActivateLayer(const CallScope& scope,
                                const storage::PolicyVersion& version);

  storage::Database* const db_;
  Policies* const policies_;
  const ExecutorRegistry* const executors_;
  CheckTurns turns_;
};

}  // namespace sgl::engine

#endif  // ENGINE_POLICY_VERSIONS_H_
