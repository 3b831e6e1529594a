#include "tools/sgl/explain_lines.h"

#include <absl/status/statusor.h>
#include <absl/strings/ascii.h>

#include <istream>
#include <ostream>
#include <string>

namespace sgl::tools {

bool ExplainLines(const Program& program, bool is_json, std::istream& input,
                  std::ostream& output) {
  bool is_good = true;
  LimitLedger ledger;
  std::string line;
  const char* separator = "";
  while (std::getline(input, line)) {
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    output << separator;
    if (!is_json) separator = "\n";
    const absl::StatusOr<RequestLine> request = RequestLine::Read(line);
    if (!request.ok()) {
      output << ErrorToJson(request.status().message()) << "\n";
      is_good = false;
      continue;
    }
    Request counted = request->request();
    counted.limit_totals = &ledger;
    const Explanation explanation = Explain(program, counted);
    if (explanation.decision.kind == DecisionKind::kAllow) {
      ledger.Count(explanation.decision.limit_draws, counted.now);
    }
    if (is_json) {
      output << ExplanationToJson(explanation) << "\n";
    } else {
      output << ExplanationToText(explanation);
    }
  }
  output.flush();
  return is_good;
}

}  // namespace sgl::tools
