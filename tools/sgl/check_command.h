// The work of `sgl check`, apart from the command line, so that it can be
// tested and embedded.

#ifndef TOOLS_SGL_CHECK_COMMAND_H_
#define TOOLS_SGL_CHECK_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace sgl::tools {

struct CheckOptions {
  std::vector<std::string> paths;  // `-` is standard input
  bool is_json = false;            // a line of JSON for each diagnostic
  // Hold the index against the scan of all rules on every request that can be
  // made of the policy's constants.
  bool is_verified = false;
  bool is_cost_shown = false;  // the most work of one decision, by type
};

// Checks the files, and the `.sgl` files of the folders, as one policy set.
// Writes every error and warning to `out`, then how many there are; what kept
// the files from being read to `err`. Returns the exit status: warnings don't
// fail. The JSON lines are described in docs/diagnostics.md.
int RunCheck(const CheckOptions& options, std::istream& in, std::ostream& out,
             std::ostream& err);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_CHECK_COMMAND_H_
