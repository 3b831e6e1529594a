#include "policy/check/types.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <utility>

#include "base/check.h"

namespace sgl {
namespace {

absl::string_view ScalarName(TypeKind kind) {
  switch (kind) {
    case TypeKind::kError:
      return "unknown";
    case TypeKind::kBool:
      return "bool";
    case TypeKind::kInt:
      return "int";
    case TypeKind::kDecimal:
      return "decimal";
    case TypeKind::kUsd:
      return "usd";
    case TypeKind::kString:
      return "string";
    case TypeKind::kSymbol:
      return "symbol";
    case TypeKind::kTimestamp:
      return "timestamp";
    case TypeKind::kDuration:
      return "duration";
    case TypeKind::kEnum:
      return "enum";
    case TypeKind::kList:
      return "list";
    case TypeKind::kRecord:
      return "record";
  }
  return "";
}

}  // namespace

int Type::FindMember(absl::string_view name) const {
  for (size_t i = 0; i < members.size(); ++i) {
    if (members[i] == name) return static_cast<int>(i);
  }
  return -1;
}

int Type::FindField(absl::string_view name) const {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

TypeTable::TypeTable() {
  for (TypeKind kind :
       {TypeKind::kError, TypeKind::kBool, TypeKind::kInt, TypeKind::kDecimal,
        TypeKind::kUsd, TypeKind::kString, TypeKind::kSymbol,
        TypeKind::kTimestamp, TypeKind::kDuration}) {
    Type scalar;
    scalar.kind = kind;
    Intern(std::move(scalar));
  }
  SGL_CHECK(Enum({"NONE", "PII", "PHI"}) == kDataClassType);
  SGL_CHECK(Enum({"free_beta", "starter", "pro", "enterprise"}) == kSeatType);
  SGL_CHECK(List(kStringType) == kStringListType);
}

TypeId TypeTable::Intern(Type type) {
  Key key = {type.kind, type.is_optional, type.element, type.members,
             type.fields};
  // `T?` of a scalar differs from T in the flag alone; its parts tell lists,
  // enums and records apart.
  const auto next = static_cast<TypeId>(types_.size());
  const auto [found, is_new] = ids_.emplace(std::move(key), next);
  if (is_new) {
    if (!type.is_optional) type.required = next;
    types_.push_back(std::move(type));
  }
  return found->second;
}

TypeId TypeTable::Enum(std::vector<std::string> members) {
  Type type;
  type.kind = TypeKind::kEnum;
  type.members = std::move(members);
  return Intern(std::move(type));
}

TypeId TypeTable::List(TypeId element) {
  Type type;
  type.kind = TypeKind::kList;
  type.element = element;
  return Intern(std::move(type));
}

TypeId TypeTable::Record(std::vector<Field> fields) {
  Type type;
  type.kind = TypeKind::kRecord;
  type.fields = std::move(fields);
  return Intern(std::move(type));
}

TypeId TypeTable::Optional(TypeId id) {
  if ((*this)[id].is_optional || id == kErrorType) return id;
  Type type = (*this)[id];
  type.is_optional = true;
  return Intern(std::move(type));
}

std::string TypeTable::Describe(TypeId id) const {
  const Type& type = (*this)[id];
  std::string out;
  if (type.kind == TypeKind::kList) {
    out = absl::StrCat("list<", Describe(type.element), ">");
  } else if (type.kind == TypeKind::kEnum) {
    out = absl::StrCat("enum(", absl::StrJoin(type.members, ", "), ")");
  } else if (type.kind == TypeKind::kRecord) {
    out = absl::StrCat(
        "{ ",
        absl::StrJoin(type.fields, ", ",
                      [this](std::string* joined, const Field& field) {
                        absl::StrAppend(joined, field.name, ": ",
                                        Describe(field.type));
                      }),
        " }");
  } else {
    out = std::string(ScalarName(type.kind));
  }
  if (type.is_optional) out += "?";
  return out;
}

}  // namespace sgl
