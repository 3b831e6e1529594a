// The payload that a test gives, held against its declaration and written as
// JSON.

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policy/check/checker.h"
#include "policy/diagnostics/suggest.h"
#include "policy/eval/exact.h"
#include "policy/eval/json.h"
#include "policy/eval/time_text.h"

namespace sgl {

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
