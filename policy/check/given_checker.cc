// What a test gives: each value held against its declaration, and the payload
// written as JSON.
//
// A value that does not fit makes a request INVALID_PAYLOAD. Where the test
// may expect that, it is given on purpose and kept as it is; anywhere else the
// test could only fail, and the value is reported.

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policy/check/checker.h"
#include "policy/diagnostics/suggest.h"
#include "policy/eval/exact.h"
#include "policy/eval/json.h"
#include "policy/eval/time_text.h"

namespace sgl {
namespace {

// A scalar that can be given of a fixed root.
struct GivenField {
  absl::string_view root;
  absl::string_view name;
  TypeId type;
  void (*set)(const Literal& value, GivenRequest& given);
};

constexpr GivenField kGivenFields[] = {
    {"intent", "id", kStringType,
     [](const Literal& value, GivenRequest& given) { given.id = value.text; }},
    {"intent", "type", kSymbolType,
     [](const Literal& value, GivenRequest& given) {
       given.type = value.text;
     }},
    {"intent", "requested_by", kStringType,
     [](const Literal& value, GivenRequest& given) {
       given.requested_by = value.text;
     }},
    {"intent", "spend", kUsdType,
     [](const Literal& value, GivenRequest& given) {
       given.spend_micros_usd = value.number;
     }},
    {"intent", "data_class", kDataClassType,
     [](const Literal& value, GivenRequest& given) {
       given.data_class = static_cast<DataClass>(value.number);
     }},
    {"intent", "created_at", kTimestampType,
     [](const Literal& value, GivenRequest& given) {
       given.created_at = value.number;
     }},
    {"agent", "known", kBoolType,
     [](const Literal& value, GivenRequest& given) {
       given.agent_known = value.number != 0;
     }},
    {"agent", "id", kStringType,
     [](const Literal& value, GivenRequest& given) {
       given.agent_id = value.text;
     }},
    {"agent", "name", kStringType,
     [](const Literal& value, GivenRequest& given) {
       given.agent_name = value.text;
     }},
    {"agent", "role", kStringType,
     [](const Literal& value, GivenRequest& given) {
       given.agent_role = value.text;
     }},
    {"agent", "status", kStringType,
     [](const Literal& value, GivenRequest& given) {
       given.agent_status = value.text;
     }},
    {"agent", "tier", kIntType,
     [](const Literal& value, GivenRequest& given) {
       given.agent_tier = value.number;
     }},
    {"tenant", "id", kStringType,
     [](const Literal& value, GivenRequest& given) {
       given.tenant_id = value.text;
     }},
    {"tenant", "slug", kStringType,
     [](const Literal& value, GivenRequest& given) {
       given.tenant_slug = value.text;
     }},
    {"tenant", "seat", kSeatType,
     [](const Literal& value, GivenRequest& given) {
       given.tenant_seat = static_cast<Seat>(value.number);
     }},
    {"budget", "exists", kBoolType,
     [](const Literal& value, GivenRequest& given) {
       given.budget.exists = value.number != 0;
     }},
    {"budget", "remaining", kUsdType,
     [](const Literal& value, GivenRequest& given) {
       given.budget.remaining_micros_usd = value.number;
     }},
    {"budget", "limit", kUsdType,
     [](const Literal& value, GivenRequest& given) {
       given.budget.limit_micros_usd = value.number;
     }},
    {"budget", "used", kDecimalType,
     [](const Literal& value, GivenRequest& given) {
       given.budget.used = value.number;
     }},
};

absl::string_view ObjectPhrase(ObjectSyntax::Kind kind) {
  switch (kind) {
    case ObjectSyntax::Kind::kObject:
      return "an object";
    case ObjectSyntax::Kind::kList:
      return "a list";
    case ObjectSyntax::Kind::kNull:
      return "null";
    case ObjectSyntax::Kind::kValue:
      break;
  }
  return "a single value";
}

}  // namespace

void Checker::CheckGiven(ObjectId id, Given& given) {
  // A tenant's tests are about that tenant.
  given.layer = layer();
  given.request.tenant_slug = policy_.layers[static_cast<size_t>(layer())].slug;
  const ObjectSyntax& object = ast().object(id);
  CheckRepeated(object);
  // The payload comes last: which fields it has depends on the others.
  ObjectId payload = ObjectId::kNone;
  bool has_type = false;
  bool is_payload_lost = false;
  for (size_t i = 0; i < object.items.size(); ++i) {
    const Name& key = object.keys[i];
    if (key.text == "now") {
      const auto now = GivenValue(object.items[i], kTimestampType, false);
      if (now.has_value()) given.request.now = now->number;
      continue;
    }
    if (key.text == "agent") given.request.agent_known = true;
    if (key.text == "budget") given.request.budget.exists = true;
    is_payload_lost = is_payload_lost || key.text == "payload";
    if (!CheckGivenRoot(key, object.items[i], given)) continue;
    if (key.text != "intent") continue;
    const ObjectSyntax& intent = ast().object(object.items[i]);
    for (size_t j = 0; j < intent.items.size(); ++j) {
      has_type = has_type || intent.keys[j].text == "type";
      if (intent.keys[j].text == "payload") payload = intent.items[j];
    }
  }
  if (!has_type) {
    Report(DiagnosticKind::kMissingIntentType, object.span,
           "what is given has no intent type")
        .Help("`intent: { type: … }`");
    return;
  }
  for (size_t i = 1; i < policy_.layers.size(); ++i) {
    if (policy_.layers[i].slug == given.request.tenant_slug) {
      given.layer = static_cast<LayerId>(i);
    }
  }
  if (!is_payload_lost) CheckGivenPayload(payload, object.span, given);
}

// Reports keys that stand twice in an object.
void Checker::CheckRepeated(const ObjectSyntax& object) {
  std::set<absl::string_view> seen;
  for (const Name& key : object.keys) {
    if (key.text.empty() || seen.insert(key.text).second) continue;
    Report(DiagnosticKind::kDuplicateField, key.span,
           absl::StrCat("`", key.text, "` is given twice"));
  }
}

// Checks the fields of `intent`, `agent`, `tenant` or `budget`. Returns
// whether it is one of them, and an object.
bool Checker::CheckGivenRoot(const Name& root, ObjectId id, Given& given) {
  std::set<std::string> names = {"now"};
  for (const GivenField& field : kGivenFields) {
    names.emplace(field.root);
  }
  if (root.text == "now" || !names.contains(root.text)) {
    if (root.text.empty()) return false;
    auto report = Report(DiagnosticKind::kUnknownName, root.span,
                         absl::StrCat("a test gives no `", root.text, "`"));
    const std::string near = Suggest(root.text, {names.begin(), names.end()});
    if (root.text == "payload") {
      report.Help("it stands in the intent: `intent: { payload: { … } }`");
    } else if (!near.empty()) {
      report.Help(absl::StrCat("did you mean `", near, "`?"));
    }
    return false;
  }
  const ObjectSyntax& object = ast().object(id);
  if (object.kind != ObjectSyntax::Kind::kObject) {
    Report(DiagnosticKind::kTypeMismatch, object.span,
           absl::StrCat("expected an object of the fields of `", root.text,
                        "`, found ", ObjectPhrase(object.kind)));
    return false;
  }
  CheckRepeated(object);
  for (size_t i = 0; i < object.items.size(); ++i) {
    CheckGivenField(root.text, object.keys[i], object.items[i], given);
  }
  return true;
}

void Checker::CheckGivenField(absl::string_view root, const Name& name,
                              ObjectId id, Given& given) {
  if (name.text.empty() || (root == "intent" && name.text == "payload")) return;
  if (root == "agent" && name.text == "labels") {
    return CheckGivenTexts(id, &given.request.agent_labels);
  }
  if (root == "tenant" && name.text == "connected") {
    return CheckGivenTexts(id, &given.request.tenant_connected);
  }
  std::vector<std::string> names;
  for (const GivenField& field : kGivenFields) {
    if (field.root != root) continue;
    names.emplace_back(field.name);
    if (field.name != name.text) continue;
    const bool is_lenient = given.may_be_invalid && root == "intent" &&
                            name.text != "type" && !GivenFits(id, field.type);
    if (is_lenient) {
      given.request.violations.push_back(
          {absl::StrCat("intent.", name.text,
                        name.text == "spend" ? "_usd" : ""),
           "does not fit"});
      return;
    }
    if (name.text == "type") given.type_span = ast().object(id).span;
    const auto value = GivenValue(id, field.type, false);
    if (value.has_value()) field.set(*value, given.request);
    return;
  }
  if (root == "intent") names.push_back("payload");
  if (root == "agent") names.push_back("labels");
  if (root == "tenant") names.push_back("connected");
  auto report =
      Report(DiagnosticKind::kUnknownField, name.span,
             absl::StrCat("unknown field `", name.text, "` of `", root, "`"));
  std::string near = Suggest(name.text, names);
  for (const std::string& known : names) {
    if (name.text == known + "_usd") near = known;
  }
  if (!near.empty()) report.Help(absl::StrCat("did you mean `", near, "`?"));
}

void Checker::CheckGivenTexts(ObjectId id, std::vector<std::string>* texts) {
  const ObjectSyntax& list = ast().object(id);
  if (list.kind != ObjectSyntax::Kind::kList) {
    Report(DiagnosticKind::kTypeMismatch, list.span,
           absl::StrCat("expected a list of strings, found ",
                        ObjectPhrase(list.kind)));
    return;
  }
  for (const ObjectId item : list.items) {
    const auto text = GivenValue(item, kStringType, false);
    if (text.has_value()) texts->push_back(text->text);
  }
}

// Returns whether a value can stand where a type is declared.
bool Checker::GivenFits(ObjectId id, TypeId wanted) {
  return GivenValue(id, wanted, true).has_value();
}

// Returns a given value as one of a scalar type. What is none is reported,
// unless `is_quiet`.
std::optional<Literal> Checker::GivenValue(ObjectId id, TypeId wanted,
                                           bool is_quiet) {
  const ObjectSyntax& object = ast().object(id);
  if (object.kind != ObjectSyntax::Kind::kValue) {
    if (!is_quiet) {
      Report(DiagnosticKind::kTypeMismatch, object.span,
             absl::StrCat("expected ", Describe(wanted), ", found ",
                          ObjectPhrase(object.kind)));
    }
    return std::nullopt;
  }
  if (expr(object.value).kind == ExprKind::kError) return std::nullopt;
  const std::optional<Constant> constant = TryConstant(object.value);
  if (!constant.has_value()) {
    if (!is_quiet) {
      Report(DiagnosticKind::kNotAConstant, object.span,
             "a test gives literals, names, lists and objects");
    }
    return std::nullopt;
  }
  std::optional<Literal> value = Convert(*constant, wanted);
  if (value.has_value() || is_quiet) return value;
  if (ReportMember(*constant, wanted)) return std::nullopt;
  if (constant->is_bare) {
    ReportUnknownName(*constant, wanted);
  } else {
    auto report = Report(DiagnosticKind::kTypeMismatch, object.span,
                         absl::StrCat("expected ", Describe(wanted), ", found ",
                                      Describe(constant->value.type)));
    if (wanted == kUsdType && constant->value.type == kIntType) {
      report.Help(absl::StrCat("`$", constant->value.number, "`"));
    }
  }
  return std::nullopt;
}

// Checks the intent's type, and the payload by what it declares.
void Checker::CheckGivenPayload(ObjectId id, Span whole, Given& given) {
  const std::string& name = given.request.type;
  if (name.empty()) return;  // reported
  const DeclaredType* type = declarations_->Find(given.layer, name);
  const bool is_known =
      declarations_->has_star() ||
      declarations_->Find(LayerId::kPlatform, name) != nullptr;
  if (!is_known && !given.may_be_unknown) {
    auto report = Report(DiagnosticKind::kUnknownType, given.type_span,
                         absl::StrCat("no ", type == nullptr ? "" : "platform ",
                                      "intent type `", name, "` is declared"));
    const std::string near = NearestType(name);
    if (near.empty() || near == name) {
      report.Help("the decision would be block [UNKNOWN_INTENT_TYPE]");
    } else {
      report.Help(absl::StrCat("did you mean `", near, "`?"));
    }
    return;
  }
  std::vector<Field> fields = declarations_->star().fields;
  if (type != nullptr) {
    fields.insert(fields.end(), type->fields.begin(), type->fields.end());
  }
  if (id == ObjectId::kNone) {
    // Left out it is `{}`.
    CheckMissingFields(ObjectSyntax(), fields, whole, given);
    given.request.payload = "{}";
    return;
  }
  const ObjectSyntax& payload = ast().object(id);
  if (payload.kind != ObjectSyntax::Kind::kObject) {
    Report(DiagnosticKind::kTypeMismatch, payload.span,
           absl::StrCat("expected an object of the payload's fields, found ",
                        ObjectPhrase(payload.kind)));
    return;
  }
  AppendGivenRecord(payload, fields, given, &given.request.payload);
}

void Checker::CheckMissingFields(const ObjectSyntax& object,
                                 const std::vector<Field>& fields, Span span,
                                 const Given& given) {
  if (given.may_be_invalid) return;
  for (const Field& field : fields) {
    if (field.type == kErrorType || policy_.types.is_optional(field.type)) {
      continue;
    }
    const bool is_given =
        std::any_of(object.keys.begin(), object.keys.end(),
                    [&](const Name& key) { return key.text == field.name; });
    if (is_given) continue;
    Report(DiagnosticKind::kMissingField, span,
           absl::StrCat("`", field.name, "` is not given; it is declared `",
                        Describe(field.type), "`"))
        .Help("give it, or expect block [INVALID_PAYLOAD]");
    return;
  }
}

// Writes an object by the fields that are declared for it. Others are extra
// fields, which only `scan` sees: one that looks like a declared field is
// reported.
void Checker::AppendGivenRecord(const ObjectSyntax& object,
                                const std::vector<Field>& fields,
                                const Given& given, std::string* json) {
  if (!given.may_be_invalid) CheckRepeated(object);
  std::vector<std::string> left;
  for (const Field& field : fields) {
    const bool is_given =
        std::any_of(object.keys.begin(), object.keys.end(),
                    [&](const Name& key) { return key.text == field.name; });
    if (!is_given) left.push_back(field.name);
  }
  bool is_misspelled = false;
  json->push_back('{');
  for (size_t i = 0; i < object.items.size(); ++i) {
    const Name& key = object.keys[i];
    if (i > 0) json->append(", ");
    AppendJsonString(key.text, json);
    json->append(": ");
    const auto field = std::find_if(
        fields.begin(), fields.end(),
        [&](const Field& candidate) { return candidate.name == key.text; });
    AppendGiven(object.items[i],
                field == fields.end() ? TypeId::kNone : field->type, given,
                json);
    const std::string near = field != fields.end() || given.may_be_invalid
                                 ? ""
                                 : Suggest(key.text, left);
    if (near.empty()) continue;
    is_misspelled = true;
    Report(DiagnosticKind::kUnknownPayloadField, key.span,
           absl::StrCat("no payload field `", key.text, "` is declared here"))
        .Help(absl::StrCat("did you mean `", near, "`?"));
  }
  json->push_back('}');
  if (!is_misspelled) CheckMissingFields(object, fields, object.span, given);
}

// Writes a value of a declared type, or of none.
void Checker::AppendGiven(ObjectId id, TypeId wanted, const Given& given,
                          std::string* json) {
  const ObjectSyntax& object = ast().object(id);
  const bool is_typed = wanted != TypeId::kNone && wanted != kErrorType;
  const bool is_optional = is_typed && policy_.types.is_optional(wanted);
  const TypeId required = is_typed ? policy_.types.Required(wanted) : wanted;
  const TypeKind kind = is_typed ? KindOf(required) : TypeKind::kError;
  if (object.kind == ObjectSyntax::Kind::kNull && (is_optional || !is_typed)) {
    json->append("null");
    return;
  }
  const bool is_record = object.kind == ObjectSyntax::Kind::kObject;
  const bool is_list = object.kind == ObjectSyntax::Kind::kList;
  if (is_record && (kind == TypeKind::kRecord || !is_typed)) {
    const std::vector<Field> fields =
        is_typed ? policy_.types[required].fields : std::vector<Field>();
    return AppendGivenRecord(object, fields, given, json);
  }
  if (is_list && (kind == TypeKind::kList || !is_typed)) {
    const TypeId element =
        is_typed ? policy_.types[required].element : TypeId::kNone;
    json->push_back('[');
    for (size_t i = 0; i < object.items.size(); ++i) {
      if (i > 0) json->append(", ");
      AppendGiven(object.items[i], element, given, json);
    }
    json->push_back(']');
    return;
  }
  if (is_typed && given.may_be_invalid && !GivenFits(id, required)) {
    return AppendGiven(id, TypeId::kNone, given, json);
  }
  if (is_typed) {
    const auto value = GivenValue(id, required, false);
    if (value.has_value()) AppendGivenLiteral(*value, json);
    return;
  }
  const auto constant = TryConstant(object.value);
  if (constant.has_value()) {
    AppendGivenLiteral(constant->value, json);
  } else if (expr(object.value).kind != ExprKind::kError) {
    Report(DiagnosticKind::kNotAConstant, object.span,
           "a test gives literals, names, lists and objects");
  }
}

void Checker::AppendGivenLiteral(const Literal& value, std::string* json) {
  switch (KindOf(value.type)) {
    case TypeKind::kBool:
      json->append(value.number != 0 ? "true" : "false");
      return;
    case TypeKind::kInt:
      return AppendJsonNumber(value.number, 0, json);
    case TypeKind::kDecimal:
      return AppendJsonNumber(value.number, kDecimalDecimals, json);
    case TypeKind::kUsd:
      return AppendJsonNumber(value.number, kUsdDecimals, json);
    case TypeKind::kTimestamp:
    case TypeKind::kDuration: {
      std::string text;
      if (KindOf(value.type) == TypeKind::kTimestamp) {
        AppendTimestamp(value.number, &text);
      } else {
        AppendDuration(value.number, &text);
      }
      return AppendJsonString(text, json);
    }
    default:
      return AppendJsonString(value.text, json);
  }
}

}  // namespace sgl
