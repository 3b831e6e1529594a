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
#include "tools/sgl/terminal.h"

namespace sgl::tools {
namespace {

struct Options {
  std::vector<std::string> policies;
  std::string input;
  std::string fail_on;  // `block`, `review`, or empty
};

constexpr char kHelp[] =
    "Decides requests by a policy, one JSON request a line.";

constexpr char kFooter[] =
    "examples:\n"
    "  sgl eval --policy policy.sgl --input requests.jsonl\n"
    "  sgl eval --policy policy.sgl < requests.jsonl\n"
    "  head -1 requests.jsonl | sgl eval --policy policy.sgl --fail-on block\n"
    "  echo '{\"intent\": {\"type\": \"REFUND\"}}' | sgl eval --policy "
    "policy.sgl\n"
    "\n"
    "One decision a line comes out, in order; limits count over the input. A\n"
    "line that is no request gives {\"error\": \"...\"} in its place.\n"
    "docs/sgl.md shows the members of requests and decisions.\n"
    "\n"
    "exit status: 0 all lines decided, 1 an error in the policy or a line, or\n"
    "a decision that --fail-on names, 2 bad usage";

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
  std::cerr << ForStream(std::cerr, compilation.Render());
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
  const LineCounts counts = EvaluateLines(*program, input, std::cout);
  const bool is_refused =
      (options.fail_on == "block" && counts.blocks > 0) ||
      (options.fail_on == "review" && counts.blocks + counts.reviews > 0);
  return counts.errors == 0 && !is_refused ? kExitOk : kExitWrong;
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
  command
      ->add_option("--fail-on", options->fail_on,
                   "exit with 1 where a decision is a block, or a review or "
                   "stricter")
      ->type_name("block|review")
      ->check(CLI::IsMember({"block", "review"}));
  command->footer(kFooter);
  command->callback(
      [options, &run] { run = [options] { return RunEval(*options); }; });
}

}  // namespace sgl::tools
