// The `watch` verbs of `intents` and `memos`. They print one line a change and
// go on by themselves after a server was away, from where they stood.

#ifndef TOOLS_INTENTCTL_WATCH_COMMAND_H_
#define TOOLS_INTENTCTL_WATCH_COMMAND_H_

#include "tools/intentctl/commands.h"

namespace sgl::tools {

void AddIntentsWatch(CLI::App& intents, Client& client, Run& run);
void AddMemosWatch(CLI::App& memos, Client& client, Run& run);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_WATCH_COMMAND_H_
