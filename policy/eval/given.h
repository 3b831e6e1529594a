// The `test` blocks of a policy, checked: requests with the decisions that
// they must get. Plain data; `sgl test` runs it.

#ifndef POLICY_EVAL_GIVEN_H_
#define POLICY_EVAL_GIVEN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/decision_kind.h"
#include "policy/eval/decision.h"
#include "policy/eval/request.h"

namespace sgl {

// What stands after `given`. Owns its text. What is left out is the empty value
// of its type; times are microseconds since 1970.
struct GivenRequest {
  std::string id;
  std::string type;
  std::string requested_by;
  std::string payload;  // a JSON object
  int64_t spend_micros_usd = 0;
  DataClass data_class = DataClass::kNone;
  int64_t created_at = 0;

  bool agent_known = false;
  std::string agent_id;
  std::string agent_name;
  std::string agent_role;
  std::string agent_status;
  int64_t agent_tier = 0;
  std::vector<std::string> agent_labels;

  std::string tenant_id;
  std::string tenant_slug;
  Seat tenant_seat = Seat::kFreeBeta;
  std::vector<std::string> tenant_connected;

  BudgetFacts budget;
  int64_t now = 0;
  // What was given of `intent` on purpose though it does not fit.
  std::vector<FieldViolation> violations;

  // Returns the request, which views this object.
  Request View() const;
};

// One `given … expect …`.
struct TestStep {
  GivenRequest given;
  std::string text;  // what is given, as written, on one line
  std::string at;    // `path:line:column`
  DecisionKind decision = DecisionKind::kBlock;
  // The exact set of reasons, sorted; nothing where any will do.
  std::optional<std::vector<std::string>> codes;
};

// One `test` block. Its steps run in order; limits count on from one to the
// next, and start empty.
struct PolicyTest {
  std::string name;
  std::string at;  // `path:line:column` of the name
  std::vector<TestStep> steps;
};

}  // namespace sgl

#endif  // POLICY_EVAL_GIVEN_H_
