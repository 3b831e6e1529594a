// Turns a condition into flat code: one test behind the other, each of which
// says where to go on.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_RULE_CODE_H_
#define POLICY_COMPILE_RULE_CODE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/compile/index.h"
#include "policy/compile/program.h"

namespace sgl {

// A condition's code, or its value where nothing is left to test.
struct RuleCode {
  std::vector<Test> tests;
  std::optional<bool> value;
  // The condition is too large: it is left to the evaluator. `tests` is empty.
  bool is_too_large = false;
};

// Returns the code of a condition for requests of one type, or of any type
// where `type_or_null` is null. Its texts are the program's.
RuleCode MakeRuleCode(const DecisionProgram& program, int32_t condition,
                      const std::string* type_or_null);

}  // namespace sgl

#endif  // POLICY_COMPILE_RULE_CODE_H_
