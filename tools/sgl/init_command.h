// The work of `sgl init`, apart from the command line, so that it can be
// tested.

#ifndef TOOLS_SGL_INIT_COMMAND_H_
#define TOOLS_SGL_INIT_COMMAND_H_

#include <iosfwd>
#include <string>

namespace sgl::tools {

// Writes a policy with its tests and some requests for it into the folder,
// which is made where it isn't there. Overwrites nothing: where one of the
// files is there already, none is written. Returns the exit status.
int RunInit(const std::string& folder, std::ostream& out, std::ostream& err);

}  // namespace sgl::tools

#endif  // TOOLS_SGL_INIT_COMMAND_H_
