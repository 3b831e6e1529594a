// The work of `sgl explain`: request lines in, explanations out. Apart from
// the verb, so that the language's own tests run the same code.

#ifndef TOOLS_SGL_EXPLAIN_LINES_H_
#define TOOLS_SGL_EXPLAIN_LINES_H_

#include <iosfwd>

#include "policy/policy.h"

namespace sgl::tools {

struct ExplainFormat {
  bool is_json = false;
  // Leaves out the rules that did not apply.
  bool is_applied_only = false;
};

// Explains each line of `input`, in order: as text, with a blank line between
// two, or as a line of JSON each. A line that can't be read as a request gives
// `{"error": "…"}` in its place, and blank lines are skipped. Returns whether
// every line could be read. Limits count as `sgl eval` counts them.
bool ExplainLines(const Program& program, const ExplainFormat& format,
                  std::istream& input, std::ostream& output);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_EXPLAIN_LINES_H_
