#include "tools/sgl/explain_lines.h"

#include <absl/status/statusor.h>
#include <absl/strings/ascii.h>

#include <algorithm>
#include <istream>
#include <ostream>
#include <string>
#include <vector>

namespace sgl::tools {

namespace {

void KeepApplied(Explanation& explanation) {
  std::vector<RuleExplanation>& rules = explanation.rules;
  rules.erase(std::remove_if(rules.begin(), rules.end(),
                             [](const RuleExplanation& rule) {
                               return rule.outcome == RuleOutcome::kNotApplied;
                             }),
              rules.end());
}

}  // namespace

bool ExplainLines(const Program& program, const ExplainFormat& format,
                  std::istream& input, std::ostream& output) {
  bool is_good = true;
  LimitLedger ledger;
  std::string line;
  const char* separator = "";
  while (std::getline(input, line)) {
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    output << separator;
    if (!format.is_json) separator = "\n";
    const absl::StatusOr<RequestLine> request = RequestLine::Read(line);
    if (!request.ok()) {
      output << ErrorToJson(request.status().message()) << "\n";
      is_good = false;
      continue;
    }
    Request counted = request->request();
    counted.limit_totals = &ledger;
    Explanation explanation = Explain(program, counted);
    if (format.is_applied_only) KeepApplied(explanation);
    if (explanation.decision.kind == DecisionKind::kAllow) {
      ledger.Count(explanation.decision.limit_draws, counted.now);
    }
    if (format.is_json) {
      output << ExplanationToJson(explanation) << "\n";
    } else {
      output << ExplanationToText(explanation);
    }
  }
  output.flush();
  return is_good;
}

}  // namespace sgl::tools
