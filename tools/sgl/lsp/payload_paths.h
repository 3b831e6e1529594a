// Where the path at a cursor leads: the payload's declarations that a rule's
// `on` makes visible, and the lists that `any`, `all` and `count` walk. It goes
// by tokens, for the expression is still being written.

#ifndef TOOLS_SGL_LSP_PAYLOAD_PATHS_H_
#define TOOLS_SGL_LSP_PAYLOAD_PATHS_H_

#include <absl/strings/string_view.h>

#include <string>
#include <vector>

#include "tools/sgl/lsp/cursor.h"
#include "tools/sgl/lsp/scope.h"

namespace sgl::tools {

// Borrows both.
class PayloadPaths {
 public:
  PayloadPaths(const Scope& scope, const Cursor& cursor)
      : scope_(scope), cursor_(cursor) {}

  // Returns the types that the item at the cursor speaks of.
  OnClause On() const;

  // Returns the declarations that a path of the payload or of a bound name
  // leads to. `before` is the token where the path begins.
  FieldDeclarations Resolve(const std::vector<std::string>& path,
                            int before) const;

  // Returns the fields of what a bound name stands for.
  FieldDeclarations ElementFields(absl::string_view name, int before) const;

 private:
  FieldDeclarations ListOf(absl::string_view variable, int before) const;

  const Scope& scope_;
  const Cursor& cursor_;
};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_PAYLOAD_PATHS_H_
