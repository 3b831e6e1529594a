// The work of `sgl eval`: request lines in, decision lines out. Apart from the
// verb, so that the language's own tests run the same code.

#ifndef TOOLS_SGL_EVAL_LINES_H_
#define TOOLS_SGL_EVAL_LINES_H_

#include <iosfwd>

#include "policy/policy.h"

namespace sgl::tools {

// Decides each line of `input`, in order, one line of `output` each. A line
// that can't be read as a request gives `{"error": "…"}` in its place. Returns
// whether every line could be read. Limits count what was allowed, over the
// input in order; a REVIEW is executed by nobody here, and so never counts.
bool EvaluateLines(const Program& program, std::istream& input,
                   std::ostream& output);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_EVAL_LINES_H_
