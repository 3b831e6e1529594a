// The reference evaluator's values, and payloads as values: every declared
// field validated against its type.
//
// Internal to the reference evaluator.

#ifndef POLICY_EVAL_REFERENCE_PAYLOAD_H_
#define POLICY_EVAL_REFERENCE_PAYLOAD_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policy/check/checked_policy.h"
#include "policy/eval/decision.h"
#include "policy/eval/reference/json_tree.h"
#include "policy/eval/request.h"

namespace sgl::reference {

// What an expression can give.
struct Cell {
  enum class State { kMissing, kPresent, kFault };

  State state = State::kMissing;
  // Of a fault: why, as a decision words it.
  std::string fault;
  int64_t number = 0;
  std::string text;
  // Items of a list, or fields of a record; shared so that copies are cheap.
  std::shared_ptr<const std::vector<Cell>> parts;

  bool is_present() const { return state == State::kPresent; }
  bool is_fault() const { return state == State::kFault; }
  bool is_true() const { return is_present() && number != 0; }
  bool is_false() const { return is_present() && number == 0; }

  static Cell Number(int64_t number);
  static Cell Bool(bool value) { return Number(value ? 1 : 0); }
  static Cell Text(absl::string_view text);
  static Cell Parts(std::vector<Cell> parts);
  static Cell Fault(absl::string_view why);
};

// A payload against the declarations that concern it.
struct PayloadFacts {
  std::optional<JsonTree> tree;
  std::vector<Cell> slots;  // by CheckedPolicy::slots
  // Paths only: how to word them is for people, not for agreement.
  std::vector<FieldViolation> violations;
};

// Returns whether platform declarations know the type.
bool IsTypeKnown(const CheckedPolicy& policy, absl::string_view type);

// Returns the tenant layer that speaks for the slug, if there is one.
std::optional<LayerId> TenantLayer(const CheckedPolicy& policy,
                                   absl::string_view slug);

PayloadFacts ReadPayload(const CheckedPolicy& policy, const Request& request);

}  // namespace sgl::reference

#endif  // POLICY_EVAL_REFERENCE_PAYLOAD_H_
