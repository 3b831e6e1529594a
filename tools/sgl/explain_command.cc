// sgl explain: why requests are decided as they are.

#include "tools/sgl/explain_command.h"

#include <absl/status/statusor.h>

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
#include "tools/sgl/explain_lines.h"
#include "tools/sgl/terminal.h"

namespace sgl::tools {
namespace {

constexpr char kHelp[] =
    "Says why requests are decided as they are, rule by rule.";

constexpr char kFooter[] =
    "examples:\n"
    "  sgl explain --policy policy.sgl --input requests.jsonl\n"
    "  head -1 requests.jsonl | sgl explain --policy policy.sgl\n"
    "  sgl explain --policy policy.sgl --applied < requests.jsonl\n"
    "\n"
    "For every rule: whether it applied, which part of its condition decided\n"
    "that, and the values seen. A * marks the rules that gave the decision.\n"
    "A REVIEW or BLOCK ends with the smallest change of one field that would\n"
    "have given a milder decision, where one is found.\n"
    "\n"
    "exit status: 0 all lines explained, 1 an error in the policy or a line,\n"
    "2 bad usage";

}  // namespace

int RunExplain(const ExplainOptions& options, std::istream& in,
               std::ostream& out, std::ostream& err) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      engine::ReadPolicyFiles(options.policies);
  if (!sources.ok()) {
    err << "sgl explain: " << sources.status().message() << "\n";
    return kExitUsage;
  }
  std::ifstream file;
  if (!options.input.empty() && options.input != "-") {
    file.open(options.input, std::ios::binary);
    if (!file.is_open()) {
      err << "sgl explain: can't read `" << options.input << "`\n";
      return kExitUsage;
    }
  }
  const Compilation compilation =
      Compile(*sources, LoadZones(ZonesNamed(*sources)));
  err << ForStream(err, compilation.Render());
  if (compilation.program == nullptr) return kExitWrong;
  std::istream& input = file.is_open() ? file : in;
  return ExplainLines(*compilation.program,
                      {.is_json = options.is_json,
                       .is_applied_only = options.is_applied_only},
                      input, out)
             ? kExitOk
             : kExitWrong;
}

void AddExplainCommand(CLI::App& app, Run& run) {
  const auto options = std::make_shared<ExplainOptions>();
  CLI::App* const command = app.add_subcommand("explain", kHelp);
  command
      ->add_option("--policy", options->policies,
                   "a .sgl file or a folder of them; may be repeated")
      ->required()
      ->type_name("PATH");
  command
      ->add_option("--input", options->input,
                   "requests, one a line; standard input where left out")
      ->type_name("FILE");
  command->add_flag("--applied", options->is_applied_only,
                    "leave out the rules that did not apply");
  command->add_flag("--json", options->is_json,
                    "print one line of JSON for each request");
  command->footer(kFooter);
  command->callback([options, &run] {
    run = [options] {
      return RunExplain(*options, std::cin, std::cout, std::cerr);
    };
  });
}

}  // namespace sgl::tools
