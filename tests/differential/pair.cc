#include "tests/differential/pair.h"

#include <absl/strings/str_cat.h>

#include "base/zone_loader.h"
#include "policy/eval/reference/line.h"

namespace sgl::tests {

BothPolicies CompileBoth(std::span<const SourceFile> sources) {
  const Zones zones = LoadZones(ZonesNamed(sources));
  BothPolicies policies;
  Compilation compilation = Compile(sources, zones);
  policies.program = std::move(compilation.program);
  policies.diagnostics = std::move(compilation.rendered);
  policies.reference = ReferencePolicy::Create(sources, zones);
  return policies;
}

std::string CompareOnLine(const BothPolicies& policies,
                          absl::string_view line) {
  const absl::StatusOr<RequestLine> read = RequestLine::Read(line);
  const auto reference_line = ReferenceLine::Read(line);
  if (read.ok() != (reference_line != nullptr)) {
    return absl::StrCat(
        "only one of the two reads the line as a request; the "
        "program: ",
        read.status().ToString(), "\n");
  }
  if (!read.ok()) return "";
  const Decision program = Evaluate(*policies.program, read->request());
  const Decision reference =
      policies.reference->Evaluate(reference_line->request());
  const std::string difference = AgreementError(program, reference);
  if (difference.empty()) return "";
  return absl::StrCat(difference, "\nprogram:   ", DecisionToJson(program),
                      "\nreference: ", DecisionToJson(reference), "\n");
}

std::string OutcomeOnLine(const BothPolicies& policies,
                          absl::string_view line) {
  const absl::StatusOr<RequestLine> read = RequestLine::Read(line);
  if (!read.ok()) return "ERROR";
  const Decision decision = Evaluate(*policies.program, read->request());
  std::string code;
  if (!decision.reasons.empty()) {
    code = decision.reasons[0].code;
    if (code.substr(0, 5) == "RULE_") code = "a rule";
  }
  return absl::StrCat(DecisionKindName(decision.kind), " ", code);
}

}  // namespace sgl::tests
