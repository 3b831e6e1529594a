#include "tools/sgl/eval_lines.h"

#include <absl/status/statusor.h>

#include <istream>
#include <ostream>
#include <string>

namespace sgl::tools {

bool EvaluateLines(const Program& program, std::istream& input,
                   std::ostream& output) {
  bool is_good = true;
  LimitLedger ledger;
  std::string line;
  while (std::getline(input, line)) {
    const absl::StatusOr<RequestLine> request = RequestLine::Read(line);
    if (request.ok()) {
      Request counted = request->request();
      counted.limit_totals = &ledger;
      const Decision decision = Evaluate(program, counted);
      if (decision.kind == DecisionKind::kAllow) {
        ledger.Count(decision.limit_draws, counted.now);
      }
      output << DecisionToJson(decision) << "\n";
    } else {
      output << ErrorToJson(request.status().message()) << "\n";
      is_good = false;
    }
  }
  output.flush();
  return is_good;
}

}  // namespace sgl::tools
