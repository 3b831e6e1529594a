#include "policy/eval/sample_request.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include <algorithm>

#include "policy/check/checked_policy.h"
#include "policy/eval/explain_text.h"

namespace sgl {
namespace {

// A type that no policy names, where one is known only as one of `*`.
constexpr absl::string_view kNoType = "?";

bool IsText(TypeKind kind) {
  return kind == TypeKind::kString || kind == TypeKind::kSymbol;
}

bool Fits(const Type& type, int64_t number) {
  switch (type.kind) {
    case TypeKind::kBool:
      return number == 0 || number == 1;
    case TypeKind::kEnum:
      return number >= 0 && number < static_cast<int64_t>(type.members.size());
    case TypeKind::kInt:
    case TypeKind::kDecimal:
    case TypeKind::kUsd:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
      return true;
    default:
      return false;
  }
}

}  // namespace

SampleRequest::SampleRequest(const DecisionProgram& program)
    : program_(program),
      slot_types_(static_cast<size_t>(program.slot_count), kErrorType),
      type_names_(program.type_ids.size()),
      optional_names_(static_cast<size_t>(program.slot_count)) {
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    const Instruction& read = program.instructions[i];
    if (read.code != Code::kSlot) continue;
    slot_types_[static_cast<size_t>(read.index)] = program.instruction_types[i];
  }
  for (const auto& [name, number] : program.type_ids) {
    type_names_[static_cast<size_t>(number)] = &name;
  }
}

void SampleRequest::Start(int32_t type, int32_t layer) {
  set_.clear();
  texts_.clear();
  request_ = Request();
  request_.intent.type =
      type < 0 ? kNoType
               : absl::string_view(*type_names_[static_cast<size_t>(type)]);
  facts_.tenant_layer = -1;
  facts_.budget_used = 0;
  facts_.request = &request_;
  facts_.type_id = type;
  facts_.is_type_known = true;
  facts_.labels = Value::Cells(0, 0);
  facts_.slots.assign(SlotsOf(program_), Value::Missing());
  declared_slots_.clear();
  std::fill(optional_names_.begin(), optional_names_.end(), -1);
  AddShape(program_.star);
  if (type >= 0) {
    const ProgramShape* const shape =
        program_.platform_shapes[static_cast<size_t>(type)];
    if (shape != nullptr) AddShape(*shape);
  }
  if (layer > 0) {
    facts_.tenant_layer = layer;
    const ProgramLayer& tenant = program_.layers[static_cast<size_t>(layer)];
    request_.tenant.slug = tenant.slug;
    const auto own = tenant.types.find(request_.intent.type);
    if (own != tenant.types.end()) AddShape(own->second);
  }
  FillFixedSlots(program_, &facts_);
}

void SampleRequest::AddShape(const ProgramShape& shape) {
  for (const SlotSource& source : shape.slots) {
    int32_t names = 0;
    int32_t optional_names = 0;
    TypeId at = shape.fields;
    for (const int32_t step : source.steps) {
      at = program_.types[program_.types.Required(at)]
               .fields[static_cast<size_t>(step)]
               .type;
      ++names;
      if (program_.types.is_optional(at)) optional_names = names;
    }
    optional_names_[static_cast<size_t>(source.slot)] = optional_names;
    declared_slots_.push_back(source.slot);
    SetEmpty(source.slot);
  }
}

void SampleRequest::SetEmpty(int32_t slot) {
  const size_t number = static_cast<size_t>(slot);
  const TypeKind kind = program_.types.kind(slot_types_[number]);
  // An empty list, an empty text, zero; a record only `has` reads.
  facts_.slots[number] = kind == TypeKind::kList ? Value::Cells(0, 0)
                         : IsText(kind)          ? Value::Text("")
                                                 : Value::Number(0);
}

bool SampleRequest::SetMissing(int32_t slot) {
  const int32_t count = optional_names_[static_cast<size_t>(slot)];
  if (count <= 0) return false;
  const auto& names = program_.slot_names[static_cast<size_t>(slot)];
  for (const int32_t other : declared_slots_) {
    const size_t number = static_cast<size_t>(other);
    const auto& others = program_.slot_names[number];
    if (others.size() >= static_cast<size_t>(count) &&
        std::equal(names.begin(), names.begin() + count, others.begin())) {
      facts_.slots[number] = Value::Missing();
    }
  }
  Note({.slot = slot, .value = Value::Missing()});
  return true;
}

bool SampleRequest::SetNumber(int32_t instruction, int64_t number) {
  const Instruction& read =
      program_.instructions[static_cast<size_t>(instruction)];
  const TypeId type =
      program_.instruction_types[static_cast<size_t>(instruction)];
  if (!Fits(program_.types[program_.types.Required(type)], number)) {
    return false;
  }
  const Value value = Value::Number(number);
  if (read.code == Code::kSlot) {
    if (!IsDeclared(read.index)) return false;
    facts_.slots[static_cast<size_t>(read.index)] = value;
  } else if (read.code == Code::kFixed && SetFixedNumber(read.index, number)) {
    FillFixedSlots(program_, &facts_);
  } else {
    return false;
  }
  Note({.instruction = instruction, .value = value});
  return true;
}

bool SampleRequest::SetText(int32_t instruction, absl::string_view text) {
  const Instruction& read =
      program_.instructions[static_cast<size_t>(instruction)];
  const TypeId type =
      program_.instruction_types[static_cast<size_t>(instruction)];
  if (!IsText(program_.types.kind(type))) return false;
  const std::string& kept = texts_.emplace_back(text);
  if (read.code == Code::kSlot) {
    if (!IsDeclared(read.index)) return false;
    facts_.slots[static_cast<size_t>(read.index)] = Value::Text(kept);
  } else if (read.code == Code::kFixed && SetFixedText(read.index, kept)) {
    FillFixedSlots(program_, &facts_);
  } else {
    return false;
  }
  Note({.instruction = instruction, .value = Value::Text(kept)});
  return true;
}

bool SampleRequest::SetFixedNumber(int32_t field, int64_t number) {
  switch (static_cast<RootField>(field)) {
    case RootField::kIntentSpend:
      request_.intent.spend_micros_usd = number;
      return true;
    case RootField::kIntentDataClass:
      request_.intent.data_class = static_cast<DataClass>(number);
      return true;
    case RootField::kIntentCreatedAt:
      request_.intent.created_at = absl::FromUnixMicros(number);
      return true;
    case RootField::kAgentKnown:
      request_.agent.known = number != 0;
      return true;
    case RootField::kAgentTier:
      request_.agent.tier = number;
      return true;
    case RootField::kTenantSeat:
      request_.tenant.seat = static_cast<Seat>(number);
      return true;
    case RootField::kBudgetExists:
      request_.budget.exists = number != 0;
      return true;
    case RootField::kBudgetRemaining:
      request_.budget.remaining_micros_usd = number;
      return true;
    case RootField::kBudgetUsed:
      facts_.budget_used = number;
      return true;
    case RootField::kNow:
      request_.now = absl::FromUnixMicros(number);
      return true;
    default:
      return false;
  }
}

bool SampleRequest::SetFixedText(int32_t field, absl::string_view text) {
  switch (static_cast<RootField>(field)) {
    case RootField::kIntentId:
      request_.intent.id = text;
      return true;
    case RootField::kIntentRequestedBy:
      request_.intent.requested_by = text;
      return true;
    case RootField::kAgentId:
      request_.agent.id = text;
      return true;
    case RootField::kAgentName:
      request_.agent.name = text;
      return true;
    case RootField::kAgentRole:
      request_.agent.role = text;
      return true;
    case RootField::kAgentStatus:
      request_.agent.status = text;
      return true;
    case RootField::kTenantId:
      request_.tenant.id = text;
      return true;
    default:
      // The type and the tenant are the group's.
      return false;
  }
}

void SampleRequest::Note(const Set& set) {
  for (Set& old : set_) {
    if (old.instruction != set.instruction || old.slot != set.slot) continue;
    old = set;
    return;
  }
  set_.push_back(set);
}

std::string SampleRequest::Describe() const {
  std::vector<std::string> parts;
  for (const Set& set : set_) {
    if (set.instruction < 0) {
      parts.push_back(absl::StrCat(SlotText(program_, set.slot), " missing"));
      continue;
    }
    const TypeId type =
        program_.instruction_types[static_cast<size_t>(set.instruction)];
    parts.push_back(absl::StrCat(ExprText(program_, set.instruction, {}), " = ",
                                 ValueText(program_, type, set.value)));
  }
  return absl::StrCat(request_.intent.type, parts.empty() ? "" : " with ",
                      absl::StrJoin(parts, ", "));
}

}  // namespace sgl
