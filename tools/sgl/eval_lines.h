// The work of `sgl eval`: request lines in, decision lines out. Apart from the
// verb, so that the language's own tests run the same code.

#ifndef TOOLS_SGL_EVAL_LINES_H_
#define TOOLS_SGL_EVAL_LINES_H_

#include <cstdint>
#include <iosfwd>

#include "policy/policy.h"

namespace sgl::tools {

// Decides each line of `input`, in order, one line of `output` each. A line
// that can't be read as a request gives `{"error": "…"}` in its place. Returns
// how the lines ended. Limits count what was allowed, over the
// input in order; a REVIEW is executed by nobody here, and so never counts.
struct LineCounts {
  int64_t errors = 0;
  int64_t allows = 0;
  int64_t reviews = 0;
  int64_t blocks = 0;
};
LineCounts EvaluateLines(const Program& program, std::istream& input,
                         std::ostream& output);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_EVAL_LINES_H_
