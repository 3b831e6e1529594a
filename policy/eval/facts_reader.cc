#include "policy/eval/facts_reader.h"

#include <optional>
#include <utility>

#include "policy/eval/exact.h"
#include "policy/eval/time_text.h"
#include "policy/limits.h"

namespace sgl {

FactsReader::FactsReader(const DecisionProgram &program) : program_(program) {
  for (const ProgramLayer &layer : program.layers) {
    has_tenant_types_ = has_tenant_types_ || !layer.types.empty();
  }
}

void FactsReader::Read(const Request &request, Facts *facts) {
  Reset(facts);
  facts->request = &request;
  if (!TryRead(request)) ReadExactly(request, facts);
}

void FactsReader::ReadExactly(const Request &request, Facts *facts) {
  Facts exact = DecodeFacts(program_, request);
  exact.storage = std::move(facts->storage);
  *facts = std::move(exact);
}

void FactsReader::Reset(Facts *facts) {
  facts_ = facts;
  if (facts->storage == nullptr) {
    facts->storage = std::make_unique<FactsStorage>();
  }
  FactsStorage &storage = *facts->storage;
  const size_t slot_count = SlotsOf(program_);
  if (storage.is_any_slot_filled || facts->slots.size() != slot_count ||
      storage.payload_slot_count != program_.slot_count) {
    storage.payload_slot_count = program_.slot_count;
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
  const ProgramShape *shape = nullptr;
  int32_t type_id = -1;
  if (!program_.type_ids.empty()) {
    const auto type = program_.type_ids.find(facts_->request->intent.type);
    if (type != program_.type_ids.end()) {
      type_id = type->second;
      shape = program_.platform_shapes[static_cast<size_t>(type_id)];
    }
  }
  is_platform_type_ = shape != nullptr;
  facts_->is_type_known = program_.has_star || is_platform_type_;
  if (!facts_->is_type_known) return;
  facts_->type_id = type_id;
  AddPart(program_.star);
  if (is_platform_type_) AddPart(*shape);
}

void FactsReader::ResolveTenant() {
  if (!facts_->is_type_known || program_.layer_of_tenant.empty()) return;
  const Request &request = *facts_->request;
  const auto layer = program_.layer_of_tenant.find(request.tenant.slug);
  if (layer == program_.layer_of_tenant.end()) return;
  facts_->tenant_layer = layer->second;
  // A tenant declares no type that the platform has.
  if (is_platform_type_ || !has_tenant_types_) return;
  const auto &types = program_.layers[static_cast<size_t>(layer->second)].types;
  const auto own = types.find(request.intent.type);
  if (own != types.end()) AddPart(own->second);
}

void FactsReader::AddPart(const ProgramShape &shape) {
  const TypePlan &plan = program_.payload_plan.type(shape.fields);
  if (plan.kind != TypeKind::kRecord) return;
  const RecordPlan &record =
      program_.payload_plan.records[static_cast<size_t>(plan.number)];
  if (record.types.empty()) return;
  parts_[part_count_++] = {
      .shape = &shape,
      .record = &record,
      .first_cell = static_cast<uint32_t>(facts_->cells.size())};
  AddCells(record.types.size());
}

bool FactsReader::TryRead(const Request &request) {
  if (!request.violations.empty() || request.intent.spend_micros_usd < 0) {
    return false;
  }
  ResolveType();
  ResolveTenant();
  if (facts_->is_type_known) {
    const absl::string_view payload = request.intent.payload;
    JsonPlace at = tokens_.Start(payload.empty() ? "{}" : payload,
                                 &facts_->storage->buffer);
    if (at != nullptr) at = ReadPayload(at);
    if (at == nullptr || !tokens_.IsAtEnd(at)) return false;
  }
  Finish();
  return true;
}

JsonPlace FactsReader::ReadPayload(JsonPlace at) {
  if (tokens_.Peek(at) != '{') return nullptr;
  if (program_.has_scan && facts_->is_type_known) {
    tokens_.set_strings(&facts_->strings);
  }
  at = ReadMembers(at + 1);
  tokens_.set_strings(nullptr);
  return at != nullptr && CompletePayload() ? at : nullptr;
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
    for (const SlotSource &source : parts_[i].shape->slots) {
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
  const Request &request = *facts_->request;
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
  FillFixedSlots(program_, facts_);
}

// Reads the payload's members, behind its bracket.
JsonPlace FactsReader::ReadMembers(JsonPlace at) {
  if (tokens_.Peek(at) == '}') return at + 1;
  const size_t frame = tokens_.MarkKeys();
  for (bool is_closed = false; !is_closed;) {
    MemberKey key;
    at = tokens_.TakeKey(at, &key);
    if (at == nullptr) return nullptr;
    int32_t field = -1;
    int part = 0;
    for (; part < part_count_; ++part) {
      field = parts_[part].record->fields.Find(key);
      if (field >= 0) break;
    }
    if (field < 0) {
      at = ReadUndeclared(at, key, frame, 1);
    } else {
      const uint32_t cell =
          parts_[part].first_cell + static_cast<uint32_t>(field);
      if (facts_->cells[cell].state != Value::State::kUnset) return nullptr;
      Value value;
      at = ReadValue(at, parts_[part].record->types[static_cast<size_t>(field)],
                     1, &value);
      facts_->cells[cell] = value;
    }
    if (at == nullptr) return nullptr;
    at = tokens_.TakeNext(at, '}', &is_closed);
    if (at == nullptr) return nullptr;
  }
  return tokens_.CloseKeys(frame) ? at : nullptr;
}

bool FactsReader::FillMissing(const RecordPlan &record, uint32_t first_cell) {
  for (size_t i = 0; i < record.types.size(); ++i) {
    Value &cell = facts_->cells[first_cell + i];
    if (cell.state != Value::State::kUnset) continue;
    const size_t type = static_cast<size_t>(record.types[i]);
    if (!program_.payload_plan.types[type].is_optional) return false;
    cell = Value::Missing();
  }
  return true;
}

// Reads an object inside the payload. `depth` is that of what is around it.
JsonPlace FactsReader::ReadRecord(JsonPlace at, const RecordPlan &record,
                                  int depth, Value *value) {
  if (depth == JsonTokens::kDepthMax || tokens_.Peek(at) != '{') return nullptr;
  ++at;
  const uint32_t first = static_cast<uint32_t>(facts_->cells.size());
  *value = Value::Cells(first, static_cast<uint32_t>(record.types.size()));
  AddCells(record.types.size());
  bool is_closed = tokens_.Peek(at) == '}';
  if (is_closed) ++at;
  const size_t frame = tokens_.MarkKeys();
  while (!is_closed) {
    MemberKey key;
    at = tokens_.TakeKey(at, &key);
    if (at == nullptr) return nullptr;
    const int32_t field = record.fields.Find(key);
    if (field < 0) {
      at = ReadUndeclared(at, key, frame, depth + 1);
    } else {
      const uint32_t cell = first + static_cast<uint32_t>(field);
      if (facts_->cells[cell].state != Value::State::kUnset) return nullptr;
      Value read;
      at = ReadValue(at, record.types[static_cast<size_t>(field)], depth + 1,
                     &read);
      facts_->cells[cell] = read;
    }
    if (at == nullptr) return nullptr;
    at = tokens_.TakeNext(at, '}', &is_closed);
    if (at == nullptr) return nullptr;
  }
  const bool is_good = tokens_.CloseKeys(frame) && FillMissing(record, first);
  return is_good ? at : nullptr;
}

JsonPlace FactsReader::ReadValue(JsonPlace at, int32_t type, int depth,
                                 Value *value) {
  const TypePlan &plan = program_.payload_plan.types[static_cast<size_t>(type)];
  if (tokens_.Peek(at) == 'n') {
    *value = Value::Missing();
    return plan.is_optional ? tokens_.TakeNull(at) : nullptr;
  }
  *value = Value::Number(0);
  bool is_true = false;
  absl::string_view text;
  switch (plan.kind) {
    case TypeKind::kBool:
      at = tokens_.TakeBool(at, &is_true);
      value->number = is_true ? 1 : 0;
      return at;
    case TypeKind::kInt:
      return tokens_.TakeNumber(at, 0, Decimals::kExact, &value->number);
    case TypeKind::kDecimal:
      return tokens_.TakeNumber(at, kDecimalDecimals, Decimals::kHalfEven,
                                &value->number);
    case TypeKind::kUsd:
      return tokens_.TakeNumber(at, kUsdDecimals, Decimals::kExact,
                                &value->number);
    case TypeKind::kString:
    case TypeKind::kSymbol:
      at = tokens_.TakeString(at, &text);
      *value = Value::Text(text);
      return at;
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
    case TypeKind::kEnum:
      return ReadTextual(at, plan, value);
    case TypeKind::kList:
      return ReadList(at, plan.number, depth, value);
    case TypeKind::kRecord:
      return ReadRecord(
          at, program_.payload_plan.records[static_cast<size_t>(plan.number)],
          depth, value);
    case TypeKind::kError:
      break;
  }
  return nullptr;
}

// Reads a number that stands in a string.
JsonPlace FactsReader::ReadTextual(JsonPlace at, const TypePlan &type,
                                   Value *value) {
  absl::string_view text;
  at = tokens_.TakeString(at, &text);
  if (at == nullptr) return nullptr;
  if (type.kind == TypeKind::kEnum) {
    const MemberTable &members =
        program_.payload_plan.enums[static_cast<size_t>(type.number)];
    // INVARIANT: behind every string of the tokens stand bytes to read.
    value->number = members.Find(MakeMemberKey(text.data(), text.size()));
    return value->number >= 0 ? at : nullptr;
  }
  const std::optional<int64_t> number = type.kind == TypeKind::kTimestamp
                                            ? ReadTimestamp(text)
                                            : ReadDuration(text);
  value->number = number.value_or(0);
  return number.has_value() ? at : nullptr;
}

JsonPlace FactsReader::ReadList(JsonPlace at, int32_t element, int depth,
                                Value *value) {
  if (depth == JsonTokens::kDepthMax || tokens_.Peek(at) != '[') return nullptr;
  ++at;
  const size_t frame = items_.size();
  bool is_closed = tokens_.Peek(at) == ']';
  if (is_closed) ++at;
  while (!is_closed) {
    Value item;
    at = ReadValue(at, element, depth + 1, &item);
    if (at == nullptr) return nullptr;
    at = tokens_.TakeNext(at, ']', &is_closed);
    if (at == nullptr) return nullptr;
    items_.push_back(item);
  }
  const size_t count = items_.size() - frame;
  if (count > static_cast<size_t>(kListItemsMax)) return nullptr;
  *value = Value::Cells(static_cast<uint32_t>(facts_->cells.size()),
                        static_cast<uint32_t>(count));
  facts_->cells.insert(facts_->cells.end(),
                       items_.begin() + static_cast<std::ptrdiff_t>(frame),
                       items_.end());
  items_.resize(frame);
  return at;
}

}  // namespace sgl
