// What evaluating gives before anything is rendered: numbers and views.
//
// A verdict is kept in an EvaluationContext (policy/evaluation.h) and is
// valid until that is used again.

#ifndef POLICY_EVAL_VERDICT_H_
#define POLICY_EVAL_VERDICT_H_

#include <cstdint>
#include <span>

#include "policy/decision_kind.h"
#include "policy/eval/limits.h"
#include "policy/eval/value.h"

namespace sgl {

// A rule that applied, a limit that is exceeded, or either whose condition
// can't be computed.
struct Hit {
  // Its place in Program::rules().
  int32_t rule = 0;
  Fault fault = Fault::kNone;
  // What it makes of the decision: a fault blocks.
  DecisionKind kind = DecisionKind::kBlock;
  bool is_limit = false;
  // Its part of Verdict::values; none of a fault.
  uint32_t first_value = 0;
  uint32_t value_count = 0;
};

// A value that a condition looked at on its way to being true, and the
// instruction of the program that gave it.
struct DecidingValue {
  int32_t instruction = 0;
  Value value;
};

struct Verdict {
  DecisionKind kind = DecisionKind::kBlock;
  // No rule was evaluated: the type is unknown, or the payload does not fit.
  bool is_refusal = false;
  // All of the severity of `kind`, by place. Empty where only the default
  // decided.
  std::span<const Hit> hits;
  // What decided the hits, see Hit::first_value.
  std::span<const DecidingValue> values;
  // Of the limits whose condition is true, by place.
  std::span<const LimitDraw> limit_draws;
};

}  // namespace sgl

#endif  // POLICY_EVAL_VERDICT_H_
