// Random expressions of SGL, well-typed by construction: every path is
// declared, every optional one stands behind a guard or before `??`, both
// sides of every operator have one type.

#ifndef TESTS_DIFFERENTIAL_EXPR_GENERATOR_H_
#define TESTS_DIFFERENTIAL_EXPR_GENERATOR_H_

#include <absl/strings/string_view.h>

#include <string>
#include <vector>

#include "tests/differential/random.h"
#include "tests/differential/schema.h"

namespace sgl::tests {

// A path that an expression may read.
struct VisiblePath {
  std::string text;
  SglType type;  // required form
  // The longest prefix that may be missing, itself included; empty: none.
  std::string needs;
};

// A const or def that an expression may name.
struct VisibleName {
  enum class Form { kScalar, kSet, kRegex, kDef };
  std::string name;
  Form form = Form::kScalar;
  Kind kind = Kind::kBool;  // of the value, or of a set's members
  bool has_loop = false;    // a def that any/all/count must not contain
  std::string guards;       // the path that is there where the def is true
};

// What an expression can see where it stands.
struct Scope {
  std::vector<VisiblePath> paths;
  std::vector<VisibleName> names;
  std::vector<std::string> declared_types;  // that `intent.type` may equal
  std::vector<std::string> guarded;         // paths known to be there
  int loop_depth = 0;

  bool IsUsable(const VisiblePath& path) const;
};

// Appends the paths of fields below `base`, records' fields included.
void AddPaths(const std::vector<NamedType>& fields, absl::string_view base,
              absl::string_view needs, std::vector<VisiblePath>* paths);

// Appends the paths of the fixed roots.
void AddFixedPaths(std::vector<VisiblePath>* paths);

class ExprGenerator {
 public:
  explicit ExprGenerator(Random& random) : random_(random) {}

  // Returns a condition.
  std::string Condition(const Scope& scope, int depth);

  // Returns a value of a kind that is neither list nor record, nor an enum.
  std::string Value(Kind kind, const Scope& scope, int depth);

  std::string Literal(Kind kind);
  // Returns `{...}` of literals of the kind.
  std::string Set(Kind kind);

  // Whether a loop was written since the last Reset.
  bool has_loop() const { return has_loop_; }
  void Reset() { has_loop_ = false; }

 private:
  std::string Atom(const Scope& scope, int depth);
  std::string Junction(const Scope& scope, int depth);
  std::string Guarded(const Scope& scope, int depth);
  std::string Comparison(const Scope& scope, int depth);
  // A number that is computed, against one that it is or nearly is.
  std::string ExactTest(const Scope& scope, int depth);
  std::string EnumTest(const Scope& scope);
  std::string SymbolTest(const Scope& scope);
  std::string Membership(const Scope& scope, int depth);
  std::string TextTest(const Scope& scope, int depth);
  std::string ListTest(const Scope& scope, int depth);
  // `any x in list: body` and its kin; empty where no list is usable.
  std::string Loop(absl::string_view word, const Scope& scope, int depth);
  std::string Arithmetic(Kind kind, const Scope& scope, int depth);
  std::string IntCall(const Scope& scope, int depth);
  std::string Sum(Kind kind, const Scope& scope);
  std::string Regex(const Scope& scope);

  // A usable path of the kind, or empty.
  const VisiblePath* PathOf(Kind kind, const Scope& scope);
  // Any path of the kind, with `??` and a literal where it may be missing.
  std::string Coalesced(Kind kind, const Scope& scope, int depth);
  // A const or def, or null.
  const VisibleName* NameOf(VisibleName::Form form, Kind kind,
                            const Scope& scope);
  // Of the enum or symbol type of `path`: one member, or a set of some.
  std::string Member(const VisiblePath& path, const Scope& scope);
  std::string Members(const VisiblePath& path, const Scope& scope);

  Random& random_;
  bool has_loop_ = false;
};

}  // namespace sgl::tests

#endif  // TESTS_DIFFERENTIAL_EXPR_GENERATOR_H_
