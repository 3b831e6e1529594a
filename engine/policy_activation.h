// The effect of an approved SGL_POLICY_ACTIVATE (built_in.h): another version
// of the platform's policy becomes the active one, in the transaction of the
// vote that was missing.

#ifndef ENGINE_POLICY_ACTIVATION_H_
#define ENGINE_POLICY_ACTIVATION_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <functional>
#include <string>

#include "engine/policies.h"
#include "engine/policy_check.h"
#include "engine/settlement.h"
#include "storage/database.h"
#include "storage/intents.h"
#include "storage/policies.h"

namespace sgl::engine {

// Checks a stored version once more, from its files: that they are those of
// its digest, that they compile here without errors, that this engine can
// serve them and that their tests pass. Returns why it can't become active;
// empty where it can. `platform` is empty for a version of the platform. Slow,
// see CheckVersion, whose `must_stop` it takes: what it returns then says
// nothing.
std::string WhyNotActivatable(const storage::PolicyVersion& version,
                              const std::string& tenant_slug,
                              const std::vector<SourceFile>& platform,
                              const std::function<bool()>& must_stop = nullptr);

// Applies it, or says in the effect why not (nothing is changed then). Any
// other status failed the transaction; ABORTED without a reason: the version is
// to be checked first, by Policies::CheckWaiting. Takes the policy lock alone,
// so no decision of a policy may have been settled in this transaction before.
// REQUIRES: the locks of the intent and its memo; the votes met the demand.
absl::StatusOr<Effect> ApplyPolicyActivation(storage::Transaction& tx,
                                             const storage::IntentRow& row,
                                             Policies* policies,
                                             const std::string& last_voter);

// Makes a stored version the platform's active one without a vote, with an
// entry of level security that holds the reason. For an emergency, on a
// database on DIRECT_URL. NOT_FOUND; FAILED_PRECONDITION where it is active
// already or can't be; INVALID_ARGUMENT without a reason.
absl::Status BreakGlass(storage::Database& db, const std::string& digest,
                        const std::string& reason);

}  // namespace sgl::engine

#endif  // ENGINE_POLICY_ACTIVATION_H_
