#include "policy/eval/facts_reader.h"

#include <optional>
#include <utility>

#include "policy/eval/exact.h"
#include "policy/eval/time_text.h"
#include "policy/limits.h"

namespace sgl {

FactsReader::FactsReader(const DecisionProgram& program) : program_(program) {
  for (const ProgramLayer& layer : program.layers) {
    has_tenant_types_ = has_tenant_types_ || !layer.types.empty();
  }
}

void FactsReader::Read(const Request& request, Facts* facts) {
  Reset(facts);
  facts->request = &request;
  if (!TryRead(request)) ReadExactly(request, facts);
}

void FactsReader::ReadExactly(const Request& request, Facts* facts) {
  Facts exact = DecodeFacts(program_, request);
  exact.storage = std::move(facts->storage);
  *facts = std::move(exact);
}

void FactsReader::Reset(Facts* facts) {
  facts_ = facts;
  if (facts->storage == nullptr) {
    facts->storage = std::make_unique<FactsStorage>();
  }
  FactsStorage& storage = *facts->storage;
  const size_t slot_count = static_cast<size_t>(program_.slot_count);
  if (storage.is_any_slot_filled || facts->slots.size() != slot_count) {
    facts->slots.assign(slot_count, Value::Missing());
  } else {
    for (const int32_t slot : storage.filled_slots) {
      facts->slots[static_cast<size_t>(slot)] = Value::Missing();
    }
  }
  storage.filled_slots.clear();
  // Stays so where the exact decoder has to step in.
  storage.is_any_slot_filled = true;
  storage.line.reset();
  if (!facts->payload.nodes().empty()) facts->payload = JsonDocument();
  facts->cells.clear();
  facts->strings.clear();
  facts->violations.clear();
  facts->type_id = -1;
  facts->is_type_known = false;
  facts->tenant_layer = -1;
  facts->budget_used = 0;
  facts->labels = Value();
  items_.clear();
  part_count_ = 0;
  is_type_resolved_ = false;
  is_platform_type_ = false;
  is_payload_read_ = false;
  payload_place_ = nullptr;
}

void FactsReader::ResolveType() {
  is_type_resolved_ = true;
  const auto type = program_.type_ids.find(facts_->request->intent.type);
  const ProgramShape* shape = nullptr;
  if (type != program_.type_ids.end()) {
    shape = program_.platform_shapes[static_cast<size_t>(type->second)];
  }
  is_platform_type_ = shape != nullptr;
  facts_->is_type_known = program_.has_star || is_platform_type_;
  if (!facts_->is_type_known) return;
  if (type != program_.type_ids.end()) facts_->type_id = type->second;
  AddPart(program_.star);
  if (is_platform_type_) AddPart(*shape);
}

void FactsReader::ResolveTenant() {
  if (!facts_->is_type_known || program_.layer_of_tenant.empty()) return;
  const Request& request = *facts_->request;
  const auto layer = program_.layer_of_tenant.find(request.tenant.slug);
  if (layer == program_.layer_of_tenant.end()) return;
  facts_->tenant_layer = layer->second;
  // A tenant declares no type that the platform has.
  if (is_platform_type_ || !has_tenant_types_) return;
  const auto& types = program_.layers[static_cast<size_t>(layer->second)].types;
  const auto own = types.find(request.intent.type);
  if (own != types.end()) AddPart(own->second);
}

void FactsReader::AddPart(const ProgramShape& shape) {
  const TypePlan& plan = program_.payload_plan.type(shape.fields);
  if (plan.kind != TypeKind::kRecord) return;
  const RecordPlan& record =
      program_.payload_plan.records[static_cast<size_t>(plan.number)];
  if (record.types.empty()) return;
  parts_[part_count_++] = {
      .shape = &shape,
      .record = &record,
      .first_cell = static_cast<uint32_t>(facts_->cells.size())};
  facts_->cells.resize(facts_->cells.size() + record.types.size());
}

bool FactsReader::TryRead(const Request& request) {
  if (!request.violations.empty() || request.intent.spend_micros_usd < 0) {
    return false;
  }
  ResolveType();
  ResolveTenant();
  if (facts_->is_type_known) {
    const absl::string_view payload = request.intent.payload;
    if (!cursor_.Start(payload.empty() ? "{}" : payload,
                       &facts_->storage->buffer) ||
        !ReadPayload() || !cursor_.IsAtEnd()) {
      return false;
    }
  }
  Finish();
  return true;
}

bool FactsReader::ReadPayload() {
  if (!cursor_.TakeMark('{')) return false;
  if (program_.has_scan && facts_->is_type_known) {
    cursor_.set_strings(&facts_->strings);
  }
  if (!ReadMembers()) return false;
  cursor_.set_strings(nullptr);
  return CompletePayload();
}

bool FactsReader::CompletePayload() {
  for (int i = 0; i < part_count_; ++i) {
    if (!FillMissing(*parts_[i].record, parts_[i].first_cell)) return false;
  }
  FillSlots();
  return true;
}

void FactsReader::FillSlots() {
  for (int i = 0; i < part_count_; ++i) {
    for (const SlotSource& source : parts_[i].shape->slots) {
      uint32_t first = parts_[i].first_cell;
      Value value;
      for (const int32_t step : source.steps) {
        value = facts_->cells[first + static_cast<uint32_t>(step)];
        if (!value.is_present()) break;
        first = value.first;
      }
      facts_->slots[static_cast<size_t>(source.slot)] = value;
      facts_->storage->filled_slots.push_back(source.slot);
    }
  }
}

void FactsReader::Finish() {
  const Request& request = *facts_->request;
  facts_->storage->is_any_slot_filled = false;
  if (!facts_->is_type_known) return;
  facts_->budget_used = request.budget.used.value_or(BudgetUsed(
      request.budget.remaining_micros_usd, request.budget.limit_micros_usd));
  facts_->labels =
      Value::Cells(static_cast<uint32_t>(facts_->cells.size()),
                   static_cast<uint32_t>(request.agent.labels.size()));
  for (const absl::string_view label : request.agent.labels) {
    facts_->cells.push_back(Value::Text(label));
  }
}

// Reads the payload's members, behind its bracket.
bool FactsReader::ReadMembers() {
  if (cursor_.TakeMark('}')) return true;
  const size_t frame = cursor_.MarkKeys();
  for (bool is_closed = false; !is_closed;) {
    MemberKey key;
    if (!cursor_.TakeKey(&key)) return false;
    bool is_declared = false;
    for (int i = 0; i < part_count_ && !is_declared; ++i) {
      const RecordPlan& record = *parts_[i].record;
      const int32_t field = record.fields.Find(key);
      if (field < 0) continue;
      is_declared = true;
      const uint32_t cell = parts_[i].first_cell + static_cast<uint32_t>(field);
      if (facts_->cells[cell].state != Value::State::kUnset) return false;
      Value value;
      if (!ReadValue(record.types[static_cast<size_t>(field)], 1, &value)) {
        return false;
      }
      facts_->cells[cell] = value;
    }
    if (!is_declared && !ReadUndeclared(key, frame, 1)) return false;
    if (!cursor_.TakeNext('}', &is_closed)) return false;
  }
  return cursor_.CloseKeys(frame);
}

bool FactsReader::ReadUndeclared(const MemberKey& key, size_t frame,
                                 int depth) {
  return cursor_.NoteKey(frame, key) && cursor_.SkipValue(depth);
}

bool FactsReader::FillMissing(const RecordPlan& record, uint32_t first_cell) {
  for (size_t i = 0; i < record.types.size(); ++i) {
    Value& cell = facts_->cells[first_cell + i];
    if (cell.state != Value::State::kUnset) continue;
    const size_t type = static_cast<size_t>(record.types[i]);
    if (!program_.payload_plan.types[type].is_optional) return false;
    cell = Value::Missing();
  }
  return true;
}

// Reads an object inside the payload. `depth` is that of what is around it.
bool FactsReader::ReadRecord(const RecordPlan& record, int depth,
                             Value* value) {
  if (depth == JsonCursor::kDepthMax || !cursor_.TakeMark('{')) return false;
  const uint32_t first = static_cast<uint32_t>(facts_->cells.size());
  *value = Value::Cells(first, static_cast<uint32_t>(record.types.size()));
  facts_->cells.resize(first + record.types.size());
  bool is_closed = cursor_.TakeMark('}');
  const size_t frame = cursor_.MarkKeys();
  while (!is_closed) {
    MemberKey key;
    if (!cursor_.TakeKey(&key)) return false;
    const int32_t field = record.fields.Find(key);
    if (field < 0) {
      if (!ReadUndeclared(key, frame, depth + 1)) return false;
    } else {
      const uint32_t cell = first + static_cast<uint32_t>(field);
      if (facts_->cells[cell].state != Value::State::kUnset) return false;
      Value read;
      if (!ReadValue(record.types[static_cast<size_t>(field)], depth + 1,
                     &read)) {
        return false;
      }
      facts_->cells[cell] = read;
    }
    if (!cursor_.TakeNext('}', &is_closed)) return false;
  }
  return cursor_.CloseKeys(frame) && FillMissing(record, first);
}

bool FactsReader::ReadValue(int32_t type, int depth, Value* value) {
  const TypePlan& plan = program_.payload_plan.types[static_cast<size_t>(type)];
  if (cursor_.Peek() == 'n') {
    *value = Value::Missing();
    return plan.is_optional && cursor_.TakeNull();
  }
  *value = Value::Number(0);
  bool is_true = false;
  switch (plan.kind) {
    case TypeKind::kBool:
      if (!cursor_.TakeBool(&is_true)) return false;
      value->number = is_true ? 1 : 0;
      return true;
    case TypeKind::kInt:
      return cursor_.TakeNumber(0, Decimals::kExact, &value->number);
    case TypeKind::kDecimal:
      return cursor_.TakeNumber(kDecimalDecimals, Decimals::kHalfEven,
                                &value->number);
    case TypeKind::kUsd:
      return cursor_.TakeNumber(kUsdDecimals, Decimals::kExact, &value->number);
    case TypeKind::kString:
    case TypeKind::kSymbol:
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
    case TypeKind::kEnum:
      return ReadText(plan, value);
    case TypeKind::kList:
      return ReadList(plan.number, depth, value);
    case TypeKind::kRecord:
      return ReadRecord(
          program_.payload_plan.records[static_cast<size_t>(plan.number)],
          depth, value);
    case TypeKind::kError:
      break;
  }
  return false;
}

// Reads what stands in a string.
bool FactsReader::ReadText(const TypePlan& type, Value* value) {
  absl::string_view text;
  if (!cursor_.TakeString(&text)) return false;
  std::optional<int64_t> number;
  if (type.kind == TypeKind::kEnum) {
    const MemberTable& members =
        program_.payload_plan.enums[static_cast<size_t>(type.number)];
    // INVARIANT: behind every string of a cursor stand bytes to read.
    value->number = members.Find(MakeMemberKey(text.data(), text.size()));
    return value->number >= 0;
  }
  if (type.kind == TypeKind::kTimestamp) {
    number = ReadTimestamp(text);
  } else if (type.kind == TypeKind::kDuration) {
    number = ReadDuration(text);
  } else {
    *value = Value::Text(text);
    return true;
  }
  value->number = number.value_or(0);
  return number.has_value();
}

bool FactsReader::ReadList(int32_t element, int depth, Value* value) {
  if (depth == JsonCursor::kDepthMax || !cursor_.TakeMark('[')) return false;
  const size_t frame = items_.size();
  bool is_closed = cursor_.TakeMark(']');
  while (!is_closed) {
    Value item;
    if (!ReadValue(element, depth + 1, &item) ||
        !cursor_.TakeNext(']', &is_closed)) {
      return false;
    }
    items_.push_back(item);
  }
  const size_t count = items_.size() - frame;
  if (count > static_cast<size_t>(kListItemsMax)) return false;
  *value = Value::Cells(static_cast<uint32_t>(facts_->cells.size()),
                        static_cast<uint32_t>(count));
  facts_->cells.insert(facts_->cells.end(),
                       items_.begin() + static_cast<std::ptrdiff_t>(frame),
                       items_.end());
  items_.resize(frame);
  return true;
}

}  // namespace sgl
