// What the files of a policy set declare: intent types, star fields, and the
// names that consts and defs must keep clear of. Internal to policy/check.

#ifndef POLICY_CHECK_DECLARATIONS_H_
#define POLICY_CHECK_DECLARATIONS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <string>
#include <utility>
#include <vector>

#include "policy/check/checked_policy.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/syntax/ast.h"

namespace sgl {

// A field of a declared type, or of `intent *`.
struct DeclaredField {
  TypeId type = kErrorType;  // optional or not, as declared
  Span name_span;
};

// An intent type as one layer sees it.
struct DeclaredType {
  std::string name;
  LayerId layer = LayerId::kPlatform;
  Span name_span;
  std::vector<Field> fields;
  bool is_broken = false;  // fields are missing, as was reported
  absl::flat_hash_map<std::string, DeclaredField> by_name;
};

// All declarations of the set. Filled by Declare, constant afterwards.
class Declarations {
 public:
  // Reads the declarations of all files, which `policy.files` already gives
  // their layers, and reports what is wrong with them.
  Declarations(absl::Span<const Ast> files, CheckedPolicy& policy,
               Diagnostics& diagnostics);

  bool has_star() const { return has_star_; }
  const DeclaredType& star() const { return star_; }

  // Returns whether a declaration could not be read at all, so that what seems
  // undeclared may be in it.
  bool is_incomplete() const { return is_incomplete_; }

  // Returns the type of that name that a layer sees (the platform's, or the
  // tenant's own), or null.
  const DeclaredType* Find(LayerId layer, absl::string_view name) const;

  // Returns all types that a layer sees, the platform's first.
  std::vector<const DeclaredType*> Visible(LayerId layer) const;

  // Returns what a name is taken by: `an intent type`, `a member of an enum`,
  // with its place (without file for what the language declares itself), or
  // an empty text.
  std::pair<std::string, Span> Taken(LayerId layer,
                                     absl::string_view name) const;

 private:
  struct Pending {
    const Ast* ast;
    const IntentSyntax* item;
    LayerId layer;
  };
  // The types and the enum members of one layer.
  struct LayerNames {
    absl::flat_hash_map<std::string, size_t> types;  // into types_
    absl::flat_hash_map<std::string, Span> members;
  };

  void DeclareStar(const Pending& pending);
  void DeclareType(const Pending& pending);
  void DeclareFields(const Pending& pending, DeclaredType& type);
  TypeId Resolve(const Ast& ast, TypeExprId id, LayerId layer);
  TypeId ResolveNamed(const TypeExpr& type);
  TypeId ResolveEnum(const TypeExpr& type, LayerId layer);
  TypeId ResolveRecord(const Ast& ast, const TypeExpr& type, LayerId layer);

  CheckedPolicy& policy_;
  Diagnostics& diagnostics_;
  bool has_star_ = false;
  bool is_incomplete_ = false;
  DeclaredType star_;
  std::vector<DeclaredType> types_;
  std::vector<LayerNames> layers_;
};

}  // namespace sgl

#endif  // POLICY_CHECK_DECLARATIONS_H_
