// sgl eval: decides JSON requests, one a line.

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/zone_loader.h"
#include "engine/policy_files.h"
#include "policy/policy.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/eval_lines.h"

namespace sgl::tools {
namespace {

struct Options {
  std::vector<std::string> policies;
  std::string input;
};

constexpr char kHelp[] =
    "Decides requests by a policy: one JSON request a line in, one JSON "
    "decision a line out, in order. A line that is no request gives "
    "{\"error\": "
    "...} in its place, and exit status 1.";

constexpr char kFooter[] =
    "example:\n"
    "  echo '{\"intent\": {\"type\": \"SMS_SEND\", \"payload\": {\"to\": "
    "\"+1\", "
    "\"body\": \"hi\"}},\n"
    "        \"agent\": {\"name\": \"Atlas\"}}' |\n"
    "    sgl eval --policy policy/library/atlas.sgl\n"
    "exit status: 0 all lines decided, 1 an error in the policy or a line, 2 "
    "bad usage";

// Returns the program, or null with the status to exit with.
std::shared_ptr<const Program> LoadProgram(
    const std::vector<std::string>& paths, int* status) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      engine::ReadPolicyFiles(paths);
  if (!sources.ok()) {
    std::cerr << "sgl eval: " << sources.status().message() << "\n";
    *status = kExitUsage;
    return nullptr;
  }
  const Compilation compilation =
      Compile(*sources, LoadZones(ZonesNamed(*sources)));
  std::cerr << compilation.Render();
  *status = kExitWrong;
  return compilation.program;
}

int RunEval(const Options& options) {
  int status = kExitOk;
  const std::shared_ptr<const Program> program =
      LoadProgram(options.policies, &status);
  if (program == nullptr) return status;
  std::ios::sync_with_stdio(false);
  std::ifstream file;
  if (!options.input.empty() && options.input != "-") {
    file.open(options.input, std::ios::binary);
    if (!file.is_open()) {
      std::cerr << "sgl eval: can't read `" << options.input << "`\n";
      return kExitUsage;
    }
  }
  std::istream& input = file.is_open() ? file : std::cin;
  return EvaluateLines(*program, input, std::cout) ? kExitOk : kExitWrong;
}

}  // namespace

void AddEvalCommand(CLI::App& app, Run& run) {
  const auto options = std::make_shared<Options>();
  CLI::App* const command = app.add_subcommand("eval", kHelp);
  command
      ->add_option("--policy", options->policies,
                   "a .sgl file or a folder of them; may be repeated")
      ->required()
      ->type_name("PATH");
  command
      ->add_option("--input", options->input,
                   "requests, one a line; standard input where left out")
      ->type_name("FILE");
  command->footer(kFooter);
  command->callback(
      [options, &run] { run = [options] { return RunEval(*options); }; });
}

}  // namespace sgl::tools
