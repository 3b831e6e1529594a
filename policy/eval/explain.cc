#include "policy/eval/explain.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <string>
#include <utility>

#include "policy/diagnostics/suggest.h"
#include "policy/eval/exact.h"
#include "policy/eval/explain_text.h"
#include "policy/eval/render.h"

namespace sgl {
namespace {

bool IsLoop(Code code) {
  return code == Code::kAny || code == Code::kAll || code == Code::kCount;
}

bool IsRead(Code code) {
  return code == Code::kFixed || code == Code::kSlot ||
         code == Code::kVariable || code == Code::kHasSlot ||
         code == Code::kHasVariable || code == Code::kConnected;
}

bool IsLiteral(Code code) {
  return code == Code::kNumber || code == Code::kText;
}

// Finds the deciding parts of one condition. Confined to one rule.
class PartFinder {
 public:
  PartFinder(const DecisionProgram& program, const Facts& facts,
             Evaluator& evaluator)
      : program_(program),
        facts_(facts),
        evaluator_(evaluator),
        elements_(static_cast<size_t>(program.variable_count), kErrorType) {}

  std::vector<DecidingPart> Find(int32_t condition) {
    Walk(condition);
    return std::move(parts_);
  }

 private:
  void Walk(int32_t id);
  void WalkJunction(const Instruction& instruction, const Value& value);
  // Walks the body for the item that settled the loop; false if none did.
  bool WalkLoop(const Instruction& instruction, const Value& value);
  void AddLeaf(int32_t id, const Value& value);
  // Adds what the operands of a leaf read and came to.
  void See(int32_t id, bool is_operand, DecidingPart* part);
  void SeeScan(const Instruction& instruction, DecidingPart* part);
  void AddSeen(std::string text, std::string value, DecidingPart* part);

  const Instruction& get(int32_t id) const {
    return program_.instructions[static_cast<size_t>(id)];
  }
  int32_t Child(const Instruction& instruction, int32_t number) const {
    return program_
        .children[static_cast<size_t>(instruction.first_child + number)];
  }
  std::string Text(int32_t id) const {
    return ExprText(program_, id, elements_);
  }
  std::string TextOf(int32_t id, const Value& value) const;

  const DecisionProgram& program_;
  const Facts& facts_;
  Evaluator& evaluator_;
  std::vector<DecidingPart> parts_;
  // What was walked under the present items of the loops: a def that is used
  // twice decides once.
  absl::flat_hash_set<int32_t> walked_;
  // The loops walked into: what their variables are bound to.
  std::vector<TypeId> elements_;
  std::vector<SeenValue> items_;
};

void PartFinder::Walk(int32_t id) {
  if (parts_.size() >= kDecidingPartsMax || !walked_.insert(id).second) return;
  const Instruction& instruction = get(id);
  const Value value = evaluator_.Get(id);
  switch (instruction.code) {
    case Code::kAnd:
    case Code::kOr:
      return WalkJunction(instruction, value);
    case Code::kNot:
      return Walk(Child(instruction, 0));
    case Code::kAny:
    case Code::kAll:
      if (WalkLoop(instruction, value)) return;
      break;
    default:
      break;
  }
  AddLeaf(id, value);
}

void PartFinder::WalkJunction(const Instruction& instruction,
                              const Value& value) {
  const int64_t decisive = instruction.code == Code::kOr ? 1 : 0;
  const bool is_settled_by_one =
      !value.is_present() || value.number == decisive;
  for (int32_t i = 0; i < instruction.child_count; ++i) {
    const int32_t child = Child(instruction, i);
    if (!is_settled_by_one) {
      Walk(child);
      continue;
    }
    const Value operand = evaluator_.Get(child);
    if (operand.is_present() == value.is_present() &&
        (!value.is_present() || operand.number == value.number)) {
      return Walk(child);
    }
  }
}

bool PartFinder::WalkLoop(const Instruction& instruction, const Value& value) {
  const int32_t list_id = Child(instruction, 0);
  const int32_t body = Child(instruction, 1);
  const Value list = evaluator_.Get(list_id);
  if (!list.is_present()) return false;
  const int64_t decisive = instruction.code == Code::kAny ? 1 : 0;
  if (value.is_present() && value.number != decisive) return false;
  const size_t variable = static_cast<size_t>(instruction.index);
  const std::string list_text = Text(list_id);
  const TypeId list_type =
      program_.instruction_types[static_cast<size_t>(list_id)];
  const TypeId outer_element =
      std::exchange(elements_[variable],
                    program_.types.Required(program_.types[list_type].element));
  const Value outer = evaluator_.Bind(instruction.index, Value());
  bool is_found = false;
  for (uint32_t i = 0; i < list.count && !is_found; ++i) {
    evaluator_.Bind(instruction.index, facts_.cells[list.first + i]);
    const Value given = evaluator_.Get(body);
    is_found = given.is_present() == value.is_present() &&
               (!value.is_present() || given.number == value.number);
    if (!is_found) continue;
    absl::flat_hash_set<int32_t> walked = std::exchange(walked_, {});
    items_.push_back({VariableText(instruction.index),
                      absl::StrCat(list_text, "[", i, "]")});
    Walk(body);
    items_.pop_back();
    walked_ = std::move(walked);
  }
  evaluator_.Bind(instruction.index, outer);
  elements_[variable] = outer_element;
  return is_found;
}

void PartFinder::AddLeaf(int32_t id, const Value& value) {
  DecidingPart part;
  part.text = Text(id);
  part.value = TextOf(id, value);
  part.seen = items_;
  // A value that is its own condition was shown already.
  if (!IsRead(get(id).code)) See(id, false, &part);
  parts_.push_back(std::move(part));
}

void PartFinder::See(int32_t id, bool is_operand, DecidingPart* part) {
  const Instruction& instruction = get(id);
  if (IsLiteral(instruction.code) || part->seen.size() >= kSeenValuesMax) {
    return;
  }
  if (instruction.code == Code::kScan) return SeeScan(instruction, part);
  if (instruction.code == Code::kCoalesce) {
    const int32_t path = Child(instruction, 0);
    See(path, true, part);
    if (!evaluator_.Get(path).is_present()) {
      See(Child(instruction, 1), true, part);
    }
    return;
  }
  if (is_operand) {
    const Value value = evaluator_.Get(id);
    // A fault is what the whole part came to.
    if (value.state != Value::State::kFault) {
      AddSeen(Text(id), TextOf(id, value), part);
    }
    if (IsRead(instruction.code)) return;
  }
  // A loop's body has no value by itself.
  const int32_t count = IsLoop(instruction.code) ? 1 : instruction.child_count;
  for (int32_t i = 0; i < count; ++i) See(Child(instruction, i), true, part);
}

std::string PartFinder::TextOf(int32_t id, const Value& value) const {
  const TypeId type = program_.instruction_types[static_cast<size_t>(id)];
  // A list of that many scalars is shown whole; of another the size will do.
  constexpr uint32_t kItemsShownMax = 5;
  if (program_.types.kind(type) != TypeKind::kList || !value.is_present() ||
      value.count > kItemsShownMax) {
    return ValueText(program_, type, value);
  }
  const TypeId element = program_.types[type].element;
  const TypeId required = program_.types.Required(element);
  if (program_.types.kind(required) == TypeKind::kRecord ||
      program_.types.kind(required) == TypeKind::kList) {
    return ValueText(program_, type, value);
  }
  std::vector<std::string> items;
  for (uint32_t i = 0; i < value.count; ++i) {
    items.push_back(
        ValueText(program_, required, facts_.cells[value.first + i]));
  }
  return absl::StrCat("[", absl::StrJoin(items, ", "), "]");
}

void PartFinder::SeeScan(const Instruction& instruction, DecidingPart* part) {
  const CompiledRegex& regex =
      *program_.regexes[static_cast<size_t>(instruction.index)];
  for (const JsonNode& node : facts_.payload.nodes()) {
    if (node.kind != JsonKind::kString || !regex.Matches(node.text)) continue;
    AddSeen(facts_.payload.PathOf(facts_.payload.root(), "payload", node),
            QuotedText(node.text), part);
    return;
  }
}

void PartFinder::AddSeen(std::string text, std::string value,
                         DecidingPart* part) {
  const auto same = [&text](const SeenValue& seen) {
    return seen.text == text;
  };
  if (std::none_of(part->seen.begin(), part->seen.end(), same)) {
    part->seen.push_back({std::move(text), std::move(value)});
  }
}

// The types that each rule is `on`; those of no `on` are not in it.
absl::flat_hash_map<int32_t, std::vector<std::string>> OnTypes(
    const DecisionProgram& program, const std::vector<int32_t>& layers) {
  absl::flat_hash_map<int32_t, std::vector<std::string>> on;
  for (const auto& [name, type_id] : program.type_ids) {
    for (const int32_t number : layers) {
      const ProgramLayer& layer = program.layers[static_cast<size_t>(number)];
      for (const auto* rules : {&layer.rules_on_type, &layer.limits_on_type}) {
        const auto found = rules->find(type_id);
        if (found == rules->end()) continue;
        for (const int32_t rule : found->second) on[rule].push_back(name);
      }
    }
  }
  for (auto& [unused, names] : on) std::sort(names.begin(), names.end());
  return on;
}

DecidingPart OnPart(const std::vector<std::string>& types,
                    absl::string_view type) {
  // As many as make the point; a rule may be on hundreds.
  constexpr size_t kTypesShownMax = 6;
  const size_t shown = std::min(types.size(), kTypesShownMax);
  DecidingPart part;
  part.text = absl::StrCat(
      "on ", absl::StrJoin(types.begin(), types.begin() + shown, ", "));
  if (shown < types.size()) {
    absl::StrAppend(&part.text, ", … ", types.size() - shown, " more");
  }
  part.value = "false";
  part.seen.push_back({"intent.type", std::string(type)});
  return part;
}

std::string AmountText(bool is_spend, int64_t amount) {
  if (!is_spend) return absl::StrCat(amount);
  std::string text;
  AppendUsd(amount, &text);
  return text;
}

// Says what a limit counted, where its own `on` and `when` matched.
// `fault` is why that can't be held against it, if it can't.
void AddTotals(const RuleExplanation& rule, const Decision& decision,
               Fault fault, std::vector<DecidingPart>* parts) {
  for (const LimitDraw& draw : decision.limit_draws) {
    if (draw.code != rule.code || draw.layer != rule.layer) continue;
    DecidingPart part;
    part.text =
        absl::StrCat("total > ", AmountText(draw.is_spend, draw.amount_max));
    if (draw.total.has_value()) {
      part.value = *draw.total > draw.amount_max ? "true" : "false";
      part.seen.push_back({"total", AmountText(draw.is_spend, *draw.total)});
    } else {
      part.value = absl::StrCat("fault: ", FaultPhrase(fault));
    }
    part.seen.push_back(
        {"this intent", AmountText(draw.is_spend, draw.amount)});
    parts->push_back(std::move(part));
  }
}

}  // namespace

std::vector<RuleExplanation> ExplainRules(const DecisionProgram& program,
                                          const Facts& facts,
                                          const Outcome& outcome,
                                          const Decision& decision,
                                          Evaluator& evaluator) {
  std::vector<int32_t> layers = {0};
  if (facts.tenant_layer > 0) layers.push_back(facts.tenant_layer);
  const auto on = OnTypes(program, layers);
  absl::flat_hash_map<int32_t, Fault> hits;
  for (const Hit& hit : outcome.all_hits) hits.emplace(hit.rule, hit.fault);
  absl::flat_hash_set<int32_t> decisive;
  for (const Hit& hit : outcome.hits) decisive.insert(hit.rule);

  std::vector<std::pair<int32_t, RuleExplanation>> placed;
  for (size_t i = 0; i < program.rules.size(); ++i) {
    const ProgramRule& rule = program.rules[i];
    const int32_t id = static_cast<int32_t>(i);
    if (rule.layer != 0 && rule.layer != facts.tenant_layer) continue;
    RuleExplanation result;
    result.code = rule.code;
    result.kind = rule.kind;
    result.is_limit = rule.limit >= 0;
    result.layer = program.layers[static_cast<size_t>(rule.layer)].name;
    result.at = rule.at;
    result.is_decisive = decisive.contains(id);
    Fault fault = Fault::kNone;
    if (const auto hit = hits.find(id); hit != hits.end()) {
      fault = hit->second;
      result.outcome =
          fault == Fault::kNone ? RuleOutcome::kApplied : RuleOutcome::kFaulted;
    }
    const auto types = on.find(id);
    if (types != on.end() &&
        !std::binary_search(types->second.begin(), types->second.end(),
                            facts.request->intent.type)) {
      result.parts.push_back(OnPart(types->second, facts.request->intent.type));
    } else {
      if (rule.condition >= 0) {
        result.parts =
            PartFinder(program, facts, evaluator).Find(rule.condition);
      }
      AddTotals(result, decision, fault, &result.parts);
    }
    placed.emplace_back(rule.place, std::move(result));
  }
  std::sort(placed.begin(), placed.end(),
            [](const auto& left, const auto& right) {
              return left.first < right.first;
            });
  std::vector<RuleExplanation> rules;
  for (auto& [unused, rule] : placed) rules.push_back(std::move(rule));
  return rules;
}

std::string NearestType(const DecisionProgram& program, const Facts& facts) {
  return Suggest(facts.request->intent.type, program.intent_types);
}

}  // namespace sgl
