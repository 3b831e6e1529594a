// `intentctl executors list`: what EXECUTED does for each intent type.

#ifndef TOOLS_INTENTCTL_EXECUTORS_COMMAND_H_
#define TOOLS_INTENTCTL_EXECUTORS_COMMAND_H_

#include <CLI/App.hpp>

#include "tools/intentctl/commands.h"

namespace sgl::tools {

// `executors list`, of what is built in and of a file; asks no server.
void AddExecutorsCommand(CLI::App& app, Run& run);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_EXECUTORS_COMMAND_H_
