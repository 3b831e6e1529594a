// intentctl: the operator's, the approver's and (by hand) the agent's command
// line. Exit status: 0 done, 1 it failed, 2 bad usage.

#include <CLI/CLI.hpp>
#include <iostream>

#include "tools/intentctl/commands.h"
#include "tools/intentctl/directory_lists.h"
#include "tools/intentctl/executors_command.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Speaks with an intent-engine: submit and read intents, vote on decision "
      "memos, look after the database.");
  app.name("intentctl");
  app.require_subcommand(1);
  app.fallthrough();
  sgl::tools::Client client;
  client.AddFlags(app);
  sgl::tools::Run run;
  sgl::tools::AddIntentsCommand(app, client, run);
  sgl::tools::AddMemosCommand(app, client, run);
  sgl::tools::AddJobsCommand(app, client, run);
  sgl::tools::AddReadsCommands(app, client, run);
  sgl::tools::AddDelegationsCommand(app, client, run);
  sgl::tools::AddEscalationsCommand(app, run);
  sgl::tools::AddExecutorsCommand(app, run);
  sgl::tools::AddSecretsCommands(app, run);
  sgl::tools::AddMoneyCommands(app, run);
  sgl::tools::AddPoliciesCommand(app, client, run);
  sgl::tools::AddAuditCommand(app, client, run);
  sgl::tools::AddDirectoryCommands(app, run);
  sgl::tools::AddDirectoryLists(app, client, run);
  sgl::tools::AddAdminCommands(app, client, run);
  sgl::tools::AddDbCommand(app, run);
  app.footer(
      "examples:\n"
      "  intentctl --ready-file ready.json intents list\n"
      "  intentctl --ready-file ready.json memos approve MEMO_ID\n"
      "  intentctl db deploy --direct-url postgresql://…");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? sgl::tools::kExitOk : sgl::tools::kExitUsage;
  }
  return run();
}
