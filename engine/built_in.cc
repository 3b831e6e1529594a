#include "engine/built_in.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>
#include <absl/time/time.h>

#include <nlohmann/json.hpp>

namespace sgl::engine {
namespace {

using ::nlohmann::ordered_json;

constexpr int64_t kApprovers = 2;
constexpr int64_t kRisk = 3;
// Votes of another week were given to another situation.
constexpr absl::Duration kWithin = absl::Hours(7 * 24);

Decision Blocked(absl::string_view code, absl::string_view message) {
  Decision decision;
  decision.kind = DecisionKind::kBlock;
  decision.reasons.push_back({.code = std::string(code),
                              .message = std::string(message),
                              .layer = "platform",
                              .at = "",
                              .field_violations = {}});
  decision.policy_digest = kBuiltInDigest;
  return decision;
}

bool IsDigest(absl::string_view text) {
  if (!absl::ConsumePrefix(&text, "sha256:") || text.size() != 64) return false;
  for (const char c : text) {
    if (!absl::ascii_isdigit(c) && (c < 'a' || c > 'f')) return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<PolicyActivation> ReadPolicyActivation(
    absl::string_view payload) {
  const ordered_json json =
      ordered_json::parse(payload.begin(), payload.end(), nullptr, false);
  const auto text = [&](const char* name) -> std::optional<std::string> {
    if (!json.is_object()) return std::nullopt;
    const auto found = json.find(name);
    if (found == json.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
  };
  const std::optional<std::string> digest = text("digest");
  if (!digest.has_value() || !IsDigest(*digest)) {
    return absl::InvalidArgumentError(
        "`digest` names no policy version: `sha256:` and 64 hex digits");
  }
  const std::optional<std::string> replaces = text("replaces");
  if (!replaces.has_value() || (!replaces->empty() && !IsDigest(*replaces))) {
    return absl::InvalidArgumentError(
        "`replaces` must be the digest that was active, or empty");
  }
  return PolicyActivation{.digest = *digest, .replaces = *replaces};
}

std::string PolicyActivationPayload(const PolicyActivation& activation) {
  const ordered_json json = {{"digest", activation.digest},
                             {"replaces", activation.replaces}};
  return json.dump();
}

bool IsPolicyActivation(const storage::IntentRow& row) {
  return row.intent_type == kPolicyActivate && row.tenant_id == kSystemTenant;
}

std::optional<Decision> BuiltInDecision(const storage::IntentRow& row,
                                        absl::string_view payload) {
  if (row.intent_type != kPolicyActivate) return std::nullopt;
  if (!IsPolicyActivation(row)) {
    return Blocked(
        "UNKNOWN_INTENT_TYPE",
        absl::StrCat(kPolicyActivate, " is for the system tenant alone"));
  }
  const absl::StatusOr<PolicyActivation> activation =
      ReadPolicyActivation(payload);
  if (!activation.ok()) {
    return Blocked("INVALID_PAYLOAD", activation.status().message());
  }
  Decision decision;
  decision.kind = DecisionKind::kReview;
  decision.reasons.push_back(
      {.code = kPolicyActivate,
       .message = absl::StrCat(
           "the platform's policy becomes ", activation->digest, " instead of ",
           activation->replaces.empty() ? "none" : activation->replaces),
       .layer = "platform",
       .at = "",
       .field_violations = {}});
  decision.risk = kRisk;
  decision.demands.push_back({.count = kApprovers, .roles = {kPolicyRole}});
  decision.within = kWithin;
  decision.policy_digest = kBuiltInDigest;
  return decision;
}

}  // namespace sgl::engine
