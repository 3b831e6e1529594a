// Makes the index of a program: the last step of compiling.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_INDEX_BUILDER_H_
#define POLICY_COMPILE_INDEX_BUILDER_H_

#include "policy/compile/program.h"

namespace sgl {

// Groups of fewer rules are run as they are: an index would cost as much.
inline constexpr size_t kIndexedRulesMin = 5;

// Fills in `program`'s index. May number more types, those that conditions
// compare `intent.type` with, and give memos to regexes.
//
// REQUIRES: all else is compiled, and stays where it is.
void BuildIndex(DecisionProgram& program);

}  // namespace sgl

#endif  // POLICY_COMPILE_INDEX_BUILDER_H_
