// The work of `sgl explain`, apart from the command line, so that it can be
// tested and embedded.

#ifndef TOOLS_SGL_EXPLAIN_COMMAND_H_
#define TOOLS_SGL_EXPLAIN_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace sgl::tools {

struct ExplainOptions {
  // Files, or folders of .sgl files: one policy set.
  std::vector<std::string> policies = {};
  // A file of requests, one a line; standard input where empty or `-`.
  std::string input = {};
  // Only the rules that applied, or could not be computed.
  bool is_applied_only = false;
  bool is_json = false;
};

// Explains the requests on `out`; `in` stands for standard input. What is wrong
// with the policy or a file goes to `err`. Returns the exit status.
int RunExplain(const ExplainOptions& options, std::istream& in,
               std::ostream& out, std::ostream& err);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_EXPLAIN_COMMAND_H_
