// Parts of a decision as JSON text: what memos and audit entries hold.

#ifndef ENGINE_DECISION_JSON_H_
#define ENGINE_DECISION_JSON_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace sgl::engine {

// The decision's JSON form, and its two lists on their own.
struct DecisionJson {
  // With one more member: `decided_at`, the `now` that the rules saw.
  std::string decision;
  // The arrays `reasons` and `approvals` of it.
  std::string reasons;
  std::string demands;
};

DecisionJson ToJson(const Decision& decision, absl::Time decided_at);

// Returns `decided_at` of what ToJson wrote; nothing where there is none.
std::optional<absl::Time> DecidedAtFromJson(absl::string_view decision);

// Return what ToJson wrote. INTERNAL for anything else: only we write those
// columns.
absl::StatusOr<std::vector<Reason>> ReasonsFromJson(absl::string_view reasons);
absl::StatusOr<std::vector<ApprovalDemand>> DemandsFromJson(
    absl::string_view demands);

}  // namespace sgl::engine

#endif  // ENGINE_DECISION_JSON_H_
