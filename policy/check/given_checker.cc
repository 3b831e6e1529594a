// What a test gives: each value held against its declaration. The payload is
// given_payload_checker.cc's.
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
#include "policy/lex/timestamp.h"

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

// Returns whether a text is what a literal of the type looks like.
bool IsUnquoted(absl::string_view text, TypeId type) {
  if (type == kTimestampType) return ParseTimestamp(text).has_value();
  return type == kDurationType && !text.empty() && text[0] >= '0' &&
         text[0] <= '9';
}

}  // namespace

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

void Checker::CheckGiven(ObjectId id, Given& given) {
  // A tenant's tests are about that tenant.
  given.layer = layer();
  given.request.tenant_slug = policy_.layers[static_cast<size_t>(layer())].slug;
  const ObjectSyntax& object = ast().object(id);
  CheckRepeated(object);
  // The payload comes last: which fields it has depends on the others.
  ObjectId payload = ObjectId::kNone;
  bool has_type = false;
  bool is_intent_lost = false;  // no object, which is reported
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
    if (!CheckGivenRoot(key, object.items[i], given)) {
      is_intent_lost = is_intent_lost || key.text == "intent";
      continue;
    }
    if (key.text != "intent") continue;
    const ObjectSyntax& intent = ast().object(object.items[i]);
    for (size_t j = 0; j < intent.items.size(); ++j) {
      has_type = has_type || intent.keys[j].text == "type";
      if (intent.keys[j].text == "payload") payload = intent.items[j];
    }
  }
  if (!has_type && is_intent_lost) return;
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
    } else if (constant->value.type == kStringType &&
               IsUnquoted(constant->value.text, wanted)) {
      report.Help(
          absl::StrCat("write `", constant->value.text, "` without quotes"));
    }
  }
  return std::nullopt;
}

}  // namespace sgl
