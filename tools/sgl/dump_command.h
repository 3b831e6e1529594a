// The work of `sgl dump`, apart from the command line, so that it can be
// tested and embedded.

#ifndef TOOLS_SGL_DUMP_COMMAND_H_
#define TOOLS_SGL_DUMP_COMMAND_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace sgl::tools {

// Writes what the policy set of these files and folders compiles to. What is
// wrong with it goes to `err`. Returns the exit status.
int RunDump(const std::vector<std::string>& policies, std::ostream& out,
            std::ostream& err);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_DUMP_COMMAND_H_
