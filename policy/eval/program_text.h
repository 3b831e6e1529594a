// A decision program as people read it: of each type, which values its rules
// are found by, which rules are always run and why, and each rule's code.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_PROGRAM_TEXT_H_
#define POLICY_EVAL_PROGRAM_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "policy/compile/index.h"
#include "policy/compile/program.h"

namespace sgl {

// A type's group in one layer. `*` stands for all types that have none.
struct NamedGroup {
  std::string type;
  size_t group = 0;

  auto operator<=>(const NamedGroup&) const = default;
};

// Returns a layer's groups by type, `*` last.
std::vector<NamedGroup> GroupsOf(const DecisionProgram& program,
                                 const LayerIndex& layer);

// Returns lines for the whole program, by layer and then type.
std::string ProgramText(const DecisionProgram& program);

}  // namespace sgl

#endif  // POLICY_EVAL_PROGRAM_TEXT_H_
