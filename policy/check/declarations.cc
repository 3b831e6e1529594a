#include "policy/check/declarations.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <string>
#include <utility>
#include <vector>

#include "policy/diagnostics/suggest.h"
#include "policy/limits.h"

namespace sgl {
namespace {

const std::vector<std::pair<std::string, TypeId>>& NamedTypes() {
  static const auto* const kTypes =
      new std::vector<std::pair<std::string, TypeId>>{
          {"bool", kBoolType},           {"int", kIntType},
          {"decimal", kDecimalType},     {"usd", kUsdType},
          {"string", kStringType},       {"symbol", kSymbolType},
          {"timestamp", kTimestampType}, {"duration", kDurationType}};
  return *kTypes;
}

}  // namespace

Declarations::Declarations(absl::Span<const Ast> files, CheckedPolicy& policy,
                           Diagnostics& diagnostics)
    : policy_(policy),
      diagnostics_(diagnostics),
      layers_(policy.layers.size()) {
  std::vector<Pending> platform;
  std::vector<Pending> tenants;
  for (size_t i = 0; i < files.size(); ++i) {
    const LayerId layer = policy.files[i].layer;
    is_incomplete_ = is_incomplete_ || files[i].has_unread_intent;
    for (const IntentSyntax& item : files[i].intents) {
      (layer == LayerId::kPlatform ? platform : tenants)
          .push_back({&files[i], &item, layer});
    }
  }
  // Star fields first: every type's fields must differ from them.
  for (const Pending& pending : platform) {
    if (pending.item->is_star) DeclareStar(pending);
  }
  for (const Pending& pending : platform) {
    if (!pending.item->is_star) DeclareType(pending);
  }
  for (const Pending& pending : tenants) {
    if (pending.item->is_star) {
      diagnostics_
          .Add(DiagnosticKind::kTenantStar, pending.item->name.span,
               "a tenant layer declares `intent *`")
          .Help("only the platform declares fields for every type");
    } else {
      DeclareType(pending);
    }
  }
}

void Declarations::DeclareStar(const Pending& pending) {
  has_star_ = true;
  star_.name_span = pending.item->name.span;
  DeclareFields(pending, star_);
}

void Declarations::DeclareType(const Pending& pending) {
  const Name& name = pending.item->name;
  const DeclaredType* before = Find(LayerId::kPlatform, name.text);
  if (before != nullptr && pending.layer != LayerId::kPlatform) {
    diagnostics_
        .Add(DiagnosticKind::kTenantRedeclares, name.span,
             absl::StrCat("the platform declares `", name.text, "` already"))
        .Note(before->name_span, "declared here")
        .Help("a tenant layer may use the type, not change it");
    return;
  }
  if (before == nullptr) before = Find(pending.layer, name.text);
  if (before != nullptr) {
    diagnostics_
        .Add(DiagnosticKind::kDuplicateType, name.span,
             absl::StrCat("`", name.text, "` is declared twice"))
        .Note(before->name_span, "declared here first");
    return;
  }
  DeclaredType type;
  type.name = name.text;
  type.layer = pending.layer;
  type.name_span = name.span;
  DeclareFields(pending, type);
  layers_[static_cast<size_t>(pending.layer)].types.emplace(name.text,
                                                            types_.size());
  types_.push_back(std::move(type));
}

void Declarations::DeclareFields(const Pending& pending, DeclaredType& type) {
  type.is_broken = pending.item->is_broken;
  for (const FieldSyntax& field : pending.item->fields) {
    const Name& name = field.name;
    if (name.text.empty()) continue;
    auto before = type.by_name.find(name.text);
    const bool in_star = before == type.by_name.end();
    if (in_star) before = star_.by_name.find(name.text);
    if (before != (in_star ? star_.by_name.end() : type.by_name.end())) {
      diagnostics_
          .Add(DiagnosticKind::kDuplicateField, name.span,
               in_star ? absl::StrCat("`intent *` declares the field `",
                                      name.text, "` already")
                       : absl::StrCat("the field `", name.text,
                                      "` is declared twice"))
          .Note(before->second.name_span, "declared here first");
      continue;
    }
    if (type.fields.size() >= static_cast<size_t>(kFieldsMax)) {
      diagnostics_.Add(DiagnosticKind::kTooMany, name.span,
                       absl::StrFormat("more than %d fields", kFieldsMax));
      return;
    }
    const TypeId resolved = Resolve(*pending.ast, field.type, pending.layer);
    type.fields.push_back({name.text, resolved});
    type.by_name.emplace(name.text, DeclaredField{resolved, name.span});
  }
}

TypeId Declarations::Resolve(const Ast& ast, TypeExprId id, LayerId layer) {
  const TypeExpr& type = ast.type(id);
  TypeId resolved = kErrorType;
  switch (type.kind) {
    case TypeExpr::Kind::kError:
      return kErrorType;
    case TypeExpr::Kind::kNamed:
      resolved = ResolveNamed(type);
      break;
    case TypeExpr::Kind::kEnum:
      resolved = ResolveEnum(type, layer);
      break;
    case TypeExpr::Kind::kList: {
      const TypeId element = Resolve(ast, type.element, layer);
      if (element == kErrorType) return kErrorType;
      resolved = policy_.types.List(element);
      break;
    }
    case TypeExpr::Kind::kRecord:
      resolved = ResolveRecord(ast, type, layer);
      break;
  }
  return type.is_optional ? policy_.types.Optional(resolved) : resolved;
}

TypeId Declarations::ResolveNamed(const TypeExpr& type) {
  std::vector<std::string> names = {"enum", "list"};
  for (const auto& [name, id] : NamedTypes()) {
    if (type.name.text == name) return id;
  }
  for (const auto& [name, id] : NamedTypes()) names.emplace_back(name);
  auto report =
      diagnostics_.Add(DiagnosticKind::kUnknownFieldType, type.name.span,
                       absl::StrCat("`", type.name.text, "` is not a type"));
  const std::string near = Suggest(type.name.text, names);
  if (!near.empty()) {
    report.Help(absl::StrCat("did you mean `", near, "`?"));
  } else {
    report.Help(
        "types are bool, int, decimal, usd, string, symbol, timestamp, "
        "duration, enum(…), list<…> and { … }");
  }
  return kErrorType;
}

TypeId Declarations::ResolveEnum(const TypeExpr& type, LayerId layer) {
  std::vector<std::string> members;
  absl::flat_hash_map<std::string, Span> seen;
  for (const Name& member : type.members) {
    const auto [first, is_new] = seen.emplace(member.text, member.span);
    if (!is_new) {
      diagnostics_
          .Add(DiagnosticKind::kDuplicateMember, member.span,
               absl::StrCat("`", member.text, "` is in the enum twice"))
          .Note(first->second, "first here");
      continue;
    }
    if (members.size() >= static_cast<size_t>(kFieldsMax)) {
      diagnostics_.Add(DiagnosticKind::kTooMany, member.span,
                       absl::StrFormat("more than %d members", kFieldsMax));
      break;
    }
    members.push_back(member.text);
    layers_[static_cast<size_t>(layer)].members.emplace(member.text,
                                                        member.span);
  }
  return members.empty() ? kErrorType : policy_.types.Enum(std::move(members));
}

TypeId Declarations::ResolveRecord(const Ast& ast, const TypeExpr& type,
                                   LayerId layer) {
  std::vector<Field> fields;
  absl::flat_hash_map<std::string, Span> seen;
  for (const FieldSyntax& field : type.fields) {
    if (field.name.text.empty()) continue;
    const auto [first, is_new] = seen.emplace(field.name.text, field.name.span);
    if (!is_new) {
      diagnostics_
          .Add(DiagnosticKind::kDuplicateField, field.name.span,
               absl::StrCat("the field `", field.name.text,
                            "` is declared twice"))
          .Note(first->second, "declared here first");
      continue;
    }
    if (fields.size() >= static_cast<size_t>(kFieldsMax)) {
      diagnostics_.Add(DiagnosticKind::kTooMany, field.name.span,
                       absl::StrFormat("more than %d fields", kFieldsMax));
      break;
    }
    fields.push_back({field.name.text, Resolve(ast, field.type, layer)});
  }
  return policy_.types.Record(std::move(fields));
}

const DeclaredType* Declarations::Find(LayerId layer,
                                       absl::string_view name) const {
  for (LayerId seen : {LayerId::kPlatform, layer}) {
    const LayerNames& names = layers_[static_cast<size_t>(seen)];
    const auto found = names.types.find(name);
    if (found != names.types.end()) return &types_[found->second];
  }
  return nullptr;
}

std::vector<const DeclaredType*> Declarations::Visible(LayerId layer) const {
  std::vector<const DeclaredType*> visible;
  for (const DeclaredType& type : types_) {
    if (type.layer == LayerId::kPlatform || type.layer == layer) {
      visible.push_back(&type);
    }
  }
  return visible;
}

std::pair<std::string, Span> Declarations::Taken(LayerId layer,
                                                 absl::string_view name) const {
  const DeclaredType* type = Find(layer, name);
  if (type != nullptr) return {"an intent type", type->name_span};
  for (TypeId builtin : {kDataClassType, kSeatType}) {
    if (policy_.types[builtin].FindMember(name) >= 0) {
      return {"a member of an enum of the language", {}};
    }
  }
  for (LayerId seen : {LayerId::kPlatform, layer}) {
    const LayerNames& names = layers_[static_cast<size_t>(seen)];
    const auto found = names.members.find(name);
    if (found != names.members.end()) {
      return {"a member of an enum", found->second};
    }
  }
  return {"", {}};
}

}  // namespace sgl
