// The verbs of intentctl. Each function adds one noun's verbs to the command
// line; the chosen verb leaves its work in `run`, which main calls once the
// line has been parsed. A run returns the process's exit status.

#ifndef TOOLS_INTENTCTL_COMMANDS_H_
#define TOOLS_INTENTCTL_COMMANDS_H_

#include <CLI/App.hpp>
#include <functional>

#include "tools/intentctl/client.h"

namespace sgl::tools {

using Run = std::function<int()>;

// `intents submit|evaluate|get|list|watch|replay|cancel`, over gRPC.
void AddIntentsCommand(CLI::App& app, Client& client, Run& run);

// `memos list|show|approve|reject|edit|approve-all|watch`, over gRPC.
void AddMemosCommand(CLI::App& app, Client& client, Run& run);

// `jobs list|get|cancel|lease|complete|fail`, over gRPC.
void AddJobsCommand(CLI::App& app, Client& client, Run& run);

// `tickets list|get|comments`, `documents search|list|get`, `contacts
// list|get`, `companies list`, `segments list`, `ledger list|get`, over gRPC.
void AddReadsCommands(CLI::App& app, Client& client, Run& run);

// `delegations create|list|revoke`, over gRPC.
void AddDelegationsCommand(CLI::App& app, Client& client, Run& run);

// `escalations set|list|remove`, on DIRECT_URL.
void AddEscalationsCommand(CLI::App& app, Run& run);

// `secrets generate-key|rotate`, `integrations set-token|remove-token`, on
// DIRECT_URL.
void AddSecretsCommands(CLI::App& app, Run& run);
// `budgets list`, `ledger check`, on DIRECT_URL. AddReadsCommands comes first:
// `ledger` is its noun.
void AddMoneyCommands(CLI::App& app, Run& run);

// `policies check|propose|replay|list|show|activate`, over gRPC; `activate
// --break-glass` on DIRECT_URL.
void AddPoliciesCommand(CLI::App& app, Client& client, Run& run);

// `audit list|verify|export|keygen`, over gRPC, on DIRECT_URL, or on files.
void AddAuditCommand(CLI::App& app, Client& client, Run& run);

// `db create|deploy|status|reset`, on DIRECT_URL.
void AddDbCommand(CLI::App& app, Run& run);

// `tenants|agents|members|tokens create`, on DIRECT_URL.
void AddDirectoryCommands(CLI::App& app, Run& run);

// `off|on`, `switches`, `tokens list`, over gRPC; the switches on DIRECT_URL
// too. REQUIRES: AddDirectoryCommands was called, which adds `tokens`.
void AddAdminCommands(CLI::App& app, Client& client, Run& run);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_COMMANDS_H_
