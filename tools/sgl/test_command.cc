// sgl test: runs the `test` blocks of a policy set.

#include "tools/sgl/test_command.h"

#include <absl/status/statusor.h>
#include <absl/strings/match.h>
#include <absl/time/time.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/zone_loader.h"
#include "engine/policy_files.h"
#include "engine/policy_test_run.h"
#include "policy/policy.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/terminal.h"
#include "tools/sgl/test_report.h"

namespace sgl::tools {
namespace {

constexpr char kHelp[] =
    "examples:\n"
    "  sgl test policy.sgl\n"
    "  sgl test --coverage policy.sgl          # and the rules left untested\n"
    "  sgl test --run night policy.sgl         # only tests named so\n"
    "  sgl test --junit report.xml policy.sgl  # for build servers\n"
    "\n"
    "All files given are one policy set, so give a tenant's files together\n"
    "with the platform's. Every assert is held against each request that a\n"
    "test gives. --coverage lists the rules that no test makes apply, and\n"
    "those that no test makes not apply.\n"
    "\n"
    "exit status: 0 all passed, 1 a test failed or the policy has errors,\n"
    "2 bad usage";

constexpr char kNoTests[] =
    "sgl test: the policy has no tests; one looks like this:\n"
    "  test \"a large refund waits\" {\n"
    "    given { intent: { type: REFUND, payload: { amount: $120 } } }\n"
    "    expect review [LARGE]\n"
    "  }\n";

}  // namespace

int RunTest(const TestOptions& options, std::ostream& out, std::ostream& err) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      engine::ReadPolicyFiles(options.paths);
  if (!sources.ok()) {
    err << "sgl test: " << sources.status().message() << "\n";
    return kExitUsage;
  }
  const Compilation compilation =
      Compile(*sources, LoadZones(ZonesNamed(*sources)));
  err << ForStream(err, compilation.Render());
  if (compilation.program == nullptr) return kExitWrong;
  std::vector<PolicyTest> tests;
  for (const PolicyTest& test : compilation.tests) {
    if (absl::StrContains(test.name, options.run)) tests.push_back(test);
  }
  if (tests.empty() && !options.run.empty()) {
    err << "sgl test: no test's name contains `" << options.run << "`\n";
    return kExitUsage;
  }
  if (tests.empty()) err << kNoTests;
  const auto begin = std::chrono::steady_clock::now();
  const TestRun run = engine::RunTests(*compilation.program, tests);
  // Only a person cares how long it took; what programs read stays the same.
  std::optional<absl::Duration> took;
  if (IsTerminal(out)) {
    took = absl::FromChrono(std::chrono::steady_clock::now() - begin);
  }
  out << (options.as_json ? TestRunToJson(run)
                          : RenderTestRun(run, options.with_coverage, took));
  if (!options.junit.empty()) {
    std::ofstream file(options.junit, std::ios::binary);
    file << TestRunToJunit(run);
    file.close();
    if (file.fail()) {
      err << "sgl test: can't write `" << options.junit << "`\n";
      return kExitUsage;
    }
  }
  return run.failed_count() == 0 ? kExitOk : kExitWrong;
}

void AddTestCommand(CLI::App& app, Run& run) {
  const auto options = std::make_shared<TestOptions>();
  CLI::App* const command = app.add_subcommand(
      "test", "Runs the `test` blocks of a policy set, and its asserts.");
  command->add_option("PATH", options->paths, "files, or folders of .sgl files")
      ->required()
      ->type_name("");
  command->add_flag("--coverage", options->with_coverage,
                    "list the rules that no test reaches");
  command
      ->add_option("--run", options->run,
                   "run only the tests whose names contain TEXT")
      ->type_name("TEXT");
  command->add_flag("--json", options->as_json,
                    "print one JSON object, coverage included");
  command
      ->add_option("--junit", options->junit,
                   "also write the results as JUnit XML")
      ->type_name("FILE");
  command->footer(kHelp);
  command->callback([options, &run] {
    run = [options] { return RunTest(*options, std::cout, std::cerr); };
  });
}

}  // namespace sgl::tools
