// What could stand at the cursor. It goes by the tokens before the cursor, for
// a text that is being written seldom parses.

#ifndef TOOLS_SGL_LSP_COMPLETION_H_
#define TOOLS_SGL_LSP_COMPLETION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "policy/source/source.h"
#include "tools/sgl/lsp/analysis.h"

namespace sgl::tools {

// The protocol's numbers.
enum class CompletionKind {
  kFunction = 3,
  kField = 5,
  kVariable = 6,
  kClass = 7,
  kProperty = 10,
  kValue = 12,
  kKeyword = 14,
  kEnumMember = 20,
  kConstant = 21,
};

struct Completion {
  std::string label;
  CompletionKind kind = CompletionKind::kKeyword;
  std::string detail;    // a type, or nothing
  std::string markdown;  // more about it, or nothing
  std::string filter;    // what typing is held against, if not the label
  std::string text;      // goes in place of `span`
  Span span;
};

// Returns the candidates at a byte, whatever of them is typed already: the
// editor filters.
std::vector<Completion> CompleteAt(const Analysis& analysis, FileId file,
                                   int32_t byte);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_COMPLETION_H_
