#include "tools/sgl/eval_lines.h"

#include <absl/status/status.h>

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
  RequestReader reader(program);
  EvaluationContext context(program);
  ParsedRequest request;
  std::string line;
  while (std::getline(input, line)) {
    const absl::Status status = reader.ReadLine(line, &ledger, &request);
    if (status.ok()) {
      const Verdict& verdict = Evaluate(program, request, context);
      const Decision decision = Render(program, request, verdict, context);
      if (decision.kind == DecisionKind::kAllow) {
        ledger.Count(decision.limit_draws, request.request().now);
      }
      CountDecision(decision.kind, counts);
      output << DecisionToJson(decision) << "\n";
    } else {
      output << ErrorToJson(status.message()) << "\n";
      ++counts.errors;
    }
  }
  output.flush();
  return counts;
}

}  // namespace sgl::tools
