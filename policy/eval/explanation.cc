#include "policy/eval/explanation.h"

#include <absl/strings/str_cat.h>

#include "policy/eval/json.h"

namespace sgl {
namespace {

absl::string_view KindWord(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::kAllow:
      return "allow";
    case DecisionKind::kReview:
      return "review";
    case DecisionKind::kBlock:
      break;
  }
  return "block";
}

absl::string_view OutcomeWords(const RuleExplanation& rule) {
  switch (rule.outcome) {
    case RuleOutcome::kApplied:
      return rule.is_limit ? "exceeded" : "applied";
    case RuleOutcome::kNotApplied:
      return rule.is_limit ? "not exceeded" : "did not apply";
    case RuleOutcome::kFaulted:
      break;
  }
  return "could not be evaluated";
}

void AppendPart(const DecidingPart& part, std::string* out) {
  absl::StrAppend(out, "    ", part.text, " is ", part.value);
  absl::string_view separator = "; ";
  for (const SeenValue& seen : part.seen) {
    absl::StrAppend(out, separator, seen.text, " = ", seen.value);
    separator = ", ";
  }
  out->append("\n");
}

void AppendRule(const RuleExplanation& rule, std::string* out) {
  absl::StrAppend(out, rule.is_decisive ? "* " : "  ",
                  rule.is_limit ? "limit " : "", KindWord(rule.kind), " ",
                  rule.code, " ", OutcomeWords(rule), " (");
  if (rule.layer != "platform") absl::StrAppend(out, rule.layer, ", ");
  absl::StrAppend(out, rule.at, ")\n");
  for (const DecidingPart& part : rule.parts) AppendPart(part, out);
}

void AppendHead(const Decision& decision, std::string* out) {
  absl::StrAppend(out, DecisionKindName(decision.kind));
  absl::string_view separator = " by ";
  for (const Reason& reason : decision.reasons) {
    absl::StrAppend(out, separator, reason.code);
    separator = ", ";
  }
  out->append("\n");
  for (const Reason& reason : decision.reasons) {
    // What no rule below says.
    if (reason.code == "DEFAULT" || reason.code == "UNKNOWN_INTENT_TYPE") {
      absl::StrAppend(out, "  ", reason.message, "\n");
    }
    for (const FieldViolation& field : reason.field_violations) {
      absl::StrAppend(out, "  ", field.path, " ", field.message, "\n");
    }
  }
}

// Appends `"name": "text"`, with a comma before it unless it is the first.
void AppendMember(absl::string_view name, absl::string_view text,
                  std::string* out) {
  out->append(out->back() == '{' ? "" : ", ");
  AppendJsonString(name, out);
  out->append(": ");
  AppendJsonString(text, out);
}

template <typename Item, typename Append>
void AppendList(absl::string_view name, const std::vector<Item>& items,
                Append append, std::string* out) {
  absl::StrAppend(out, ", \"", name, "\": [");
  for (const Item& item : items) {
    out->append(&item == &items.front() ? "{" : ", {");
    append(item);
    out->push_back('}');
  }
  out->push_back(']');
}

void AppendRuleJson(const RuleExplanation& rule, std::string* out) {
  AppendMember("code", rule.code, out);
  AppendMember("kind", DecisionKindName(rule.kind), out);
  absl::StrAppend(out, ", \"limit\": ", rule.is_limit ? "true" : "false");
  AppendMember("layer", rule.layer, out);
  AppendMember("at", rule.at, out);
  AppendMember("outcome", RuleOutcomeName(rule.outcome), out);
  absl::StrAppend(out, ", \"decisive\": ", rule.is_decisive ? "true" : "false");
  AppendList(
      "parts", rule.parts,
      [out](const DecidingPart& part) {
        AppendMember("text", part.text, out);
        AppendMember("value", part.value, out);
        AppendList(
            "seen", part.seen,
            [out](const SeenValue& seen) {
              AppendMember("text", seen.text, out);
              AppendMember("value", seen.value, out);
            },
            out);
      },
      out);
}

}  // namespace

absl::string_view RuleOutcomeName(RuleOutcome outcome) {
  switch (outcome) {
    case RuleOutcome::kApplied:
      return "applied";
    case RuleOutcome::kNotApplied:
      return "not_applied";
    case RuleOutcome::kFaulted:
      break;
  }
  return "faulted";
}

std::string ExplanationToText(const Explanation& explanation) {
  std::string out;
  AppendHead(explanation.decision, &out);
  for (const RuleExplanation& rule : explanation.rules) {
    AppendRule(rule, &out);
  }
  if (!explanation.nearest_type.empty()) {
    absl::StrAppend(&out, "help: did you mean the type `",
                    explanation.nearest_type, "`?\n");
  }
  if (explanation.milder_change.has_value()) {
    const MilderChange& change = *explanation.milder_change;
    absl::StrAppend(&out, "it would be ", DecisionKindName(change.decision),
                    " with ", change.field, " = ", change.to, " instead of ",
                    change.from, "\n");
  }
  return out;
}

std::string ExplanationToJson(const Explanation& explanation) {
  std::string out = "{\"decision\": ";
  out += DecisionToJson(explanation.decision);
  AppendList(
      "rules", explanation.rules,
      [&out](const RuleExplanation& rule) { AppendRuleJson(rule, &out); },
      &out);
  if (explanation.milder_change.has_value()) {
    const MilderChange& change = *explanation.milder_change;
    out += ", \"milder\": {";
    AppendMember("field", change.field, &out);
    AppendMember("from", change.from, &out);
    AppendMember("to", change.to, &out);
    AppendMember("decision", DecisionKindName(change.decision), &out);
    out += "}";
  }
  if (!explanation.nearest_type.empty()) {
    AppendMember("nearest_type", explanation.nearest_type, &out);
  }
  out += "}";
  return out;
}

}  // namespace sgl
