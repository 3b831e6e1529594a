#include "policy/inspect.h"

#include "policy/eval/program_cost.h"
#include "policy/eval/program_text.h"
#include "policy/eval/self_check.h"

namespace sgl {

std::string Dump(const Program& program) {
  return ProgramText(program.compiled());
}

std::string CostReport(const Program& program) {
  return CostText(program.compiled());
}

std::optional<std::string> Verify(
    const Program& program,
    absl::FunctionRef<void(int64_t, int64_t)> progress) {
  const std::optional<IndexFault> fault =
      CheckIndex(program.compiled(), {}, progress);
  if (!fault.has_value()) return std::nullopt;
  return IndexFaultText(program.compiled(), *fault);
}

}  // namespace sgl
