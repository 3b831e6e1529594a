// Finds out why a request was decided as it was, by walking the compiled
// conditions beside the evaluator that ran them. Slow where the evaluator is
// fast: for one request that somebody asks about.
//
// Which part of a condition decided: an `and` that is false goes by its first
// operand that is false, an `or` that is true by its first that is true, `any`
// and `all` by their first such item; otherwise all operands count. `not` goes
// by its operand. What is left is a comparison, a call or a value.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_EXPLAIN_H_
#define POLICY_EVAL_EXPLAIN_H_

#include <cstddef>
#include <vector>

#include "policy/compile/program.h"
#include "policy/eval/decision.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/explanation.h"
#include "policy/eval/facts.h"

namespace sgl {

// Parts shown of one rule, and values of one part. An `or` of a thousand
// comparisons that are all false says enough with its first few.
inline constexpr size_t kDecidingPartsMax = 12;
inline constexpr size_t kSeenValuesMax = 8;

// Returns an account of each rule and limit of the layers that concern the
// request. `outcome` is what `evaluator` gave, `decision` what became of it.
std::vector<RuleExplanation> ExplainRules(const DecisionProgram& program,
                                          const Facts& facts,
                                          const Outcome& outcome,
                                          const Decision& decision,
                                          Evaluator& evaluator);

// Returns the declared type nearest to an unknown one, empty where none is.
std::string NearestType(const DecisionProgram& program, const Facts& facts);

}  // namespace sgl

#endif  // POLICY_EVAL_EXPLAIN_H_
