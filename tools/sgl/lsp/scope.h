// What names mean at a place of a file: the intent types that it sees, and the
// payload fields that an `on` makes visible. It goes by the trees as written,
// so that it answers for files with mistakes too.

#ifndef TOOLS_SGL_LSP_SCOPE_H_
#define TOOLS_SGL_LSP_SCOPE_H_

#include <absl/strings/string_view.h>

#include <string>
#include <vector>

#include "policy/source/source.h"
#include "policy/syntax/ast.h"
#include "tools/sgl/lsp/analysis.h"

namespace sgl::tools {

// A declaration of an intent type. Borrows the analysis.
struct TypeDeclaration {
  const Ast* ast = nullptr;
  const IntentSyntax* item = nullptr;
};

// A declared field. `owner` is the intent type, `*`, or the path to the record.
struct FieldDeclaration {
  const Ast* ast = nullptr;
  const FieldSyntax* field = nullptr;
  std::string owner;
};

// One name can have several declarations, in several intent types.
using FieldDeclarations = std::vector<FieldDeclaration>;

// Which intent types a rule speaks of. Of a def, any: it depends on its uses.
struct OnClause {
  bool is_any = false;
  bool is_absent = true;
  std::vector<std::string> types;
};

// Resolves names for one file. Borrows the analysis.
class Scope {
 public:
  Scope(const Analysis& analysis, FileId file);

  const Ast& ast() const { return ast_; }

  // Returns the types that the file sees, without `*`.
  const std::vector<TypeDeclaration>& types() const { return types_; }

  // Returns the declarations of a type.
  std::vector<TypeDeclaration> FindType(absl::string_view name) const;

  // Returns the binding of a name in this file, or null.
  const BindingSyntax* FindConst(absl::string_view name) const;
  const BindingSyntax* FindDef(absl::string_view name) const;

  // Puts the types in place of the consts that an `on` names.
  OnClause Resolve(bool has_on, const std::vector<Name>& on) const;

  // Returns the payload fields that are visible, by declaration: those of
  // `intent *`, and those that all types declare.
  FieldDeclarations PayloadFields(const OnClause& on) const;

  // Returns the fields of the records that the declarations hold, lists looked
  // through where `is_element`.
  FieldDeclarations FieldsOf(const FieldDeclarations& declarations,
                             bool is_element) const;

  // Returns the declarations of that name.
  static FieldDeclarations Named(const FieldDeclarations& fields,
                                 absl::string_view name);

 private:
  const Ast& ast_;
  std::vector<TypeDeclaration> types_;
  std::vector<TypeDeclaration> stars_;
};

// Returns a field's type as written; empty where the parser could not read it.
absl::string_view TypeText(const SourceSet& sources, const Ast& ast,
                           const FieldSyntax& field);

// Returns the comments that belong to what is named at `name`: those on the
// lines right above it, if it is the first of its line, and the one at the end
// of its line.
std::string DocComment(const SourceSet& sources, Span name);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_SCOPE_H_
