// The three decisions, in order of strictness. The checker, the evaluator and
// their callers share it.

#ifndef POLICY_DECISION_KIND_H_
#define POLICY_DECISION_KIND_H_

#include <cstdint>

namespace sgl {

// A greater one wins over a smaller one, between rules and between layers.
enum class DecisionKind : uint8_t { kAllow = 0, kReview = 1, kBlock = 2 };

}  // namespace sgl

#endif  // POLICY_DECISION_KIND_H_
