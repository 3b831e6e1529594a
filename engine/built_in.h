// The one intent type whose decision is built in: SGL_POLICY_ACTIVATE, by which
// the platform's active policy is replaced. Pure.
//
// In the system tenant it is a REVIEW with the one demand `2 from policy`,
// whatever policy is active, and where none is: no set of rules can loosen it
// (a takeover), and none can block or tighten it (a lock-out). Everywhere else
// it is blocked. The payload is
//
//   {"digest": "sha256:...", "replaces": "sha256:..."}
//
// where `replaces` is what was active when the activation was asked for, empty
// where nothing was: people vote on that change and on no other.

#ifndef ENGINE_BUILT_IN_H_
#define ENGINE_BUILT_IN_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <optional>
#include <string>

#include "policy/policy.h"
#include "storage/intents.h"

namespace sgl::engine {

inline constexpr char kPolicyActivate[] = "SGL_POLICY_ACTIVATE";
// The role whose holders vote on it.
inline constexpr char kPolicyRole[] = "policy";
// What decisions that no policy made carry as their policy's digest. A change
// of what is built in changes it.
inline constexpr char kBuiltInDigest[] = "built-in:1";
// Whose members alone vote on it.
inline constexpr char kSystemTenant[] = "00000000-0000-0000-0000-000000000001";

struct PolicyActivation {
  std::string digest;
  std::string replaces;
};

// Returns what an SGL_POLICY_ACTIVATE asks for. INVALID_ARGUMENT says what is
// wrong with the payload.
absl::StatusOr<PolicyActivation> ReadPolicyActivation(
    absl::string_view payload);

// Returns the payload that asks for it.
std::string PolicyActivationPayload(const PolicyActivation& activation);

// Returns whether the row is an activation that votes can carry.
bool IsPolicyActivation(const storage::IntentRow& row);

// Returns the decision on an intent of that type; nothing for other types.
// `payload` is what is readable of the row's.
std::optional<Decision> BuiltInDecision(const storage::IntentRow& row,
                                        absl::string_view payload);

}  // namespace sgl::engine

#endif  // ENGINE_BUILT_IN_H_
