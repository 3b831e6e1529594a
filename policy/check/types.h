// The types of SGL values, interned: two types are the same type exactly when
// their ids are equal, so that comparing types is comparing integers.
//
//   TypeTable types;
//   TypeId memo = types.Optional(kStringType);       // string?
//   TypeId lines = types.List(types.Record({{"sku", kStringType}}));
//   types.Describe(lines);                           // list<{ sku: string }>

#ifndef POLICY_CHECK_TYPES_H_
#define POLICY_CHECK_TYPES_H_

#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace sgl {

enum class TypeKind : uint8_t {
  kError,      // the type of what is already reported; fits everything
  kBool,       // int64 0 or 1
  kInt,        // int64
  kDecimal,    // int64 of 1e-9
  kUsd,        // int64 of 1e-6 dollars
  kString,     // UTF-8
  kSymbol,     // a name out of an open set; `intent.type` is one
  kTimestamp,  // int64 microseconds since 1970-01-01T00:00:00Z
  kDuration,   // int64 microseconds
  kEnum,       // int64 index into `members`
  kList,       // of `element`
  kRecord,     // of `fields`
};

// Index into TypeTable. The scalar types have fixed ids, below.
enum class TypeId : int32_t { kNone = -1 };

// A field of a record. A field whose type is optional may be missing or null.
struct Field {
  std::string name;
  TypeId type = TypeId::kNone;

  auto operator<=>(const Field&) const = default;
};

// One type. `T?` is a type of its own, with `required` naming T; for a type
// that is not optional `required` is the type itself.
struct Type {
  TypeKind kind = TypeKind::kError;
  bool is_optional = false;
  TypeId required = TypeId::kNone;
  TypeId element = TypeId::kNone;    // kList; may be optional (list<int?>)
  std::vector<std::string> members;  // kEnum, in declared order
  std::vector<Field> fields;         // kRecord, in declared order

  // The position of a name, or -1.
  int FindMember(absl::string_view name) const;
  int FindField(absl::string_view name) const;
};

inline constexpr TypeId kErrorType{0};
inline constexpr TypeId kBoolType{1};
inline constexpr TypeId kIntType{2};
inline constexpr TypeId kDecimalType{3};
inline constexpr TypeId kUsdType{4};
inline constexpr TypeId kStringType{5};
inline constexpr TypeId kSymbolType{6};
inline constexpr TypeId kTimestampType{7};
inline constexpr TypeId kDurationType{8};
inline constexpr TypeId kDataClassType{9};  // enum(NONE, PII, PHI)
inline constexpr TypeId kSeatType{10};  // enum(free_beta, starter, pro, …)
inline constexpr TypeId kStringListType{11};  // list<string>: agent.labels

// Owns and interns types. Equality is structural: enums with the same members
// in the same order are one type, and so are records with the same fields in
// the same order. Not thread-safe while types are added.
class TypeTable {
 public:
  // Holds the fixed types above from the start.
  TypeTable();

  const Type& operator[](TypeId id) const {
    return types_[static_cast<size_t>(id)];
  }
  int size() const { return static_cast<int>(types_.size()); }

  // Each returns the id of the one such type.
  TypeId Enum(std::vector<std::string> members);
  TypeId List(TypeId element);
  TypeId Record(std::vector<Field> fields);
  TypeId Optional(TypeId type);
  TypeId Required(TypeId type) const { return (*this)[type].required; }

  TypeKind kind(TypeId id) const { return (*this)[id].kind; }
  bool is_optional(TypeId id) const { return (*this)[id].is_optional; }

  // Returns the type as SGL spells it.
  std::string Describe(TypeId id) const;

 private:
  using Key = std::tuple<TypeKind, bool, TypeId, std::vector<std::string>,
                         std::vector<Field>>;

  TypeId Intern(Type type);

  std::vector<Type> types_;
  std::map<Key, TypeId> ids_;
};

}  // namespace sgl

#endif  // POLICY_CHECK_TYPES_H_
