// Which payload fields a rule sees: those that all the types it is on declare
// with one type, and those of `intent *`.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policy/check/checker.h"
#include "policy/diagnostics/suggest.h"

namespace sgl {
namespace {

// How many types a hint lists.
constexpr size_t kTypesShownMax = 5;

const DeclaredField* FindIn(const DeclaredType& type, const std::string& name) {
  const auto found = type.by_name.find(name);
  return found == type.by_name.end() ? nullptr : &found->second;
}

}  // namespace

// Returns the path that a bare name probably stands for: a payload field that
// is visible here, or a field of the intent. Empty where there is none.
std::string Checker::PathEndingIn(const std::string& name) const {
  bool is_field = FindIn(declarations_->star(), name) != nullptr;
  if (!contexts_.empty()) {
    const OnContext& context = contexts_[static_cast<size_t>(scope_.context)];
    for (const DeclaredType* type : context.types) {
      is_field =
          is_field || (type != nullptr && FindIn(*type, name) != nullptr);
    }
  }
  if (is_field) return absl::StrCat("payload.", name);
  return IsIntentField(name) ? absl::StrCat("intent.", name) : "";
}

// Returns the type of a payload field in the context at hand, maybe optional;
// kErrorType after reporting that it is not visible.
TypeId Checker::FindPayloadField(const Name& name) {
  const DeclaredField* star = FindIn(declarations_->star(), name.text);
  if (star != nullptr) return star->type;
  const OnContext& context = contexts_[static_cast<size_t>(scope_.context)];
  switch (context.kind) {
    case OnContext::Kind::kTypes:
      if (!context.types.empty()) return FindInTypes(context, name);
      break;
    case OnContext::Kind::kLenient:
    case OnContext::Kind::kUnknown:
      return FindInAll(context, name);
    case OnContext::Kind::kStarOnly:
      break;
  }
  return ReportPayloadField(context, name);
}

// All types must declare the field, with one type.
TypeId Checker::FindInTypes(const OnContext& context, const Name& name) {
  TypeId shared = TypeId::kNone;
  const DeclaredField* first = nullptr;
  bool is_optional = false;
  for (const DeclaredType* type : context.types) {
    const DeclaredField* field =
        type == nullptr ? nullptr : FindIn(*type, name.text);
    if (field == nullptr) return ReportPayloadField(context, name);
    if (field->type == kErrorType) return kErrorType;
    const TypeId required = policy_.types.Required(field->type);
    is_optional = is_optional || policy_.types.is_optional(field->type);
    if (first == nullptr) {
      first = field;
      shared = required;
    } else if (required != shared) {
      Report(DiagnosticKind::kUnknownPayloadField, name.span,
             absl::StrCat("the types in `on` declare `", name.text,
                          "` with different types"))
          .Note(first->name_span, absl::StrCat("here as ", Describe(shared)))
          .Note(field->name_span, absl::StrCat("here as ", Describe(required)))
          .Help("write a rule for each");
      return kErrorType;
    }
  }
  return is_optional ? policy_.types.Optional(shared) : shared;
}

// Any type may declare the field. Where they differ nothing can be said.
TypeId Checker::FindInAll(const OnContext& context, const Name& name) {
  TypeId shared = TypeId::kNone;
  for (const DeclaredType* type : declarations_->Visible(context.layer)) {
    const DeclaredField* field = FindIn(*type, name.text);
    if (field == nullptr) continue;
    const TypeId optional = policy_.types.Optional(field->type);
    if (shared != TypeId::kNone && shared != optional) return kErrorType;
    shared = optional;
  }
  if (shared != TypeId::kNone) return shared;
  // Of an unknown type nothing can be said.
  return context.kind == OnContext::Kind::kUnknown
             ? kErrorType
             : ReportPayloadField(context, name);
}

// Returns whether a declaration that was not read may hold the field.
bool Checker::MayBeDeclared(const OnContext& context) const {
  if (declarations_->is_incomplete() || declarations_->star().is_broken) {
    return true;
  }
  const auto is_broken = [](const DeclaredType* type) {
    return type != nullptr && type->is_broken;
  };
  if (context.kind == OnContext::Kind::kLenient) {
    const auto visible = declarations_->Visible(context.layer);
    return std::any_of(visible.begin(), visible.end(), is_broken);
  }
  return std::any_of(context.types.begin(), context.types.end(), is_broken);
}

TypeId Checker::ReportPayloadField(const OnContext& context, const Name& name) {
  if (MayBeDeclared(context)) return kErrorType;
  std::vector<std::string> declaring;
  std::vector<std::string> names;
  const auto add_names = [&names](const DeclaredType& type) {
    for (const Field& field : type.fields) names.push_back(field.name);
  };
  add_names(declarations_->star());
  const std::vector<const DeclaredType*> visible =
      MaySearch(policy_.intent_types.size())
          ? declarations_->Visible(context.layer)
          : std::vector<const DeclaredType*>();
  for (const DeclaredType* type : visible) {
    if (FindIn(*type, name.text) != nullptr) declaring.push_back(type->name);
  }
  std::string message =
      absl::StrCat("no type declares the payload field `", name.text, "`");
  std::string help;
  if (context.kind == OnContext::Kind::kTypes) {
    for (const DeclaredType* type : context.types) {
      if (type == nullptr) {
        message = absl::StrCat("`", name.text,
                               "` is not declared by `intent *`, and a type "
                               "in `on` declares nothing");
        break;
      }
      add_names(*type);
      if (FindIn(*type, name.text) == nullptr) {
        message = absl::StrCat("`", type->name, "` declares no payload field `",
                               name.text, "`");
        break;
      }
    }
  } else if (!declaring.empty()) {
    const size_t count = declaring.size();
    declaring.resize(std::min(count, kTypesShownMax));
    message = absl::StrCat("the payload field `", name.text,
                           "` is not visible without `on`");
    help = absl::StrCat("it is declared by ", absl::StrJoin(declaring, ", "),
                        count > kTypesShownMax ? ", …" : "", "; add `on ",
                        declaring[0], "`");
  } else if (context.kind == OnContext::Kind::kLenient) {
    for (const DeclaredType* type : visible) add_names(*type);
  }
  auto report = Report(DiagnosticKind::kUnknownPayloadField, name.span,
                       std::move(message));
  const std::string near =
      MaySearch(names.size()) ? Suggest(name.text, names) : "";
  if (!help.empty()) {
    report.Help(std::move(help));
  } else if (!near.empty() && near != name.text) {
    report.Help(absl::StrCat("did you mean `", near, "`?"));
  } else if (IsIntentField(name.text)) {
    report.Help(absl::StrCat("did you mean `intent.", name.text, "`?"));
  }
  return kErrorType;
}

}  // namespace sgl
