#include "tools/sgl/eval_lines.h"

#include <absl/status/statusor.h>

#include <istream>
#include <ostream>
#include <string>

namespace sgl::tools {

namespace {

void CountDecision(DecisionKind kind, LineCounts& counts) {
  switch (kind) {
    case DecisionKind::kAllow:
      ++counts.allows;
      break;
    case DecisionKind::kReview:
      ++counts.reviews;
      break;
    case DecisionKind::kBlock:
      ++counts.blocks;
      break;
  }
}

}  // namespace

LineCounts EvaluateLines(const Program& program, std::istream& input,
                         std::ostream& output) {
  LineCounts counts;
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
      CountDecision(decision.kind, counts);
      output << DecisionToJson(decision) << "\n";
    } else {
      output << ErrorToJson(request.status().message()) << "\n";
      ++counts.errors;
    }
  }
  output.flush();
  return counts;
}

}  // namespace sgl::tools
