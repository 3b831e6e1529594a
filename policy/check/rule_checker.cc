// Layers' defaults, and rules: code, `on`, condition, message, demands.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/limits.h"

namespace sgl {

DecisionKind KindOfWord(absl::string_view word) {
  if (word == "allow") return DecisionKind::kAllow;
  return word == "review" ? DecisionKind::kReview : DecisionKind::kBlock;
}

bool IsReservedCode(absl::string_view code) {
  return code == "UNKNOWN_INTENT_TYPE" || code == "INVALID_PAYLOAD" ||
         code == "EVALUATION_FAULT" || code == "DEFAULT";
}

void Checker::CheckDefaults() {
  Layer& platform = policy_.layers[0];
  const Ast* first_platform = nullptr;
  bool is_broken = false;
  for (size_t i = 0; i < asts_.size(); ++i) {
    const bool is_platform = files_[i].layer == LayerId::kPlatform;
    if (is_platform && first_platform == nullptr) first_platform = &asts_[i];
    for (const DefaultSyntax& item : asts_[i].defaults) {
      const Span span = item.decision.span;
      if (item.decision.text.empty()) {
        is_broken = true;  // reported
        continue;
      }
      if (!is_platform) {
        Report(DiagnosticKind::kTenantDefault, Cover(item.keyword_span, span),
               "a tenant layer has a `default`")
            .Help("where nothing applies, a tenant layer says allow");
      } else if (platform.default_decision.has_value()) {
        Report(DiagnosticKind::kDuplicateDefault,
               Cover(item.keyword_span, span),
               "a second `default` in the platform layer")
            .Note(platform.default_span, "the first one");
      } else {
        platform.default_decision = KindOfWord(item.decision.text);
        platform.default_span = span;
      }
    }
  }
  for (const Ast& ast : asts_) {
    is_broken = is_broken || ast.policy_name.empty();
  }
  if (platform.default_decision.has_value() || is_broken || asts_.empty()) {
    return;
  }
  if (first_platform != nullptr) {
    Report(DiagnosticKind::kMissingDefault, first_platform->policy_name_span,
           "the platform layer has no `default`: what no rule decides is "
           "blocked")
        .Help("say so with `default block`, or choose another");
  } else {
    Report(DiagnosticKind::kMissingDefault, asts_[0].policy_name_span,
           "there is no platform file: what no rule decides is blocked")
        .Help("check the tenant's files together with the platform's");
  }
}

void Checker::CheckRules(File& file) {
  for (const RuleSyntax& syntax : file.ast->rules) {
    scope_ = Scope{};
    scope_.file = &file;
    if (policy_.rules.size() >= static_cast<size_t>(kRulesMax)) {
      Report(DiagnosticKind::kTooMany, syntax.code.span,
             absl::StrFormat("more than %d rules", kRulesMax));
      return;
    }
    CheckRule(syntax);
  }
}

void Checker::CheckRule(const RuleSyntax& syntax) {
  CheckedRule rule;
  rule.kind = KindOfWord(syntax.keyword.text);
  rule.layer = layer();
  if (rule.kind == DecisionKind::kAllow && layer() != LayerId::kPlatform) {
    Report(DiagnosticKind::kTenantAllow, syntax.keyword_span,
           "a tenant layer has an `allow`")
        .Help("a tenant's rules only make decisions stricter");
  }
  CheckRuleParts(syntax, rule);
  policy_.layers[static_cast<size_t>(layer())].rules.push_back(
      static_cast<int32_t>(policy_.rules.size()));
  policy_.rules.push_back(std::move(rule));
}

// Checks what rules and limits share, and fills it in.
void Checker::CheckRuleParts(const RuleSyntax& syntax, CheckedRule& rule) {
  rule.code = syntax.code.text;
  rule.code_span = syntax.code.span;
  CheckCode(syntax);
  rule.on_all = !syntax.has_on;
  scope_.context = CheckOn(syntax.on, syntax.has_on, &rule.on);
  Checked condition;
  if (syntax.when != ExprId::kNone) {
    condition = CheckCondition(syntax.when);
    rule.condition = condition.node;
  }
  // The message is seen only where the rule applies, so `when` guards it.
  // A condition that could not be read may have held the guards.
  PushFacts(condition.if_true);
  if (syntax.when == ExprId::kNone ||
      expr(syntax.when).kind != ExprKind::kError) {
    CheckMessage(syntax, rule);
  }
  CheckReviewClauses(syntax, rule);
}

void Checker::CheckCode(const RuleSyntax& syntax) {
  const Name& code = syntax.code;
  if (IsReservedCode(code.text)) {
    Report(DiagnosticKind::kReservedCode, code.span,
           absl::StrCat("the code `", code.text,
                        "` is what the engine itself gives"));
    return;
  }
  const auto [first, is_new] =
      codes_.emplace(std::pair(layer(), code.text), code.span);
  if (!is_new) {
    Report(DiagnosticKind::kDuplicateCode, code.span,
           absl::StrCat("a second rule with the code `", code.text, "`"))
        .Note(first->second, "the first one");
  }
}

// Resolves `on` to type names, and to the context that says which payload
// fields are visible.
int32_t Checker::CheckOn(const std::vector<Name>& on, bool has_on,
                         std::vector<std::string>* names) {
  OnContext context;
  context.layer = layer();
  const std::string layer_key =
      absl::StrCat(static_cast<int32_t>(context.layer));
  if (!has_on) return InternContext(context, absl::StrCat("*", layer_key));
  context.kind = OnContext::Kind::kTypes;
  for (const Name& name : on) {
    const Const* item = name.is_quoted ? nullptr : FindConst(name.text);
    if (item == nullptr) {
      CheckOnName(name.text, name.span, context, names);
    } else if (item->kind == ConstKind::kSet) {
      for (const Constant& member : item->members) {
        if (Convert(member, kSymbolType).has_value()) {
          CheckOnName(member.value.text, member.span, context, names);
          continue;
        }
        Report(
            DiagnosticKind::kTypeMismatch, name.span,
            absl::StrCat("`", name.text, "` is a set of ",
                         Describe(member.value.type), ", not of intent types"));
        break;
      }
    } else if (item->kind == ConstKind::kLiteral &&
               Convert(item->literal, kSymbolType).has_value()) {
      CheckOnName(item->literal.value.text, name.span, context, names);
    } else if (item->kind != ConstKind::kError) {
      Report(DiagnosticKind::kTypeMismatch, name.span,
             absl::StrCat("the const `", name.text,
                          "` does not hold intent types"));
    }
  }
  std::sort(names->begin(), names->end());
  names->erase(std::unique(names->begin(), names->end()), names->end());
  // Nothing resolved: whatever the rule reads, the mistake is in `on`.
  if (context.types.empty()) context.kind = OnContext::Kind::kUnknown;
  std::string key = absl::StrCat(
      context.kind == OnContext::Kind::kUnknown ? "!" : "=", layer_key);
  for (const std::string& name : *names) {
    absl::StrAppend(&key, " ", name.size(), ":", name);
  }
  return InternContext(std::move(context), key);
}

void Checker::CheckOnName(const std::string& name, Span span,
                          OnContext& context, std::vector<std::string>* names) {
  const DeclaredType* type = declarations_->Find(layer(), name);
  if (type == nullptr && !declarations_->is_incomplete()) {
    const bool has_star = declarations_->has_star();
    auto report =
        Report(has_star ? DiagnosticKind::kUndeclaredType
                        : DiagnosticKind::kUnknownType,
               span, absl::StrCat("no intent type `", name, "` is declared"));
    const std::string near = NearestType(name);
    if (!near.empty()) report.Help(absl::StrCat("did you mean `", near, "`?"));
    if (!has_star) return;
  }
  // A null stands for a type that has the star fields alone.
  context.types.push_back(type);
  names->push_back(name);
}

int32_t Checker::InternContext(OnContext context, const std::string& key) {
  const auto [found, is_new] =
      context_ids_.emplace(key, static_cast<int32_t>(contexts_.size()));
  if (is_new) contexts_.push_back(std::move(context));
  return found->second;
}

void Checker::CheckMessage(const RuleSyntax& syntax, CheckedRule& rule) {
  if (!syntax.message.has_value()) {
    rule.message.push_back({rule.code, NodeId::kNone});
    return;
  }
  for (const MessagePartSyntax& part : syntax.message->parts) {
    if (part.expr == ExprId::kNone) {
      rule.message.push_back({part.text, NodeId::kNone});
      continue;
    }
    const Expr& value = expr(part.expr);
    if (value.kind == ExprKind::kError) continue;
    const bool is_path = value.kind == ExprKind::kPath;
    const bool is_default = value.kind == ExprKind::kCoalesce &&
                            TryConstant(ast().child(value, 1)).has_value();
    if ((!is_path && !is_default) ||
        (is_path && TryConstant(part.expr).has_value() &&
         !TryConstant(part.expr)->is_bare)) {
      Report(DiagnosticKind::kNotAPath, value.span,
             "a message takes a path, or `path ?? literal`");
      continue;
    }
    scope_.is_message = true;
    const Checked checked = CheckExpr(part.expr, TypeId::kNone);
    scope_.is_message = false;
    if (checked.failed()) continue;
    const TypeKind kind = KindOf(checked.type);
    const Op op = policy_.node(checked.node).op;
    if (kind == TypeKind::kList || kind == TypeKind::kRecord) {
      Mismatch(value.span, "a single value in a message", checked.type);
    } else if (op != Op::kPath && op != Op::kCoalesce) {
      Report(DiagnosticKind::kNotAPath, value.span,
             "a message takes a path, or `path ?? literal`");
    } else {
      rule.message.push_back({"", checked.node});
    }
  }
}

void Checker::CheckReviewClauses(const RuleSyntax& syntax, CheckedRule& rule) {
  const bool is_review = rule.kind == DecisionKind::kReview;
  if (syntax.risk.has_value()) {
    if (*syntax.risk > kRiskMax) {
      Report(DiagnosticKind::kNumberOutOfRange, syntax.risk_span,
             absl::StrFormat("a risk is at most %d", kRiskMax));
    } else if (!is_review) {
      Report(DiagnosticKind::kNoEffect, syntax.risk_span,
             absl::StrCat("`risk` changes nothing on `", syntax.keyword.text,
                          "`"));
    } else {
      rule.risk = static_cast<int32_t>(*syntax.risk);
    }
  }
  for (const ApprovalsSyntax& approvals : syntax.approvals) {
    if (!is_review) {
      Report(DiagnosticKind::kApprovalsOnBlock, approvals.span,
             absl::StrCat("`approvals` on `", syntax.keyword.text, "`"))
          .Help("only a `review` waits for people");
      continue;
    }
    CheckApprovals(approvals, rule);
  }
}

void Checker::CheckApprovals(const ApprovalsSyntax& syntax, CheckedRule& rule) {
  CheckedDemand demand;
  if (syntax.count < 1 || syntax.count > kApprovalsMax) {
    Report(
        DiagnosticKind::kNumberOutOfRange, syntax.count_span,
        absl::StrFormat("a review asks for 1 to %d approvals", kApprovalsMax));
    return;
  }
  demand.count = static_cast<int32_t>(syntax.count);
  for (const Name& role : syntax.roles) demand.roles.push_back(role.text);
  std::sort(demand.roles.begin(), demand.roles.end());
  demand.roles.erase(std::unique(demand.roles.begin(), demand.roles.end()),
                     demand.roles.end());
  if (syntax.within.has_value()) {
    if (*syntax.within <= 0 || *syntax.within > kWithinMicrosMax) {
      Report(DiagnosticKind::kNumberOutOfRange, syntax.within_span,
             "`within` is more than 0s and at most 3650d");
      return;
    }
    demand.within = syntax.within;
    rule.within =
        std::min(rule.within.value_or(*syntax.within), *syntax.within);
  }
  rule.approvals.push_back(std::move(demand));
}

}  // namespace sgl
