// What could stand at a cursor within a condition: operators after an operand,
// else names, fields and functions, and what fits the other side first.

#ifndef TOOLS_SGL_LSP_EXPR_COMPLETION_H_
#define TOOLS_SGL_LSP_EXPR_COMPLETION_H_

#include <absl/strings/string_view.h>
#include <absl/types/span.h>

#include <initializer_list>
#include <string>

#include "tools/sgl/lsp/candidates.h"
#include "tools/sgl/lsp/cursor.h"
#include "tools/sgl/lsp/payload_paths.h"
#include "tools/sgl/lsp/scope.h"

namespace sgl::tools {

// Borrows all that it is made of.
class ExprCompletion {
 public:
  ExprCompletion(const Scope& scope, const Cursor& cursor,
                 absl::Span<const std::string> zones, Candidates& candidates)
      : scope_(scope),
        cursor_(cursor),
        paths_(scope, cursor),
        zones_(zones),
        candidates_(candidates) {}

  // Adds the fields of the path that ends at a token.
  void AddFieldsOf(int last);

  // Adds what an expression can go on with.
  void AddExpr();

 private:
  void AddLikeLeft(int last);
  void AddNames();
  bool IsZonePlace(int last) const;

  const Scope& scope_;
  const Cursor& cursor_;
  const PayloadPaths paths_;
  const absl::Span<const std::string> zones_;
  Candidates& candidates_;
};

// The decisions, as words.
inline constexpr std::initializer_list<absl::string_view> kDecisions = {
    "allow", "review", "block"};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_EXPR_COMPLETION_H_
