// Finds the smallest change of one field that gives a milder decision.
//
// Candidates come from the conditions of the rules that decided (or, where a
// default did, of the milder rules that might have): the constants that a field
// is compared with and their neighbours, the members of its enum, the other
// bool, leaving it out. Each is tried by deciding the changed request, so that
// whatever is answered is true. It is a search and not a proof: where nothing
// is found there may still be a change (a text that a regex would match).
//
// Smaller is, in this order: a field of the intent or its payload before one
// of the agent, the tenant and the budget, and that before the time; a value
// that the policy names or stands next to before leaving the field out, and
// that before an empty text; and then the nearer number. The intent's type is
// what the agent wants to do, and never changed.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_EXPLAIN_CHANGE_H_
#define POLICY_EVAL_EXPLAIN_CHANGE_H_

#include <cstddef>
#include <optional>

#include "policy/compile/program.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/explanation.h"
#include "policy/eval/facts.h"

namespace sgl {

// Changed requests that are decided in one search. Half a thousand evaluations
// take milliseconds; policies with more constants than that get the nearest.
inline constexpr size_t kChangesTriedMax = 500;

// Payload bytes above which nothing is tried: each trial reads it anew.
inline constexpr size_t kChangedPayloadBytesMax = 262'144;

// Returns nothing where no such change was found, and for ALLOW.
std::optional<MilderChange> FindMilderChange(const DecisionProgram& program,
                                             const Facts& facts,
                                             const Outcome& outcome,
                                             Evaluator& evaluator);

}  // namespace sgl

#endif  // POLICY_EVAL_EXPLAIN_CHANGE_H_
