#include "policy/eval/explain_candidates.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "policy/eval/explain_text.h"
#include "policy/eval/json.h"

namespace sgl {
namespace {

constexpr int64_t kMicrosPerHour = 3'600'000'000;
constexpr int kHoursPerWeek = 168;
// The distance between two values that are no numbers.
constexpr int64_t kWhole = 1'000'000'000;

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

// Returns |left - right| in billionths of the larger of the two.
int64_t RelativeDistance(int64_t left, int64_t right) {
  const absl::int128 difference = absl::int128(left) - right;
  const auto magnitude = [](absl::int128 value) {
    return value < 0 ? -value : value;
  };
  const absl::int128 larger =
      std::max({magnitude(left), magnitude(right), absl::int128(1)});
  return static_cast<int64_t>(magnitude(difference) * kWhole / larger);
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

}  // namespace

void CandidateFinder::AddRule(const ProgramRule& rule) {
  if (rule.condition >= 0) Visit(rule.condition);
}

void CandidateFinder::AddDraw(const LimitDraw& draw) {
  if (!draw.is_spend || !draw.total.has_value()) return;
  const size_t place = FixedPlace(RootField::kIntentSpend);
  AddNumber(place, ChangeKind::kNamed,
            absl::int128(draw.amount_max) - *draw.total + draw.amount);
}

void CandidateFinder::Visit(int32_t id) {
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
      ChangePlace place;
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

void CandidateFinder::VisitComparison(const Instruction& instruction) {
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

std::vector<size_t> CandidateFinder::PlacesOf(int32_t id) {
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
      ChangePlace place;
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

std::vector<size_t> CandidateFinder::VariablePlaces(
    const Instruction& instruction) {
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
    ChangePlace place;
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

size_t CandidateFinder::AddPlace(ChangePlace place) {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].name != place.name) continue;
    if (places_[i].type == kErrorType) places_[i].type = place.type;
    return i;
  }
  places_.push_back(std::move(place));
  return places_.size() - 1;
}

size_t CandidateFinder::FixedPlace(RootField field) {
  ChangePlace place;
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

void CandidateFinder::AddPlain(size_t number) {
  const ChangePlace place = places_[number];
  const TypeKind kind = KindOf(place);
  if (kind == TypeKind::kBool) {
    for (const int64_t value : {0, 1}) {
      AddNumber(number, ChangeKind::kNamed, value);
    }
  } else if (kind == TypeKind::kEnum) {
    const size_t count = program_.types[place.type].members.size();
    for (size_t i = 0; i < count; ++i) {
      AddNumber(number, ChangeKind::kNamed, static_cast<int64_t>(i));
    }
  } else if (IsText(kind)) {
    Change change;
    change.kind = ChangeKind::kEmpty;
    Add(number, std::move(change));
  }
  if (!place.path.empty() && place.path.back().index < 0 &&
      place.value.is_present()) {
    Change change;
    change.kind = ChangeKind::kAbsent;
    change.is_absent = true;
    Add(number, std::move(change));
  }
}

void CandidateFinder::AddConstant(size_t place, const Value& constant) {
  const TypeKind kind = KindOf(places_[place]);
  if (kind == TypeKind::kList) {
    // Of lists only the agent's labels are changed: by one label.
    if (places_[place].path.empty()) AddText(place, constant.text());
    return;
  }
  if (IsText(kind)) return AddText(place, constant.text());
  if (!IsNumeric(kind))
    return AddNumber(place, ChangeKind::kNamed, constant.number);
  const int64_t step = CoarseStep(kind);
  for (const int64_t offset : {int64_t{0}, -step, step}) {
    AddNumber(place, ChangeKind::kNamed,
              absl::int128(constant.number) + offset);
  }
  if (step == 1) return;
  for (const int64_t offset : {-1, 1}) {
    AddNumber(place, ChangeKind::kFine, absl::int128(constant.number) + offset);
  }
}

void CandidateFinder::AddNumber(size_t number, ChangeKind kind,
                                absl::int128 value) {
  if (value > INT64_MAX || value < INT64_MIN) return;
  const ChangePlace& place = places_[number];
  Change change;
  change.kind = kind;
  change.number = static_cast<int64_t>(value);
  if (place.value.is_present() && place.value.number == change.number) return;
  change.distance = IsNumeric(KindOf(place)) && place.value.is_present()
                        ? RelativeDistance(place.value.number, change.number)
                        : kWhole;
  Add(number, std::move(change));
}

void CandidateFinder::AddText(size_t number, absl::string_view text) {
  const ChangePlace& place = places_[number];
  if (KindOf(place) != TypeKind::kList && place.value.is_present() &&
      place.value.text() == text) {
    return;
  }
  Change change;
  change.text = std::string(text);
  change.distance = kWhole;
  Add(number, std::move(change));
}

void CandidateFinder::AddHours(size_t number) {
  const ChangePlace& place = places_[number];
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

void CandidateFinder::Add(size_t place, Change change) {
  change.place = place;
  const ChangePlace& target = places_[place];
  if (!target.path.empty()) {
    change.origin = 0;
  } else if (target.provider.has_value()) {
    change.origin = 1;
  } else {
    change.origin = OriginOf(target.field);
  }
  changes_.push_back(std::move(change));
}

std::vector<Change> CandidateFinder::TakeChanges() {
  std::sort(changes_.begin(), changes_.end(),
            [](const Change& left, const Change& right) {
              return left.Rank() < right.Rank();
            });
  return std::move(changes_);
}

}  // namespace sgl
