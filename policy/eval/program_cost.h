// The most work that one decision can make, read off the program.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_PROGRAM_COST_H_
#define POLICY_EVAL_PROGRAM_COST_H_

#include <string>

#include "policy/compile/program.h"

namespace sgl {

// Returns a line for each layer and type, and one for the set.
std::string CostText(const DecisionProgram& program);

}  // namespace sgl

#endif  // POLICY_EVAL_PROGRAM_COST_H_
