#include "policy/eval/explain_change.h"

#include <absl/container/flat_hash_set.h>
#include <absl/numeric/int128.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "policy/check/checked_policy.h"
#include "policy/eval/exact.h"
#include "policy/eval/explain_text.h"
#include "policy/eval/json.h"
#include "policy/eval/payload_edit.h"
#include "policy/eval/request.h"
#include "policy/eval/time_text.h"

namespace sgl {
namespace {

constexpr int64_t kMicrosPerHour = 3'600'000'000;
constexpr int kHoursPerWeek = 168;

// A place of the request that can be changed.
struct Place {
  // A fixed root's field, or else a payload path; `connected` is neither.
  RootField field = RootField::kNow;
  std::vector<PayloadStep> path;
  std::optional<std::string> provider;
  std::string name;
  TypeId type = kErrorType;
  Value value;  // as it stands
};

// How far a change goes; smaller first.
enum class Kind : uint8_t { kNamed, kAbsent, kFine, kEmpty };

// One change to try. Holds the text of its value.
struct Change {
  int origin = 0;  // 0 the intent, 1 its surroundings, 2 the time
  Kind kind = Kind::kNamed;
  int64_t distance = 0;
  size_t place = 0;
  bool is_absent = false;
  int64_t number = 0;
  std::string text;

  auto Rank() const {
    return std::tie(origin, kind, distance, place, is_absent, number, text);
  }
};

bool IsText(TypeKind kind) {
  return kind == TypeKind::kString || kind == TypeKind::kSymbol;
}

bool IsNumeric(TypeKind kind) {
  return kind == TypeKind::kInt || kind == TypeKind::kDecimal ||
         kind == TypeKind::kUsd || kind == TypeKind::kTimestamp ||
         kind == TypeKind::kDuration;
}

// The step to a value's neighbour that a person would take: a cent, a second.
int64_t CoarseStep(TypeKind kind) {
  switch (kind) {
    case TypeKind::kUsd:
      return 10'000;
    case TypeKind::kDecimal:
      return 10'000'000;
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
      return 1'000'000;
    default:
      return 1;
  }
}

// Returns |left - right| in thousandths of the larger of the two.
int64_t RelativeDistance(int64_t left, int64_t right) {
  const absl::int128 difference = absl::int128(left) - right;
  const auto magnitude = [](absl::int128 value) {
    return value < 0 ? -value : value;
  };
  const absl::int128 larger =
      std::max({magnitude(left), magnitude(right), absl::int128(1)});
  return static_cast<int64_t>(magnitude(difference) * 1000 / larger);
}

int OriginOf(RootField field) {
  if (field == RootField::kNow) return 2;
  return field <= RootField::kIntentCreatedAt ? 0 : 1;
}

// Whether a field may be changed. Who the parties are, and what the agent
// wants to do, is given.
bool IsChangeable(RootField field) {
  return field != RootField::kIntentId && field != RootField::kIntentType &&
         field != RootField::kTenantId && field != RootField::kTenantSlug;
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

// Gathers candidates and tries them. Confined to one FindMilderChange call.
class Search {
 public:
  Search(const DecisionProgram& program, const Facts& facts,
         Evaluator& evaluator)
      : program_(program),
        facts_(facts),
        evaluator_(evaluator),
        lists_(static_cast<size_t>(program.variable_count), -1) {}

  // Adds what the rule's condition says.
  void AddRule(const ProgramRule& rule);
  // Adds the spend that would have stayed below a limit.
  void AddDraw(const LimitDraw& draw);
  std::optional<MilderChange> Try(DecisionKind than);

 private:
  void Visit(int32_t id);
  void VisitComparison(const Instruction& instruction);
  // The places that an operand reads; looks through `??` and `lower`.
  std::vector<size_t> PlacesOf(int32_t id);
  std::vector<size_t> VariablePlaces(const Instruction& instruction);
  size_t AddPlace(Place place);
  size_t FixedPlace(RootField field);
  // What any place can be: other members, the other bool, absent, empty.
  void AddPlain(size_t place);
  void AddConstant(size_t place, const Value& constant);
  void AddNumber(size_t place, Kind kind, absl::int128 number);
  void AddText(size_t place, absl::string_view text);
  void AddHours(size_t place);
  void Add(size_t place, Change change);
  std::optional<DecisionKind> Decide(const Change& change) const;
  std::string Shown(const Change& change) const;
  std::string Standing(const Place& place) const;

  const Instruction& get(int32_t id) const {
    return program_.instructions[static_cast<size_t>(id)];
  }
  int32_t Child(const Instruction& instruction, int32_t number) const {
    return program_
        .children[static_cast<size_t>(instruction.first_child + number)];
  }
  TypeKind KindOf(const Place& place) const {
    return program_.types.kind(place.type);
  }

  const DecisionProgram& program_;
  const Facts& facts_;
  Evaluator& evaluator_;
  absl::flat_hash_set<int32_t> visited_;
  // The payload slot that each loop around walks; negative for another list.
  std::vector<int32_t> lists_;
  std::vector<Place> places_;
  std::vector<Change> changes_;
};

void Search::AddRule(const ProgramRule& rule) {
  if (rule.condition >= 0) Visit(rule.condition);
}

void Search::AddDraw(const LimitDraw& draw) {
  if (!draw.is_spend || !draw.total.has_value()) return;
  const size_t place = FixedPlace(RootField::kIntentSpend);
  AddNumber(place, Kind::kNamed,
            absl::int128(draw.amount_max) - *draw.total + draw.amount);
}

void Search::Visit(int32_t id) {
  if (!visited_.insert(id).second) return;
  const Instruction& instruction = get(id);
  switch (instruction.code) {
    case Code::kFixed:
    case Code::kSlot:
    case Code::kVariable:
    case Code::kHasSlot:
    case Code::kHasVariable:
      for (const size_t place : PlacesOf(id)) AddPlain(place);
      return;
    case Code::kConnected: {
      Place place;
      place.provider = program_.texts[static_cast<size_t>(instruction.index)];
      place.name = ExprText(program_, id, {});
      place.type = kBoolType;
      place.value = evaluator_.Get(id);
      return AddPlain(AddPlace(std::move(place)));
    }
    case Code::kHour:
    case Code::kWeekday:
      for (const size_t place : PlacesOf(Child(instruction, 0))) {
        AddHours(place);
      }
      break;
    case Code::kAny:
    case Code::kAll:
    case Code::kCount: {
      const Instruction& list = get(Child(instruction, 0));
      const size_t variable = static_cast<size_t>(instruction.index);
      const int32_t outer = std::exchange(
          lists_[variable], list.code == Code::kSlot ? list.index : -1);
      Visit(Child(instruction, 1));
      lists_[variable] = outer;
      return;
    }
    default:
      VisitComparison(instruction);
      break;
  }
  for (int32_t i = 0; i < instruction.child_count; ++i) {
    Visit(Child(instruction, i));
  }
}

void Search::VisitComparison(const Instruction& instruction) {
  const size_t index = static_cast<size_t>(instruction.index);
  if (instruction.code == Code::kInRange) {
    for (const size_t place : PlacesOf(Child(instruction, 0))) {
      for (const int32_t end : {instruction.index, instruction.extra}) {
        AddConstant(place,
                    Value::Number(program_.numbers[static_cast<size_t>(end)]));
      }
    }
  } else if (instruction.code == Code::kInNumbers) {
    for (const size_t place : PlacesOf(Child(instruction, 0))) {
      for (const int64_t number : program_.number_sets[index]) {
        AddConstant(place, Value::Number(number));
      }
    }
  } else if (instruction.code == Code::kInTexts) {
    for (const size_t place : PlacesOf(Child(instruction, 0))) {
      for (const std::string& text : program_.text_sets[index]) {
        AddText(place, text);
      }
    }
  } else if (instruction.child_count == 2) {
    for (int32_t i = 0; i < 2; ++i) {
      const int32_t other = Child(instruction, 1 - i);
      if (!get(other).is_constant) continue;
      const Value constant = evaluator_.Get(other);
      if (!constant.is_present()) continue;
      for (const size_t place : PlacesOf(Child(instruction, i))) {
        AddConstant(place, constant);
      }
    }
  }
}

std::vector<size_t> Search::PlacesOf(int32_t id) {
  const Instruction& instruction = get(id);
  switch (instruction.code) {
    case Code::kCoalesce:
    case Code::kLower:
      return PlacesOf(Child(instruction, 0));
    case Code::kFixed: {
      const RootField field = static_cast<RootField>(instruction.index);
      if (!IsChangeable(field)) return {};
      return {FixedPlace(field)};
    }
    case Code::kSlot:
    case Code::kHasSlot: {
      Place place;
      for (const std::string& name :
           program_.slot_names[static_cast<size_t>(instruction.index)]) {
        place.path.push_back({name, -1});
      }
      place.name = SlotText(program_, instruction.index);
      place.value = facts_.slots[static_cast<size_t>(instruction.index)];
      // A `has` says nothing of the value's type: it can only be left out.
      place.type = instruction.code == Code::kSlot
                       ? program_.instruction_types[static_cast<size_t>(id)]
                       : kErrorType;
      return {AddPlace(std::move(place))};
    }
    case Code::kVariable:
      return VariablePlaces(instruction);
    default:
      return {};
  }
}

std::vector<size_t> Search::VariablePlaces(const Instruction& instruction) {
  std::vector<size_t> found;
  const int32_t slot = lists_[static_cast<size_t>(instruction.extra)];
  if (slot < 0) return found;
  const Value& list = facts_.slots[static_cast<size_t>(slot)];
  if (!list.is_present()) return found;
  // The slot's type is found by walking to it: its element names the fields.
  TypeId element = kErrorType;
  for (size_t i = 0; i < program_.instructions.size(); ++i) {
    const Instruction& read = program_.instructions[i];
    if (read.code != Code::kSlot || read.index != slot) continue;
    element = program_.types[program_.instruction_types[i]].element;
    break;
  }
  for (uint32_t i = 0; i < list.count && i < kChangedItemsMax; ++i) {
    Place place;
    for (const std::string& name :
         program_.slot_names[static_cast<size_t>(slot)]) {
      place.path.push_back({name, -1});
    }
    place.path.push_back({"", static_cast<int32_t>(i)});
    place.name = absl::StrCat(SlotText(program_, slot), "[", i, "]");
    place.type = program_.types.Required(element);
    place.value = facts_.cells[list.first + i];
    for (const int32_t step :
         program_.steps[static_cast<size_t>(instruction.index)]) {
      if (!place.value.is_present()) break;
      const Field& field =
          program_.types[place.type].fields[static_cast<size_t>(step)];
      place.value =
          facts_.cells[place.value.first + static_cast<uint32_t>(step)];
      place.path.push_back({field.name, -1});
      AppendPathStep(field.name, &place.name);
      place.type = program_.types.Required(field.type);
    }
    found.push_back(AddPlace(std::move(place)));
  }
  return found;
}

size_t Search::AddPlace(Place place) {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].name != place.name) continue;
    if (places_[i].type == kErrorType) places_[i].type = place.type;
    return i;
  }
  places_.push_back(std::move(place));
  return places_.size() - 1;
}

size_t Search::FixedPlace(RootField field) {
  Place place;
  place.field = field;
  place.name = std::string(RootFieldName(field));
  for (size_t i = 0; i < program_.instructions.size(); ++i) {
    const Instruction& read = program_.instructions[i];
    if (read.code != Code::kFixed ||
        read.index != static_cast<int32_t>(field)) {
      continue;
    }
    place.type = program_.instruction_types[i];
    place.value = evaluator_.Get(static_cast<int32_t>(i));
    break;
  }
  if (field == RootField::kIntentSpend) {
    // Limits count it even where no condition reads it.
    place.type = kUsdType;
    place.value = Value::Number(facts_.request->intent.spend_micros_usd);
  }
  return AddPlace(std::move(place));
}

void Search::AddPlain(size_t number) {
  const Place place = places_[number];
  const TypeKind kind = KindOf(place);
  if (kind == TypeKind::kBool) {
    for (const int64_t value : {0, 1}) {
      AddNumber(number, Kind::kNamed, value);
    }
  } else if (kind == TypeKind::kEnum) {
    const size_t count = program_.types[place.type].members.size();
    for (size_t i = 0; i < count; ++i) {
      AddNumber(number, Kind::kNamed, static_cast<int64_t>(i));
    }
  } else if (IsText(kind)) {
    Change change;
    change.kind = Kind::kEmpty;
    Add(number, std::move(change));
  }
  if (!place.path.empty() && place.path.back().index < 0 &&
      place.value.is_present()) {
    Change change;
    change.kind = Kind::kAbsent;
    change.is_absent = true;
    Add(number, std::move(change));
  }
}

void Search::AddConstant(size_t place, const Value& constant) {
  const TypeKind kind = KindOf(places_[place]);
  if (kind == TypeKind::kList) {
    // Of lists only the agent's labels are changed: by one label.
    if (places_[place].path.empty()) AddText(place, constant.text);
    return;
  }
  if (IsText(kind)) return AddText(place, constant.text);
  if (!IsNumeric(kind)) return AddNumber(place, Kind::kNamed, constant.number);
  const int64_t step = CoarseStep(kind);
  for (const int64_t offset : {int64_t{0}, -step, step}) {
    AddNumber(place, Kind::kNamed, absl::int128(constant.number) + offset);
  }
  if (step == 1) return;
  for (const int64_t offset : {-1, 1}) {
    AddNumber(place, Kind::kFine, absl::int128(constant.number) + offset);
  }
}

void Search::AddNumber(size_t number, Kind kind, absl::int128 value) {
  if (value > INT64_MAX || value < INT64_MIN) return;
  const Place& place = places_[number];
  Change change;
  change.kind = kind;
  change.number = static_cast<int64_t>(value);
  if (place.value.is_present() && place.value.number == change.number) return;
  change.distance = IsNumeric(KindOf(place)) && place.value.is_present()
                        ? RelativeDistance(place.value.number, change.number)
                        : 1000;
  Add(number, std::move(change));
}

void Search::AddText(size_t number, absl::string_view text) {
  const Place& place = places_[number];
  if (KindOf(place) != TypeKind::kList && place.value.is_present() &&
      place.value.text == text) {
    return;
  }
  Change change;
  change.text = std::string(text);
  change.distance = 1000;
  Add(number, std::move(change));
}

void Search::AddHours(size_t number) {
  const Place& place = places_[number];
  if (!place.value.is_present()) return;
  // Full hours of the week before and the week behind.
  const int64_t hour = place.value.number / kMicrosPerHour;
  for (int i = -kHoursPerWeek; i <= kHoursPerWeek; ++i) {
    Change change;
    change.number = (hour + i) * kMicrosPerHour;
    change.distance = std::abs(change.number - place.value.number);
    // The time goes forward: an earlier one can't be chosen any more.
    if (change.number <= place.value.number &&
        place.name == RootFieldName(RootField::kNow)) {
      continue;
    }
    Add(number, std::move(change));
  }
}

void Search::Add(size_t place, Change change) {
  change.place = place;
  const Place& target = places_[place];
  if (!target.path.empty()) {
    change.origin = 0;
  } else if (target.provider.has_value()) {
    change.origin = 1;
  } else {
    change.origin = OriginOf(target.field);
  }
  changes_.push_back(std::move(change));
}

std::optional<DecisionKind> Search::Decide(const Change& change) const {
  const Place& place = places_[change.place];
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

std::string Search::Standing(const Place& place) const {
  if (place.path.empty() && place.field == RootField::kAgentLabels &&
      !place.provider.has_value()) {
    return absl::StrCat("[", absl::StrJoin(facts_.request->agent.labels, ", "),
                        "]");
  }
  return ValueText(program_, place.type, place.value);
}

std::string Search::Shown(const Change& change) const {
  if (change.is_absent) return "missing";
  const Place& place = places_[change.place];
  const TypeKind kind = KindOf(place);
  if (kind == TypeKind::kList) {
    Request request = *facts_.request;
    SetField(place.field, change, &request);
    return absl::StrCat("[", absl::StrJoin(request.agent.labels, ", "), "]");
  }
  return ValueText(
      program_, place.type,
      IsText(kind) ? Value::Text(change.text) : Value::Number(change.number));
}

std::optional<MilderChange> Search::Try(DecisionKind than) {
  std::sort(changes_.begin(), changes_.end(),
            [](const Change& left, const Change& right) {
              return left.Rank() < right.Rank();
            });
  size_t tried = 0;
  const Change* before = nullptr;
  for (const Change& change : changes_) {
    if (before != nullptr && before->Rank() == change.Rank()) continue;
    before = &change;
    if (++tried > kChangesTriedMax) break;
    const std::optional<DecisionKind> kind = Decide(change);
    if (!kind.has_value() || *kind >= than) continue;
    const Place& place = places_[change.place];
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
  Search search(program, facts, evaluator);
  for (const Hit& hit : outcome.hits) {
    search.AddRule(program.rules[static_cast<size_t>(hit.rule)]);
  }
  for (const LimitDraw& draw : outcome.limit_draws) search.AddDraw(draw);
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
      if (rule.kind < outcome.kind) search.AddRule(rule);
    }
  }
  return search.Try(outcome.kind);
}

}  // namespace sgl
