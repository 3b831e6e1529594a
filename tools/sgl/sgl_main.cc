// sgl: what a policy's author works with. Exit status: 0 fine, 1 the policy or
// the input is wrong, 2 bad usage.

#include <CLI/CLI.hpp>

#include "tools/sgl/commands.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Checks and formats SGL rule files, and decides requests by them. Paths "
      "are files, or folders of .sgl files.");
  app.name("sgl");
  app.require_subcommand(1);
  sgl::tools::Run run;
  sgl::tools::AddCheckCommand(app, run);
  sgl::tools::AddEvalCommand(app, run);
  sgl::tools::AddExplainCommand(app, run);
  sgl::tools::AddFmtCommand(app, run);
  sgl::tools::AddLspCommand(app, run);
  sgl::tools::AddTestCommand(app, run);
  app.footer(
      "examples:\n"
      "  sgl check policy/library/atlas.sgl\n"
      "  sgl fmt -w policy/library\n"
      "  sgl test --coverage policy/library/starter\n"
      "  sgl eval --policy policy/library/atlas.sgl --input requests.jsonl\n"
      "`sgl VERB --help` shows each verb's own. The language: docs/sgl.md.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? sgl::tools::kExitOk : sgl::tools::kExitUsage;
  }
  return run();
}
