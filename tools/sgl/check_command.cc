// sgl check: every error and warning of a policy set, in one run.

#include "tools/sgl/check_command.h"

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

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

constexpr char kHelp[] =
    "example:\n"
    "  sgl check policy/library\n"
    "\n"
    "All files given are one policy set: the platform's and any tenants'\n"
    "layers. Each mistake comes with its line, a caret, and the fix where\n"
    "there is one; docs/diagnostics.md explains each kind.\n"
    "\n"
    "exit status: 0 no error, 1 an error, 2 bad usage";

// Returns `1 error`, `2 errors`.
std::string Count(int count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

}  // namespace

int RunCheck(const std::vector<std::string>& paths, std::ostream& out,
             std::ostream& err) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      engine::ReadPolicyFiles(paths);
  if (!sources.ok()) {
    err << "sgl check: " << sources.status().message() << "\n";
    return kExitUsage;
  }
  const Compilation compilation =
      Compile(*sources, LoadZones(ZonesNamed(*sources)));
  out << compilation.Render() << Count(compilation.error_count, "error") << ", "
      << Count(compilation.warning_count, "warning") << "\n";
  return compilation.error_count == 0 ? kExitOk : kExitWrong;
}

void AddCheckCommand(CLI::App& app, Run& run) {
  const auto paths = std::make_shared<std::vector<std::string>>();
  CLI::App* const command = app.add_subcommand(
      "check", "Reports every error and warning of a policy set in one run.");
  command->add_option("paths", *paths, "files, or folders of .sgl files")
      ->required()
      ->type_name("PATH");
  command->footer(kHelp);
  command->callback([paths, &run] {
    run = [paths] { return RunCheck(*paths, std::cout, std::cerr); };
  });
}

}  // namespace sgl::tools
