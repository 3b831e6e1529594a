#include "tests/language/verbs.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include <functional>
#include <map>
#include <sstream>

#include "base/zone_loader.h"
#include "engine/policy_test_run.h"
#include "tests/language/syntax_verbs.h"
#include "tools/sgl/eval_lines.h"
#include "tools/sgl/explain_lines.h"
#include "tools/sgl/test_report.h"

namespace sgl::tests {
namespace {

Compilation CompileSources(const std::vector<SourceFile>& sources) {
  Zones zones = LoadZones(ZonesNamed(sources));
  // Decisions show it, and machines have others.
  zones.tzdata_version = "2026f";
  return Compile(sources, zones);
}

std::string NameOf(const GoldenBlock& block) {
  return block.args.empty() ? "case" : block.args.front();
}

std::string RunPolicy(const GoldenBlock& block, VerbState& state) {
  if (state.is_set_used) state.sources.clear();
  state.is_set_used = false;
  state.sources.push_back({NameOf(block), block.input});
  return CompileSources(state.sources).Render();
}

std::string RunCheck(const GoldenBlock& block, VerbState&) {
  const std::string rendered =
      CompileSources({{NameOf(block), block.input}}).Render();
  return rendered.empty() ? "ok\n" : rendered;
}

// Cuts off the members that change with every comment of the policy.
std::string WithoutDigest(const std::string& lines) {
  std::istringstream input(lines);
  std::string result;
  std::string line;
  while (std::getline(input, line)) {
    const size_t digest = line.rfind(", \"policy\": \"sha256:");
    absl::StrAppend(&result, line.substr(0, digest),
                    digest == std::string::npos ? "\n" : "}\n");
  }
  return result;
}

// Returns a decision in a form that is quick to read.
std::string Brief(const Decision& decision) {
  std::string line(DecisionKindName(decision.kind));
  absl::string_view separator = " ";
  for (const Reason& reason : decision.reasons) {
    absl::StrAppend(&line, separator, reason.code);
    if (reason.layer != "platform") {
      absl::StrAppend(&line, " of ", reason.layer);
    }
    if (reason.code == "EVALUATION_FAULT") {
      absl::StrAppend(&line, " (", reason.message, ")");
    }
    for (const FieldViolation& violation : reason.field_violations) {
      absl::StrAppend(&line, " (", violation.path, " ", violation.message, ")");
    }
    separator = ", ";
  }
  if (decision.risk != 0) absl::StrAppend(&line, "; risk ", decision.risk);
  for (const ApprovalDemand& demand : decision.demands) {
    absl::StrAppend(&line, "; approvals ", demand.count,
                    demand.roles.empty() ? "" : " from ",
                    absl::StrJoin(demand.roles, ", "));
  }
  if (decision.within.has_value()) {
    absl::StrAppend(&line, "; within ", absl::FormatDuration(*decision.within));
  }
  return line + "\n";
}

// Returns each line as Brief gives it; an error line as it is.
std::string BriefLines(const std::string& lines) {
  std::istringstream input(lines);
  std::string result;
  std::string line;
  while (std::getline(input, line)) {
    const absl::StatusOr<Decision> decision = DecisionFromJson(line);
    result += decision.ok() ? Brief(*decision) : line + "\n";
  }
  return result;
}

std::string RunEval(const GoldenBlock& block, VerbState& state) {
  state.is_set_used = true;
  const Compilation compilation = CompileSources(state.sources);
  if (compilation.program == nullptr) return "the policy has errors\n";
  std::istringstream input(block.input);
  std::ostringstream output;
  tools::EvaluateLines(*compilation.program, input, output);
  const std::string form = block.args.empty() ? "" : block.args.front();
  if (form == "full") return output.str();
  return form == "brief" ? BriefLines(output.str())
                         : WithoutDigest(output.str());
}

std::string RunPolicyTests(const GoldenBlock& block, VerbState& state) {
  state.is_set_used = true;
  const Compilation compilation = CompileSources(state.sources);
  if (compilation.program == nullptr) return "the policy has errors\n";
  const bool with_coverage =
      !block.args.empty() && block.args.front() == "coverage";
  return tools::RenderTestRun(
      engine::RunTests(*compilation.program, compilation.tests), with_coverage);
}

// Cuts the digest out of each line, and all behind it up to a brace.
std::string WithoutInnerDigest(std::string lines) {
  for (size_t at = lines.find(", \"policy\": \"sha256:");
       at != std::string::npos;
       at = lines.find(", \"policy\": \"sha256:", at)) {
    lines.erase(at, lines.find('}', at) - at);
  }
  return lines;
}

std::string RunExplain(const GoldenBlock& block, VerbState& state) {
  state.is_set_used = true;
  const Compilation compilation = CompileSources(state.sources);
  if (compilation.program == nullptr) return "the policy has errors\n";
  const bool is_json = !block.args.empty() && block.args.front() == "json";
  std::istringstream input(block.input);
  std::ostringstream output;
  tools::ExplainLines(*compilation.program, {.is_json = is_json}, input,
                      output);
  return WithoutInnerDigest(output.str());
}

}  // namespace

std::string RunVerb(const GoldenBlock& block, VerbState& state) {
  static const auto* const kVerbs =
      new std::map<std::string,
                   std::function<std::string(const GoldenBlock&, VerbState&)>>{
          {"check", RunCheck},
          {"eval", RunEval},
          {"explain", RunExplain},
          {"format", [](const GoldenBlock& formatted,
                        VerbState&) { return RunFormat(formatted.input); }},
          {"lex", [](const GoldenBlock& lexed,
                     VerbState&) { return RunLex(lexed.input); }},
          {"parse", [](const GoldenBlock& parsed,
                       VerbState&) { return RunParse(parsed.input); }},
          {"policy", RunPolicy},
          {"test", RunPolicyTests},
      };
  const auto verb = kVerbs->find(block.verb);
  if (verb == kVerbs->end()) {
    return absl::StrCat("no verb `", block.verb, "`\n");
  }
  return verb->second(block, state);
}

}  // namespace sgl::tests
