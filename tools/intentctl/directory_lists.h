// `intentctl tenants|agents|members list`: who there is, over gRPC.

#ifndef TOOLS_INTENTCTL_DIRECTORY_LISTS_H_
#define TOOLS_INTENTCTL_DIRECTORY_LISTS_H_

#include "tools/intentctl/commands.h"

namespace sgl::tools {

// Adds `list` to these nouns. REQUIRES: AddDirectoryCommands was called, which
// adds the nouns.
void AddDirectoryLists(CLI::App& app, Client& client, Run& run);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_DIRECTORY_LISTS_H_
