// The `replay` verbs: recorded decisions taken again.

#ifndef TOOLS_INTENTCTL_REPLAY_COMMAND_H_
#define TOOLS_INTENTCTL_REPLAY_COMMAND_H_

#include "tools/intentctl/commands.h"

namespace sgl::tools {

// `intents replay ID`: exit 0 where every decision is the same, 1 where one is
// not, 2 where it can't be told or asked.
void AddIntentsReplay(CLI::App& intents, Client& client, Run& run);

// `policies replay DIGEST|ID`: exit 0 where no decision changes, 1 where some
// do, 2 where it can't be asked.
void AddPoliciesReplay(CLI::App& policies, Client& client, Run& run);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_REPLAY_COMMAND_H_
