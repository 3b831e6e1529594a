// What the editor shows of the name under the pointer: its declaration, its
// type and its comment.

#ifndef TOOLS_SGL_LSP_HOVER_H_
#define TOOLS_SGL_LSP_HOVER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "policy/source/source.h"
#include "tools/sgl/lsp/analysis.h"
#include "tools/sgl/lsp/symbols.h"

namespace sgl::tools {

struct Hover {
  Span span;
  std::string markdown;
};

// Returns what to show at a byte of a file; none where there is nothing.
std::optional<Hover> HoverAt(const Analysis& analysis, FileId file,
                             int32_t byte);

// Returns a symbol's description in Markdown; empty for what has none.
std::string Describe(const Analysis& analysis, const Symbol& symbol);

// Returns a declared field as `name: type`, then its owner and comment.
std::string DescribeField(const Analysis& analysis,
                          const FieldDeclaration& field);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_HOVER_H_
