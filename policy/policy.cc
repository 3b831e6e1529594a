#include "policy/policy.h"

#include <absl/types/span.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/sha256.h"
#include "policy/check/check.h"
#include "policy/compile/compiler.h"
#include "policy/compile/program.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/explain.h"
#include "policy/eval/explain_change.h"
#include "policy/eval/facts.h"
#include "policy/eval/render.h"
#include "policy/eval/self_check.h"
#include "policy/syntax/ast.h"
#include "policy/syntax/parser.h"

namespace sgl {
namespace {

// Returns the files in the order of their names, in which reasons are listed.
SourceSet SortByName(std::span<const SourceFile> sources) {
  std::vector<const SourceFile*> files;
  for (const SourceFile& source : sources) files.push_back(&source);
  std::stable_sort(files.begin(), files.end(),
                   [](const SourceFile* left, const SourceFile* right) {
                     return left->name < right->name;
                   });
  SourceSet set;
  for (const SourceFile* file : files) set.Add(file->name, file->text);
  return set;
}

std::vector<Ast> ParseAll(const SourceSet& sources, Diagnostics& diagnostics) {
  std::vector<Ast> files;
  for (int i = 0; i < sources.size(); ++i) {
    files.push_back(Parse(sources, static_cast<FileId>(i), diagnostics));
  }
  return files;
}

}  // namespace

Program::Program(std::unique_ptr<const DecisionProgram> compiled)
    : compiled_(std::move(compiled)) {}

Program::~Program() = default;

const std::string& Program::set_digest() const { return compiled_->set_digest; }

const std::string& Program::digest(absl::string_view tenant_slug) const {
  const auto layer = compiled_->layer_of_tenant.find(tenant_slug);
  const size_t number = layer == compiled_->layer_of_tenant.end()
                            ? 0
                            : static_cast<size_t>(layer->second);
  return compiled_->layers[number].digest;
}

const std::vector<std::string>& Program::intent_types() const {
  return compiled_->intent_types;
}

bool Program::has_star() const { return compiled_->has_star; }

const std::vector<std::string>& Program::tenant_slugs() const {
  return compiled_->tenant_slugs;
}

std::vector<RuleInfo> Program::rules() const {
  std::vector<RuleInfo> rules(compiled_->rules.size());
  for (const ProgramRule& rule : compiled_->rules) {
    RuleInfo& info = rules[static_cast<size_t>(rule.place)];
    info.code = rule.code;
    info.at = rule.at;
    info.layer = rule.layer;
  }
  for (const ProgramLayer& layer : compiled_->layers) {
    for (const int32_t id : layer.rules_on_all) {
      const ProgramRule& rule = compiled_->rules[static_cast<size_t>(id)];
      rules[static_cast<size_t>(rule.place)].is_unconditional =
          rule.condition < 0;
    }
  }
  return rules;
}

const std::string& Program::tzdata_version() const {
  return compiled_->tzdata_version;
}

std::vector<std::string> ZonesNamed(std::span<const SourceFile> sources) {
  const SourceSet set = SortByName(sources);
  Diagnostics ignored;
  return NamedZones(ParseAll(set, ignored));
}

std::vector<std::string> LayersNamed(std::span<const SourceFile> sources) {
  SourceSet set;
  for (const SourceFile& source : sources) set.Add(source.name, source.text);
  Diagnostics ignored;
  std::vector<std::string> slugs;
  for (const Ast& file : ParseAll(set, ignored)) {
    slugs.push_back(file.layer == LayerKind::kTenant ? file.tenant_slug.text
                                                     : "");
  }
  return slugs;
}

std::string SetDigest(std::span<const SourceFile> sources) {
  std::vector<std::string> hashes;
  for (const SourceFile& source : sources) {
    hashes.push_back(Sha256Hex(source.text));
  }
  return DigestOfHashes(std::move(hashes));
}

Compilation Compile(std::span<const SourceFile> sources, const Zones& zones) {
  const SourceSet set = SortByName(sources);
  Diagnostics diagnostics;
  const std::vector<Ast> files = ParseAll(set, diagnostics);
  CheckedPolicy policy = Check(set, files, zones, diagnostics);
  Compilation compilation;
  compilation.error_count = diagnostics.error_count();
  compilation.warning_count = diagnostics.warning_count();
  compilation.rendered = RenderAll(set, diagnostics);
  compilation.findings = Findings(set, diagnostics);
  if (compilation.error_count == 0) {
    compilation.program =
        std::make_shared<const Program>(CompileProgram(set, policy, zones));
    const DecisionProgram& compiled = compilation.program->compiled();
    const std::optional<IndexFault> fault =
        CheckIndex(compiled, {.rule_runs_max = kSelfCheckRuleRunsMax},
                   [](int64_t, int64_t) {});
    if (fault.has_value()) {
      compilation.rendered += IndexFaultText(compiled, *fault);
      ++compilation.error_count;
      compilation.program = nullptr;
      return compilation;
    }
    compilation.tests = std::move(policy.tests);
  }
  return compilation;
}

Decision Evaluate(const Program& program, const Request& request) {
  const ParsedRequest parsed(program, request);
  EvaluationContext context(program);
  const Verdict& verdict = Evaluate(program, parsed, context);
  return Render(program, parsed, verdict, context);
}

Examination Examine(const Program& program, const Request& request) {
  const DecisionProgram& compiled = program.compiled();
  const Facts facts = DecodeFacts(compiled, request);
  Examination result;
  if (!facts.is_type_known || !facts.violations.empty()) {
    result.decision = RenderRefusal(compiled, facts);
    return result;
  }
  Evaluator evaluator(compiled, facts);
  const Outcome outcome = evaluator.Run();
  result.decision =
      RenderVerdict(compiled, facts, outcome.verdict(), evaluator);
  result.layers.push_back(0);
  if (facts.tenant_layer >= 0) result.layers.push_back(facts.tenant_layer);
  for (const Hit& hit : outcome.all_hits) {
    if (hit.fault != Fault::kNone) continue;
    result.applied.push_back(
        compiled.rules[static_cast<size_t>(hit.rule)].place);
  }
  for (const ProgramAssert& item : compiled.asserts) {
    const bool is_kept = std::count(item.decisions.begin(),
                                    item.decisions.end(), outcome.kind) > 0;
    if (is_kept || !evaluator.IsAbout(item)) continue;
    result.broken_asserts.push_back({item.name, item.at, item.demand});
  }
  return result;
}

Explanation Explain(const Program& program, const Request& request) {
  const DecisionProgram& compiled = program.compiled();
  const Facts facts = DecodeFacts(compiled, request);
  Explanation explanation;
  if (!facts.is_type_known || !facts.violations.empty()) {
    explanation.decision = RenderRefusal(compiled, facts);
    if (!facts.is_type_known) {
      explanation.nearest_type = NearestType(compiled, facts);
    }
    return explanation;
  }
  Evaluator evaluator(compiled, facts);
  const Outcome outcome = evaluator.Run();
  explanation.decision =
      RenderVerdict(compiled, facts, outcome.verdict(), evaluator);
  explanation.rules =
      ExplainRules(compiled, facts, outcome, explanation.decision, evaluator);
  explanation.milder_change =
      FindMilderChange(compiled, facts, outcome, evaluator);
  return explanation;
}

}  // namespace sgl
