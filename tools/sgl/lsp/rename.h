// Renaming a const or a def: all its uses in its file, which are all there
// are.

#ifndef TOOLS_SGL_LSP_RENAME_H_
#define TOOLS_SGL_LSP_RENAME_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/source/source.h"
#include "tools/sgl/lsp/analysis.h"

namespace sgl::tools {

// What is to be renamed, or why it can't be.
struct RenameTarget {
  std::string error;  // empty if it can
  Span span;          // the name under the cursor
  std::string name;
  std::vector<Span> uses;  // the declaration included, in order
};

RenameTarget FindRenameTarget(const Analysis& analysis, FileId file,
                              int32_t byte);

// Returns why a target may not get a name: it is no word, or the language's,
// or taken, or the renamed file would not check as before. Empty if it may.
std::string RefuseName(const Analysis& analysis, const RenameTarget& target,
                       absl::string_view name, ZoneCache& zones);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_RENAME_H_
