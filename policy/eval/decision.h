// What the policy says of one intent, and its JSON form.
//
// The JSON form is the decision line that `sgl eval` prints; the engine keeps
// it in the database and answers from it:
//
//   {"decision": "REVIEW", "reasons": [{"code": "REGULATED_ACTION",
//    "message": "...", "layer": "platform", "at": "atlas.sgl:25:8"}],
//    "risk": 3, "approvals": [{"count": 1, "roles": ["compliance"]}],
//    "within": "24h", "limits": [{"code": "DAILY_POSTS", "layer": "platform",
//    "per": "agent", "count": 1, "total": 4, "max": 20}],
//    "policy": "sha256:...", "tzdata": "2026f"}
//
// `limits` is there where a limit matched; a limit of spend says `spend_usd`,
// `total_usd` and `max_usd`.

#ifndef POLICY_EVAL_DECISION_H_
#define POLICY_EVAL_DECISION_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/decision_kind.h"
#include "policy/eval/limits.h"

namespace sgl {

// Returns `ALLOW`, `REVIEW` or `BLOCK`.
absl::string_view DecisionKindName(DecisionKind kind);

// One field of a request that does not fit its declaration.
struct FieldViolation {
  // From the request's root: `payload.lines[2].amount`, `intent.spend_usd`.
  std::string path;
  // What is wrong and what would fit, in one clause.
  std::string message;

  bool operator==(const FieldViolation&) const = default;
};

// One rule that applied, or a fault.
struct Reason {
  // The rule's code, or UNKNOWN_INTENT_TYPE, INVALID_PAYLOAD,
  // EVALUATION_FAULT or DEFAULT.
  std::string code;
  std::string message;
  // `platform` or `tenant:SLUG`.
  std::string layer;
  // `path:line:column` of the code in the policy; empty where no line of a
  // policy gave the reason.
  std::string at;
  // For INVALID_PAYLOAD: each field that did not fit. Else empty.
  std::vector<FieldViolation> field_violations;

  bool operator==(const Reason&) const = default;
};

// How many different people must approve, each holding one of the roles.
struct ApprovalDemand {
  int64_t count = 1;
  // Sorted, each once. Empty means anybody who may approve.
  std::vector<std::string> roles;

  bool operator==(const ApprovalDemand&) const = default;
};

struct Decision {
  DecisionKind kind = DecisionKind::kBlock;
  // All reasons of that severity, by file and then position.
  std::vector<Reason> reasons;
  // 0 is low. Only a REVIEW has one other than 0.
  int64_t risk = 0;
  // At least one for REVIEW, else none.
  std::vector<ApprovalDemand> demands;
  // How long the votes may take. Unset: no expiry. Only for REVIEW.
  std::optional<absl::Duration> within;
  // What every limit that matched would count, by file and then position.
  // Empty where no rule was evaluated.
  std::vector<LimitDraw> limit_draws;
  // `sha256:` and hex, over the files that could speak for this tenant.
  std::string policy_digest;
  // Version of the time-zone data that the program was compiled with.
  std::string tzdata_version;

  bool operator==(const Decision&) const = default;
};

// Returns the decision as one line of JSON, without a newline.
std::string DecisionToJson(const Decision& decision);

// Returns the decision that `DecisionToJson` wrote. Members that it does not
// know are skipped, so that a line of a later version can still be read; so is
// `limits`, which is told to people and kept by nobody.
// INVALID_ARGUMENT for anything else.
absl::StatusOr<Decision> DecisionFromJson(absl::string_view json);

// Returns `{"error": "..."}`: what stands in a decision's place where a line
// could not be read as a request.
std::string ErrorToJson(absl::string_view message);

}  // namespace sgl

#endif  // POLICY_EVAL_DECISION_H_
