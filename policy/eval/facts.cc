#include "policy/eval/facts.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <utility>

#include "policy/eval/exact.h"
#include "policy/eval/time_text.h"
#include "policy/limits.h"

namespace sgl {

namespace {

// Payloads from SQL and from request lines may nest deeper than the edge
// allows; bounds the stack.
constexpr int kDecodedDepthMax = 1'000;

// Decodes one request. Confined to one DecodeFacts call.
class Decoder {
 public:
  Decoder(const DecisionProgram& program, Facts& facts)
      : program_(program), facts_(facts) {}

  void DecodePayload();
  void AddViolation(std::string path, std::string message);

 private:
  void DecodeShape(const ProgramShape& shape);
  // Decodes `node`, or nothing, as a value of the type.
  Value Decode(TypeId type, const JsonNode& node);
  Value DecodeNumber(TypeId type, const JsonNode& node, int decimals,
                     Decimals treatment);
  Value DecodeEnum(TypeId type, const JsonNode& node);
  Value DecodeTime(TypeId type, const JsonNode& node);
  Value DecodeList(TypeId type, const JsonNode& node);
  Value DecodeRecord(TypeId type, const JsonNode& node);
  void CheckEveryNode();

  // Records that `node` does not fit; returns what stands for it.
  Value Violation(const JsonNode& node, std::string message);
  Value WrongKind(TypeId type, const JsonNode& node);
  std::string PathOf(const JsonNode& node) const {
    return facts_.payload.PathOf(facts_.payload.root(), "payload", node);
  }

  const DecisionProgram& program_;
  Facts& facts_;
};

void Decoder::AddViolation(std::string path, std::string message) {
  if (facts_.violations.size() < kViolationsMax) {
    facts_.violations.push_back({std::move(path), std::move(message)});
  }
}

Value Decoder::Violation(const JsonNode& node, std::string message) {
  // Full already: the path of one more, costly in long lists, is not needed.
  if (facts_.violations.size() < kViolationsMax) {
    AddViolation(PathOf(node), std::move(message));
  }
  return Value::Missing();
}

Value Decoder::WrongKind(TypeId type, const JsonNode& node) {
  // A NaN was reported when every node was checked.
  if (node.kind == JsonKind::kNotANumber) return Value::Missing();
  return Violation(
      node, absl::StrCat("is ", JsonKindPhrase(node.kind), " where `",
                         program_.types.Describe(type), "` is declared"));
}

void Decoder::DecodePayload() {
  const absl::string_view text = facts_.request->intent.payload;
  absl::StatusOr<JsonDocument> document =
      ParseJson(text.empty() ? "{}" : text, kDecodedDepthMax);
  if (!document.ok()) {
    AddViolation("payload", absl::StrCat("is ", document.status().message()));
    return;
  }
  facts_.payload = *std::move(document);
  if (facts_.payload.root().kind != JsonKind::kObject) {
    AddViolation("payload", "is not a JSON object");
    return;
  }
  CheckEveryNode();
  DecodeShape(program_.star);
  const std::string type(facts_.request->intent.type);
  const auto platform = program_.platform_types.find(type);
  if (platform != program_.platform_types.end()) DecodeShape(platform->second);
  if (facts_.tenant_layer >= 0) {
    const auto& types =
        program_.layers[static_cast<size_t>(facts_.tenant_layer)].types;
    const auto own = types.find(type);
    if (own != types.end()) DecodeShape(own->second);
  }
}

void Decoder::CheckEveryNode() {
  for (const JsonNode& node : facts_.payload.nodes()) {
    if (node.is_duplicate) {
      Violation(node, "is given twice; leave one");
    }
    if (node.kind == JsonKind::kNotANumber) {
      Violation(node, "is NaN, which is no JSON");
    }
    if (program_.has_scan && node.kind == JsonKind::kString) {
      facts_.strings.push_back(node.text);
    }
  }
}

void Decoder::DecodeShape(const ProgramShape& shape) {
  if (program_.types.kind(shape.fields) != TypeKind::kRecord) return;
  const Value record = DecodeRecord(shape.fields, facts_.payload.root());
  for (const SlotSource& source : shape.slots) {
    Value value = record;
    for (const int32_t step : source.steps) {
      if (!value.is_present()) break;
      value = facts_.cells[value.first + static_cast<uint32_t>(step)];
    }
    facts_.slots[static_cast<size_t>(source.slot)] = value;
  }
}

Value Decoder::Decode(TypeId type, const JsonNode& node) {
  if (node.kind == JsonKind::kNull) {
    if (program_.types.is_optional(type)) return Value::Missing();
    return WrongKind(type, node);
  }
  const TypeId required = program_.types.Required(type);
  switch (program_.types.kind(required)) {
    case TypeKind::kBool:
      if (node.kind != JsonKind::kBool) return WrongKind(required, node);
      return Value::Number(node.boolean ? 1 : 0);
    case TypeKind::kInt:
      return DecodeNumber(required, node, 0, Decimals::kExact);
    case TypeKind::kDecimal:
      return DecodeNumber(required, node, kDecimalDecimals,
                          Decimals::kHalfEven);
    case TypeKind::kUsd:
      return DecodeNumber(required, node, kUsdDecimals, Decimals::kExact);
    case TypeKind::kString:
    case TypeKind::kSymbol:
      if (node.kind != JsonKind::kString) return WrongKind(required, node);
      return Value::Text(node.text);
    case TypeKind::kTimestamp:
    case TypeKind::kDuration:
      return DecodeTime(required, node);
    case TypeKind::kEnum:
      return DecodeEnum(required, node);
    case TypeKind::kList:
      return DecodeList(required, node);
    case TypeKind::kRecord:
      return DecodeRecord(required, node);
    case TypeKind::kError:
      break;
  }
  return Value::Missing();
}

Value Decoder::DecodeNumber(TypeId type, const JsonNode& node, int decimals,
                            Decimals treatment) {
  if (node.kind != JsonKind::kNumber) return WrongKind(type, node);
  int64_t number = 0;
  switch (ReadNumber(node.text, decimals, treatment, &number)) {
    case NumberFit::kFits:
      return Value::Number(number);
    case NumberFit::kTooLarge:
      return Violation(node, absl::StrCat("is outside the range of `",
                                          program_.types.Describe(type), "`"));
    case NumberFit::kTooPrecise:
      break;
  }
  return Violation(node, decimals == 0 ? std::string("is not a whole number")
                                       : absl::StrCat("has more than ",
                                                      decimals, " decimals"));
}

Value Decoder::DecodeEnum(TypeId type, const JsonNode& node) {
  if (node.kind != JsonKind::kString) return WrongKind(type, node);
  const int member = program_.types[type].FindMember(node.text);
  if (member >= 0) return Value::Number(member);
  return Violation(
      node, absl::StrCat("is none of ",
                         absl::StrJoin(program_.types[type].members, ", ")));
}

Value Decoder::DecodeTime(TypeId type, const JsonNode& node) {
  if (node.kind != JsonKind::kString) return WrongKind(type, node);
  const bool is_timestamp = program_.types.kind(type) == TypeKind::kTimestamp;
  const std::optional<int64_t> micros =
      is_timestamp ? ReadTimestamp(node.text) : ReadDuration(node.text);
  if (micros.has_value()) return Value::Number(*micros);
  return Violation(node, is_timestamp
                             ? "is no RFC 3339 time such as "
                               "2026-01-31T09:00:00Z, to the microsecond"
                             : "is no duration such as 24h, 15m, 30s or 7d");
}

Value Decoder::DecodeList(TypeId type, const JsonNode& node) {
  if (node.kind != JsonKind::kArray) return WrongKind(type, node);
  if (node.size > static_cast<uint32_t>(kListItemsMax)) {
    return Violation(node, absl::StrCat("has ", node.size, " items; at most ",
                                        kListItemsMax, " are allowed"));
  }
  const TypeId element = program_.types[type].element;
  const Value list =
      Value::Cells(static_cast<uint32_t>(facts_.cells.size()), node.size);
  facts_.cells.resize(facts_.cells.size() + node.size);
  const JsonNode* item = JsonDocument::FirstChild(node);
  for (uint32_t i = 0; i < node.size; ++i) {
    const Value value = Decode(element, *item);
    facts_.cells[list.first + i] = value;
    item = facts_.payload.NextChild(*item);
  }
  return list;
}

Value Decoder::DecodeRecord(TypeId type, const JsonNode& node) {
  if (node.kind != JsonKind::kObject) return WrongKind(type, node);
  const std::vector<Field>& fields = program_.types[type].fields;
  const Value record = Value::Cells(static_cast<uint32_t>(facts_.cells.size()),
                                    static_cast<uint32_t>(fields.size()));
  facts_.cells.resize(facts_.cells.size() + fields.size());
  for (uint32_t i = 0; i < record.count; ++i) {
    const JsonNode* const member = facts_.payload.Find(node, fields[i].name);
    Value value = Value::Missing();
    if (member != nullptr) {
      value = Decode(fields[i].type, *member);
    } else if (!program_.types.is_optional(fields[i].type)) {
      std::string path = PathOf(node);
      AppendPathStep(fields[i].name, &path);
      AddViolation(std::move(path),
                   absl::StrCat("is missing; it is declared `",
                                program_.types.Describe(fields[i].type), "`"));
    }
    facts_.cells[record.first + i] = value;
  }
  return record;
}

}  // namespace

Value FixedValue(const Facts& facts, RootField field) {
  const Request& request = *facts.request;
  switch (field) {
    case RootField::kIntentId:
      return Value::Text(request.intent.id);
    case RootField::kIntentType:
      return Value::Text(request.intent.type);
    case RootField::kIntentRequestedBy:
      return Value::Text(request.intent.requested_by);
    case RootField::kIntentSpend:
      return Value::Number(request.intent.spend_micros_usd);
    case RootField::kIntentDataClass:
      return Value::Number(static_cast<int64_t>(request.intent.data_class));
    case RootField::kIntentCreatedAt:
      return Value::Number(absl::ToUnixMicros(request.intent.created_at));
    case RootField::kAgentKnown:
      return Value::Number(request.agent.known);
    case RootField::kAgentId:
      return Value::Text(request.agent.id);
    case RootField::kAgentName:
      return Value::Text(request.agent.name);
    case RootField::kAgentRole:
      return Value::Text(request.agent.role);
    case RootField::kAgentStatus:
      return Value::Text(request.agent.status);
    case RootField::kAgentTier:
      return Value::Number(request.agent.tier);
    case RootField::kAgentLabels:
      return facts.labels;
    case RootField::kTenantId:
      return Value::Text(request.tenant.id);
    case RootField::kTenantSlug:
      return Value::Text(request.tenant.slug);
    case RootField::kTenantSeat:
      return Value::Number(static_cast<int64_t>(request.tenant.seat));
    case RootField::kBudgetExists:
      return Value::Number(request.budget.exists);
    case RootField::kBudgetRemaining:
      return Value::Number(request.budget.remaining_micros_usd);
    case RootField::kBudgetUsed:
      return Value::Number(facts.budget_used);
    case RootField::kNow:
      return Value::Number(absl::ToUnixMicros(request.now));
  }
  return Value::Missing();
}

void FillFixedSlots(const DecisionProgram& program, Facts* facts) {
  size_t slot = static_cast<size_t>(program.slot_count);
  for (const int32_t field : program.fixed_fields) {
    facts->slots[slot++] = FixedValue(*facts, static_cast<RootField>(field));
  }
}

Facts DecodeFacts(const DecisionProgram& program, const Request& request) {
  Facts facts;
  facts.request = &request;
  facts.slots.resize(SlotsOf(program), Value::Missing());
  const std::string type(request.intent.type);
  facts.is_type_known =
      program.has_star || program.platform_types.contains(type);
  if (!facts.is_type_known) return facts;
  const auto type_id = program.type_ids.find(type);
  if (type_id != program.type_ids.end()) facts.type_id = type_id->second;
  const auto layer = program.layer_of_tenant.find(request.tenant.slug);
  if (layer != program.layer_of_tenant.end()) {
    facts.tenant_layer = layer->second;
  }
  facts.budget_used = request.budget.used.value_or(BudgetUsed(
      request.budget.remaining_micros_usd, request.budget.limit_micros_usd));

  Decoder decoder(program, facts);
  for (const FieldViolation& violation : request.violations) {
    decoder.AddViolation(violation.path, violation.message);
  }
  if (request.intent.spend_micros_usd < 0) {
    decoder.AddViolation("intent.spend_usd", "is negative");
  }
  decoder.DecodePayload();

  facts.labels =
      Value::Cells(static_cast<uint32_t>(facts.cells.size()),
                   static_cast<uint32_t>(request.agent.labels.size()));
  for (const absl::string_view label : request.agent.labels) {
    facts.cells.push_back(Value::Text(label));
  }
  FillFixedSlots(program, &facts);
  return facts;
}

}  // namespace sgl
