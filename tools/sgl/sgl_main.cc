// sgl: what a policy's author works with. Exit status: 0 fine, 1 the policy or
// the input is wrong, 2 bad usage.

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "tools/sgl/command_line.h"
#include "tools/sgl/commands.h"

namespace {

constexpr char kVersion[] = "sgl 1.0.0 (SGL 1)";

constexpr char kFooter[] =
    "examples:\n"
    "  sgl init refunds                        # a policy to start from\n"
    "  sgl check refunds                       # every mistake, with its fix\n"
    "  sgl test --coverage refunds             # its tests, rule by rule\n"
    "  sgl eval --policy refunds --input refunds/requests.jsonl\n"
    "  sgl explain --policy refunds --input refunds/requests.jsonl\n"
    "\n"
    "A policy is a file, or a folder of .sgl files. `sgl VERB --help` shows\n"
    "each verb's own options and examples. The language: docs/sgl.md.\n"
    "\n"
    "exit status: 0 fine, 1 the policy or the input is wrong, 2 bad usage\n"
    "NO_COLOR=1 in the environment keeps colours off a terminal.";

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Checks, formats and tests SGL policies, and decides requests by them.");
  app.name("sgl");
  app.require_subcommand(1);
  app.set_version_flag("--version", kVersion, "Print the version and exit");
  sgl::tools::Run run;
  sgl::tools::AddInitCommand(app, run);
  sgl::tools::AddCheckCommand(app, run);
  sgl::tools::AddTestCommand(app, run);
  sgl::tools::AddEvalCommand(app, run);
  sgl::tools::AddExplainCommand(app, run);
  sgl::tools::AddFmtCommand(app, run);
  sgl::tools::AddDumpCommand(app, run);
  sgl::tools::AddBenchCommand(app, run);
  sgl::tools::AddLspCommand(app, run);
  app.footer(kFooter);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const std::optional<int> status =
      sgl::tools::SettleVerb(app, arguments, std::cerr);
  if (status.has_value()) return *status;
  try {
    app.parse(sgl::tools::FromTheBack(arguments));
  } catch (const CLI::ParseError& error) {
    return sgl::tools::ReportParseError(app, arguments, error, std::cout,
                                        std::cerr);
  }
  return run();
}
