// sgl check: every error and warning of a policy set, in one run.

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/zone_loader.h"
#include "engine/policy_files.h"
#include "policy/policy.h"
#include "tools/sgl/commands.h"

namespace sgl::tools {
namespace {

int RunCheck(const std::vector<std::string>& paths) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      engine::ReadPolicyFiles(paths);
  if (!sources.ok()) {
    std::cerr << "sgl check: " << sources.status().message() << "\n";
    return kExitUsage;
  }
  const Compilation compilation =
      Compile(*sources, LoadZones(ZonesNamed(*sources)));
  std::cout << compilation.Render();
  return compilation.error_count == 0 ? kExitOk : kExitWrong;
}

}  // namespace

void AddCheckCommand(CLI::App& app, Run& run) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* const command = app.add_subcommand(
      "check", "Reports every error and warning of a policy set in one run.");
  command->add_option("paths", *paths, "files, or folders of .sgl files")
      ->required()
      ->type_name("PATH");
  command->footer(
      "example:\n"
      "  sgl check policy/library\n"
      "exit status: 0 no error, 1 an error, 2 bad usage");
  command->callback(
      [paths, &run] { run = [paths] { return RunCheck(*paths); }; });
}

}  // namespace sgl::tools
