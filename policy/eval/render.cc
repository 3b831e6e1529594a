#include "policy/eval/render.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "policy/eval/exact.h"
#include "policy/eval/time_text.h"

namespace sgl {
namespace {

void AppendValue(const DecisionProgram& program, TypeId type,
                 const Value& value, std::string* out) {
  if (!value.is_present()) return;
  switch (program.types.kind(type)) {
    case TypeKind::kBool:
      out->append(value.number != 0 ? "true" : "false");
      return;
    case TypeKind::kInt:
      absl::StrAppend(out, value.number);
      return;
    case TypeKind::kDecimal:
      return AppendDecimal(value.number, out);
    case TypeKind::kUsd:
      return AppendUsd(value.number, out);
    case TypeKind::kString:
    case TypeKind::kSymbol:
      absl::StrAppend(out, value.text());
      return;
    case TypeKind::kTimestamp:
      return AppendTimestamp(value.number, out);
    case TypeKind::kDuration:
      return AppendDuration(value.number, out);
    case TypeKind::kEnum:
      out->append(
          program.types[type].members[static_cast<size_t>(value.number)]);
      return;
    case TypeKind::kError:
    case TypeKind::kList:
    case TypeKind::kRecord:
      // The checker lets only scalars into a message.
      return;
  }
}

Reason RenderHit(const DecisionProgram& program, const Hit& hit,
                 Evaluator& evaluator) {
  const ProgramRule& rule = program.rules[static_cast<size_t>(hit.rule)];
  Reason reason;
  reason.layer = program.layers[static_cast<size_t>(rule.layer)].name;
  reason.at = rule.at;
  if (hit.fault != Fault::kNone) {
    reason.code = "EVALUATION_FAULT";
    reason.message =
        absl::StrCat(rule.limit < 0 ? "rule `" : "limit `", rule.code,
                     "` can't be evaluated: ", FaultPhrase(hit.fault));
    return reason;
  }
  reason.code = rule.code;
  for (const ProgramMessagePart& part : rule.message) {
    reason.message.append(part.text);
    if (part.instruction < 0) continue;
    AppendValue(program, part.type, evaluator.Get(part.instruction),
                &reason.message);
  }
  return reason;
}

Reason DefaultReason(const DecisionProgram& program, DecisionKind kind) {
  const ProgramLayer& platform = program.layers[0];
  Reason reason;
  reason.code = "DEFAULT";
  reason.message =
      absl::StrCat("no rule applies, and the default is ",
                   kind == DecisionKind::kReview ? "review" : "block");
  reason.layer = platform.name;
  reason.at = platform.default_at;
  return reason;
}

// Merges what the rules of a REVIEW ask for. Demands for the same roles become
// one of the higher count; their order does not hang on the rules' order.
void MergeDemands(const DecisionProgram& program, const Verdict& verdict,
                  Decision* decision) {
  std::map<std::vector<std::string>, int64_t> counts;
  for (const Hit& hit : verdict.hits) {
    const ProgramRule& rule = program.rules[static_cast<size_t>(hit.rule)];
    decision->risk = std::max<int64_t>(decision->risk, rule.risk);
    for (const ProgramDemand& demand : rule.demands) {
      int64_t& count = counts[demand.roles];
      count = std::max<int64_t>(count, demand.count);
    }
    if (!rule.within.has_value()) continue;
    const absl::Duration within = absl::Microseconds(*rule.within);
    decision->within = std::min(decision->within.value_or(within), within);
  }
  // Nobody in particular was asked for: anybody who may approve.
  if (counts.empty()) counts[{}] = 1;
  for (const auto& [roles, count] : counts) {
    decision->demands.push_back({count, roles});
  }
}

Decision Begin(const DecisionProgram& program, const Facts& facts) {
  const auto layer = program.layer_of_tenant.find(facts.request->tenant.slug);
  const size_t number = layer == program.layer_of_tenant.end()
                            ? 0
                            : static_cast<size_t>(layer->second);
  Decision decision;
  decision.policy_digest = program.layers[number].digest;
  decision.tzdata_version = program.tzdata_version;
  return decision;
}

}  // namespace

absl::string_view FaultPhrase(Fault fault) {
  switch (fault) {
    case Fault::kOverflow:
      return "a result lies outside its range";
    case Fault::kNotAUrl:
      return "`domain` was given something that is no `scheme://host` URL";
    case Fault::kNoTotal:
      return "what it counted before is not known here";
    case Fault::kNone:
    case Fault::kMissing:
      break;
  }
  return "a value is missing";
}

Decision RenderVerdict(const DecisionProgram& program, const Facts& facts,
                       const Verdict& verdict, Evaluator& evaluator) {
  Decision decision = Begin(program, facts);
  decision.kind = verdict.kind;
  decision.limit_draws.assign(verdict.limit_draws.begin(),
                              verdict.limit_draws.end());
  for (const Hit& hit : verdict.hits) {
    decision.reasons.push_back(RenderHit(program, hit, evaluator));
  }
  if (verdict.hits.empty() && verdict.kind != DecisionKind::kAllow) {
    decision.reasons.push_back(DefaultReason(program, verdict.kind));
  }
  if (verdict.kind == DecisionKind::kReview) {
    MergeDemands(program, verdict, &decision);
  }
  return decision;
}

Decision RenderRefusal(const DecisionProgram& program, const Facts& facts) {
  Decision decision = Begin(program, facts);
  decision.kind = DecisionKind::kBlock;
  Reason reason;
  reason.layer = program.layers[0].name;
  if (!facts.is_type_known) {
    reason.code = "UNKNOWN_INTENT_TYPE";
    reason.message = absl::StrCat("no policy declares the intent type `",
                                  facts.request->intent.type, "`");
  } else {
    const FieldViolation& first = facts.violations.front();
    reason.code = "INVALID_PAYLOAD";
    reason.message = absl::StrCat("`", first.path, "` ", first.message);
    if (facts.violations.size() > 1) {
      absl::StrAppend(&reason.message, ", and ", facts.violations.size() - 1,
                      " more");
    }
    reason.field_violations = facts.violations;
  }
  decision.reasons.push_back(std::move(reason));
  return decision;
}

}  // namespace sgl
