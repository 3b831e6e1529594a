#include "policy/eval/explain_change.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policy/check/checked_policy.h"
#include "policy/eval/exact.h"
#include "policy/eval/explain_candidates.h"
#include "policy/eval/explain_text.h"
#include "policy/eval/json.h"
#include "policy/eval/payload_edit.h"
#include "policy/eval/request.h"
#include "policy/eval/time_text.h"

namespace sgl {
namespace {

bool IsText(TypeKind kind) {
  return kind == TypeKind::kString || kind == TypeKind::kSymbol;
}

std::string JsonOf(TypeKind kind, const Type& type, const Change& change) {
  std::string out;
  switch (kind) {
    case TypeKind::kBool:
      return change.number != 0 ? "true" : "false";
    case TypeKind::kDecimal:
      AppendJsonNumber(change.number, kDecimalDecimals, &out);
      return out;
    case TypeKind::kUsd:
      AppendJsonNumber(change.number, kUsdDecimals, &out);
      return out;
    case TypeKind::kTimestamp:
    case TypeKind::kDuration: {
      std::string text;
      kind == TypeKind::kDuration ? AppendDuration(change.number, &text)
                                  : AppendTimestamp(change.number, &text);
      AppendJsonString(text, &out);
      return out;
    }
    case TypeKind::kEnum:
      AppendJsonString(type.members[static_cast<size_t>(change.number)], &out);
      return out;
    case TypeKind::kString:
    case TypeKind::kSymbol:
      AppendJsonString(change.text, &out);
      return out;
    default:
      return absl::StrCat(change.number);
  }
}

// Puts a value into a fixed field. The request views the change's text.
void SetField(RootField field, const Change& change, Request* request) {
  const absl::string_view text = change.text;
  switch (field) {
    case RootField::kIntentRequestedBy:
      request->intent.requested_by = text;
      return;
    case RootField::kIntentSpend:
      request->intent.spend_micros_usd = change.number;
      return;
    case RootField::kIntentDataClass:
      request->intent.data_class = static_cast<DataClass>(change.number);
      return;
    case RootField::kIntentCreatedAt:
      request->intent.created_at = absl::FromUnixMicros(change.number);
      return;
    case RootField::kAgentKnown:
      request->agent.known = change.number != 0;
      return;
    case RootField::kAgentId:
      request->agent.id = text;
      return;
    case RootField::kAgentName:
      request->agent.name = text;
      return;
    case RootField::kAgentRole:
      request->agent.role = text;
      return;
    case RootField::kAgentStatus:
      request->agent.status = text;
      return;
    case RootField::kAgentTier:
      request->agent.tier = change.number;
      return;
    case RootField::kAgentLabels: {
      // The label is added, or taken away where it is there.
      auto& labels = request->agent.labels;
      const auto found = std::find(labels.begin(), labels.end(), text);
      found == labels.end()
          ? labels.push_back(text)
          : static_cast<void>(labels.erase(
                std::remove(found, labels.end(), text), labels.end()));
      return;
    }
    case RootField::kTenantSeat:
      request->tenant.seat = static_cast<Seat>(change.number);
      return;
    case RootField::kBudgetExists:
      request->budget.exists = change.number != 0;
      return;
    case RootField::kBudgetRemaining:
      request->budget.remaining_micros_usd = change.number;
      return;
    case RootField::kBudgetUsed:
      request->budget.used = change.number;
      return;
    case RootField::kNow:
      request->now = absl::FromUnixMicros(change.number);
      return;
    case RootField::kIntentId:
    case RootField::kIntentType:
    case RootField::kTenantId:
    case RootField::kTenantSlug:
      return;  // Never a candidate, see IsChangeable.
  }
}

std::string LabelsText(const AgentFacts& agent) {
  std::vector<std::string> labels;
  for (const absl::string_view label : agent.labels) {
    labels.push_back(QuotedText(label));
  }
  return absl::StrCat("[", absl::StrJoin(labels, ", "), "]");
}

// Tries changes. Confined to one FindMilderChange call.
class Search {
 public:
  Search(const DecisionProgram& program, const Facts& facts,
         const std::vector<ChangePlace>& places)
      : program_(program), facts_(facts), places_(places) {}

  // Returns the first change that gives a milder decision than `than`.
  std::optional<MilderChange> Try(const std::vector<Change>& changes,
                                  DecisionKind than) const;

 private:
  std::optional<DecisionKind> Decide(const Change& change) const;
  std::string Shown(const Change& change) const;
  std::string Standing(const ChangePlace& place) const;
  TypeKind KindOf(const ChangePlace& place) const {
    return program_.types.kind(place.type);
  }

  const DecisionProgram& program_;
  const Facts& facts_;
  const std::vector<ChangePlace>& places_;
};

std::optional<DecisionKind> Search::Decide(const Change& change) const {
  const ChangePlace& place = places_[change.place];
  Request request = *facts_.request;
  std::optional<std::string> payload;
  if (!place.path.empty()) {
    std::optional<std::string> replacement;
    if (!change.is_absent) {
      const TypeKind kind = KindOf(place);
      if (kind == TypeKind::kError || kind == TypeKind::kList ||
          kind == TypeKind::kRecord) {
        return std::nullopt;
      }
      replacement = JsonOf(kind, program_.types[place.type], change);
    }
    payload = EditPayload(facts_.payload, place.path, replacement);
    if (!payload.has_value()) return std::nullopt;
    request.intent.payload = *payload;
  } else if (place.provider.has_value()) {
    auto& connected = request.tenant.connected;
    connected.erase(
        std::remove(connected.begin(), connected.end(), *place.provider),
        connected.end());
    if (change.number != 0) connected.push_back(*place.provider);
  } else {
    SetField(place.field, change, &request);
  }
  const Facts changed = DecodeFacts(program_, request);
  if (!changed.is_type_known || !changed.violations.empty()) {
    return std::nullopt;
  }
  return Evaluator(program_, changed).Run().kind;
}

std::string Search::Standing(const ChangePlace& place) const {
  if (place.path.empty() && place.field == RootField::kAgentLabels &&
      !place.provider.has_value()) {
    return LabelsText(facts_.request->agent);
  }
  return ValueText(program_, place.type, place.value);
}

std::string Search::Shown(const Change& change) const {
  if (change.is_absent) return "missing";
  const ChangePlace& place = places_[change.place];
  const TypeKind kind = KindOf(place);
  if (kind == TypeKind::kList) {
    Request request = *facts_.request;
    SetField(place.field, change, &request);
    return LabelsText(request.agent);
  }
  return ValueText(
      program_, place.type,
      IsText(kind) ? Value::Text(change.text) : Value::Number(change.number));
}

std::optional<MilderChange> Search::Try(const std::vector<Change>& changes,
                                        DecisionKind than) const {
  size_t tried = 0;
  const Change* before = nullptr;
  for (const Change& change : changes) {
    if (before != nullptr && before->Rank() == change.Rank()) continue;
    before = &change;
    if (++tried > kChangesTriedMax) break;
    const std::optional<DecisionKind> kind = Decide(change);
    if (!kind.has_value() || *kind >= than) continue;
    const ChangePlace& place = places_[change.place];
    return MilderChange{place.name, Standing(place), Shown(change), *kind};
  }
  return std::nullopt;
}

}  // namespace

std::optional<MilderChange> FindMilderChange(const DecisionProgram& program,
                                             const Facts& facts,
                                             const Outcome& outcome,
                                             Evaluator& evaluator) {
  if (outcome.kind == DecisionKind::kAllow ||
      facts.request->intent.payload.size() > kChangedPayloadBytesMax) {
    return std::nullopt;
  }
  CandidateFinder finder(program, facts, evaluator);
  for (const Hit& hit : outcome.hits) {
    finder.AddRule(program.rules[static_cast<size_t>(hit.rule)]);
  }
  for (const LimitDraw& draw : outcome.limit_draws) finder.AddDraw(draw);
  if (outcome.hits.empty()) {
    // A default decided: perhaps a milder rule was near.
    const ProgramLayer& platform = program.layers[0];
    std::vector<int32_t> rules = platform.rules_on_all;
    const auto on_type = platform.rules_on_type.find(facts.type_id);
    if (on_type != platform.rules_on_type.end()) {
      rules.insert(rules.end(), on_type->second.begin(), on_type->second.end());
    }
    for (const int32_t id : rules) {
      const ProgramRule& rule = program.rules[static_cast<size_t>(id)];
      if (rule.kind < outcome.kind) finder.AddRule(rule);
    }
  }
  const std::vector<Change> changes = finder.TakeChanges();
  return Search(program, facts, finder.places()).Try(changes, outcome.kind);
}

}  // namespace sgl
