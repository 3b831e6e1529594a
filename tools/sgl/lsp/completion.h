// What could stand at the cursor. It goes by the tokens before the cursor, for
// a text that is being written seldom parses.

#ifndef TOOLS_SGL_LSP_COMPLETION_H_
#define TOOLS_SGL_LSP_COMPLETION_H_

#include <absl/types/span.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/source/source.h"
#include "tools/sgl/lsp/analysis.h"
#include "tools/sgl/lsp/candidates.h"

namespace sgl::tools {

// Returns the candidates at a byte, whatever of them is typed already: the
// editor filters. `zones` are the names of time zones.
std::vector<Completion> CompleteAt(const Analysis& analysis, FileId file,
                                   int32_t byte,
                                   absl::Span<const std::string> zones);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_COMPLETION_H_
