// Turns what the evaluator found into the decision that callers get: rule
// numbers into reasons, values into messages, and demands merged.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_RENDER_H_
#define POLICY_EVAL_RENDER_H_

#include <absl/strings/string_view.h>

#include "policy/compile/program.h"
#include "policy/eval/decision.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/facts.h"
#include "policy/eval/verdict.h"

namespace sgl {

// Returns the decision of a verdict, which is no refusal. `evaluator` is the
// one that gave it; it still knows the values that messages show.
Decision RenderVerdict(const DecisionProgram& program, const Facts& facts,
                       const Verdict& verdict, Evaluator& evaluator);

// Returns the decision where no rule was evaluated: the type is unknown, or
// the payload does not fit.
Decision RenderRefusal(const DecisionProgram& program, const Facts& facts);

// Returns why something can't be computed, in a clause.
absl::string_view FaultPhrase(Fault fault);

}  // namespace sgl

#endif  // POLICY_EVAL_RENDER_H_
