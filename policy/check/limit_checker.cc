// Limits and asserts.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/limits.h"

namespace sgl {
namespace {

LimitScope ScopeOfWord(absl::string_view word) {
  if (word == "agent") return LimitScope::kAgent;
  return word == "tenant" ? LimitScope::kTenant : LimitScope::kPlatform;
}

}  // namespace

void Checker::CheckLimits(File& file) {
  for (const LimitSyntax& syntax : file.ast->limits) {
    scope_ = Scope{};
    scope_.file = &file;
    if (policy_.limits.size() >= static_cast<size_t>(kLimitsMax)) {
      Report(DiagnosticKind::kTooMany, syntax.rule.code.span,
             absl::StrFormat("more than %d limits", kLimitsMax));
      return;
    }
    CheckLimit(syntax);
  }
}

void Checker::CheckLimit(const LimitSyntax& syntax) {
  CheckedLimit limit;
  limit.scope = ScopeOfWord(syntax.scope.text);
  limit.is_spend = syntax.is_spend;
  limit.amount_max = syntax.amount;
  limit.window = syntax.window;
  limit.rule.kind = KindOfWord(syntax.rule.keyword.text);
  limit.rule.layer = layer();
  if (limit.scope == LimitScope::kPlatform && layer() != LayerId::kPlatform) {
    Report(DiagnosticKind::kTenantPlatformLimit, syntax.scope.span,
           "a tenant layer limits the whole platform")
        .Help("use `per tenant` or `per agent`");
  }
  if (syntax.window <= 0 || syntax.window > kWindowMicrosMax) {
    Report(DiagnosticKind::kNumberOutOfRange, syntax.window_span,
           "a limit's window is more than 0s and at most 3650d");
  }
  CheckRuleParts(syntax.rule, limit.rule);
  policy_.limits.push_back(std::move(limit));
}

void Checker::CheckAsserts(File& file) {
  for (const AssertSyntax& syntax : file.ast->asserts) {
    scope_ = Scope{};
    scope_.file = &file;
    CheckedAssert item;
    item.name = syntax.name;
    item.name_span = syntax.name_span;
    item.layer = layer();
    item.on_all = !syntax.has_on;
    scope_.context = CheckOn(syntax.on, syntax.has_on, &item.on);
    if (syntax.when != ExprId::kNone) {
      item.condition = CheckCondition(syntax.when).node;
    }
    std::vector<std::string> words;
    for (const Name& decision : syntax.decisions) {
      words.push_back(decision.text);
    }
    for (DecisionKind kind :
         {DecisionKind::kAllow, DecisionKind::kReview, DecisionKind::kBlock}) {
      const bool is_named = std::any_of(
          words.begin(), words.end(),
          [kind](const std::string& word) { return KindOfWord(word) == kind; });
      if (is_named != syntax.is_negated) item.decisions.push_back(kind);
    }
    item.demand =
        words.size() > 1
            ? absl::StrCat("decision in {", absl::StrJoin(words, ", "), "}")
            : absl::StrCat("decision ", syntax.is_negated ? "!= " : "== ",
                           absl::StrJoin(words, ", "));
    policy_.asserts.push_back(std::move(item));
  }
}

}  // namespace sgl
