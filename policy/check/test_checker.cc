// Tests: what is expected, held against the rules that there are.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/diagnostics/suggest.h"

namespace sgl {
namespace {

// Whether a code is among those expected, or any will do.
bool MayExpect(const TestStepSyntax& syntax, absl::string_view code) {
  if (syntax.decision.text != "block") return false;
  return !syntax.has_codes ||
         std::any_of(syntax.codes.begin(), syntax.codes.end(),
                     [&](const Name& name) { return name.text == code; });
}

}  // namespace

void Checker::CheckTests(File& file) {
  for (const TestSyntax& syntax : file.ast->tests) {
    scope_ = Scope{};
    scope_.file = &file;
    PolicyTest test;
    test.name = syntax.name;
    test.at = sources_.Describe(syntax.name_span);
    if (syntax.steps.empty()) {
      Report(DiagnosticKind::kNoEffect, syntax.name_span,
             "the test tries nothing")
          .Help("`given { … } expect …`");
    }
    for (const TestStepSyntax& step : syntax.steps) {
      test.steps.push_back(CheckTestStep(step));
    }
    policy_.tests.push_back(std::move(test));
  }
}

TestStep Checker::CheckTestStep(const TestStepSyntax& syntax) {
  const Span span = ast().object(syntax.given).span;
  Given given;
  given.may_be_invalid = MayExpect(syntax, "INVALID_PAYLOAD");
  given.may_be_unknown = MayExpect(syntax, "UNKNOWN_INTENT_TYPE");
  CheckGiven(syntax.given, given);
  TestStep step;
  step.text = absl::StrJoin(
      absl::StrSplit(sources_.TextAt(span), absl::ByAnyChar(" \n\r\t"),
                     absl::SkipEmpty()),
      " ");
  step.at = sources_.Describe(span);
  step.decision = KindOfWord(syntax.decision.text);
  if (syntax.has_codes) step.codes = CheckExpectedCodes(syntax, given.layer);
  step.given = std::move(given.request);
  return step;
}

// Returns the codes sorted, each once. Reports those that no reason can have.
std::vector<std::string> Checker::CheckExpectedCodes(
    const TestStepSyntax& syntax, LayerId tenant) {
  std::vector<std::string> codes;
  for (const Name& code : syntax.codes) {
    codes.push_back(code.text);
    // A rule that could not be read may have had the code.
    if (is_read_in_part_ || IsReservedCode(code.text) ||
        codes_.contains({LayerId::kPlatform, code.text}) ||
        codes_.contains({tenant, code.text})) {
      continue;
    }
    auto report =
        Report(DiagnosticKind::kUnknownCode, code.span,
               absl::StrCat("no rule or limit has the code `", code.text, "`"));
    if (!MaySearch(codes_.size())) continue;
    std::vector<std::string> known;
    for (const auto& [key, unused] : codes_) {
      if (key.first == LayerId::kPlatform || key.first == tenant) {
        known.push_back(key.second);
      }
    }
    const std::string near = Suggest(code.text, known);
    if (!near.empty()) report.Help(absl::StrCat("did you mean `", near, "`?"));
  }
  std::sort(codes.begin(), codes.end());
  codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
  return codes;
}

}  // namespace sgl
