// sgl dump: what a policy set compiles to.

#include "tools/sgl/dump_command.h"

#include <absl/status/statusor.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/zone_loader.h"
#include "engine/policy_files.h"
#include "policy/inspect.h"
#include "policy/policy.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/terminal.h"

namespace sgl::tools {
namespace {

constexpr char kHelp[] =
    "Shows what a policy set compiles to: how its rules are found.";

constexpr char kFooter[] =
    "examples:\n"
    "  sgl dump --policy policy.sgl\n"
    "  sgl dump --policy policy.sgl | grep 'always run'\n"
    "\n"
    "Of each layer and type: the values that rules are found by, with how "
    "many\n"
    "keys, and each rule with its tests, one behind the other: `3 : no` says\n"
    "to go on with test 3 where it is true, else the rule does not apply.\n"
    "Rules that are always run say why. docs/performance.md explains it.\n"
    "\n"
    "exit status: 0 shown, 1 an error in the policy, 2 bad usage";

}  // namespace

int RunDump(const std::vector<std::string>& policies, std::ostream& out,
            std::ostream& err) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      engine::ReadPolicyFiles(policies);
  if (!sources.ok()) {
    err << "sgl dump: " << sources.status().message() << "\n";
    return kExitUsage;
  }
  const Compilation compilation =
      Compile(*sources, LoadZones(ZonesNamed(*sources)));
  err << ForStream(err, compilation.Render());
  if (compilation.program == nullptr) return kExitWrong;
  out << Dump(*compilation.program);
  return kExitOk;
}

void AddDumpCommand(CLI::App& app, Run& run) {
  const auto policies = std::make_shared<std::vector<std::string>>();
  CLI::App* const command = app.add_subcommand("dump", kHelp);
  command
      ->add_option("--policy", *policies,
                   "a .sgl file or a folder of them; may be repeated")
      ->required()
      ->type_name("PATH");
  command->footer(kFooter);
  command->callback([policies, &run] {
    run = [policies] { return RunDump(*policies, std::cout, std::cerr); };
  });
}

}  // namespace sgl::tools
