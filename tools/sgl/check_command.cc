// sgl check: every error and warning of a policy set, in one run.

#include "tools/sgl/check_command.h"

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/zone_loader.h"
#include "engine/policy_files.h"
#include "policy/inspect.h"
#include "policy/policy.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/terminal.h"

namespace sgl::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kHelp[] =
    "examples:\n"
    "  sgl check policy.sgl           # a file, or a folder of .sgl files\n"
    "  sgl check - < policy.sgl       # standard input\n"
    "  sgl check --json policy.sgl    # a JSON object a line, for tools\n"
    "  sgl check --verify policy.sgl  # and try the index that it compiles to\n"
    "  sgl check --cost policy.sgl    # and bound the work of one decision\n"
    "\n"
    "All files given are one policy set: the platform's and any tenants'\n"
    "layers. Each mistake comes with its line, a caret, and the fix where\n"
    "there is one; docs/diagnostics.md explains each kind, and the JSON.\n"
    "\n"
    "exit status: 0 no error (warnings are none), 1 an error, 2 bad usage";

constexpr char kStandardInput[] = "-";

// Returns `1 error`, `2 errors`.
std::string Count(int count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

// Reads the files, and standard input where `-` is among the paths.
absl::StatusOr<std::vector<SourceFile>> ReadSources(
    const std::vector<std::string>& paths, std::istream& in) {
  std::vector<std::string> files;
  bool has_input = false;
  for (const std::string& path : paths) {
    if (path == kStandardInput) {
      has_input = true;
    } else {
      files.push_back(path);
    }
  }
  std::vector<SourceFile> sources;
  if (!files.empty()) {
    absl::StatusOr<std::vector<SourceFile>> read =
        engine::ReadPolicyFiles(files);
    if (!read.ok()) return read.status();
    sources = *std::move(read);
  }
  if (!has_input) return sources;
  // Whatever is longer than a file may be is refused, however long it is.
  std::string text;
  char block[1 << 16];
  while (text.size() <= engine::kPolicyBytesMax && in.good()) {
    in.read(block, sizeof block);
    text.append(block, static_cast<size_t>(in.gcount()));
  }
  if (in.bad()) return absl::UnknownError("can't read standard input");
  sources.push_back({.name = "<stdin>", .text = std::move(text)});
  return sources;
}

Json ToJson(const Place& place) {
  return {{"file", place.file},
          {"line", place.from.line},
          {"column", place.from.column},
          {"end_line", place.to.line},
          {"end_column", place.to.column},
          {"begin", place.begin},
          {"end", place.end}};
}

Json ToJson(const Finding& finding) {
  Json json = ToJson(finding.place);
  json["severity"] = finding.severity == Severity::kError ? "error" : "warning";
  json["kind"] = std::string(finding.kind);
  json["message"] = finding.message;
  json["notes"] = Json::array();
  for (const FindingNote& note : finding.notes) {
    Json place = ToJson(note.place);
    place["message"] = note.message;
    json["notes"].push_back(std::move(place));
  }
  json["help"] = finding.helps;
  return json;
}

// Text of a file that is not UTF-8 may stand in a message or a name.
std::string Line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void WriteJson(const Compilation& compilation, std::ostream& out) {
  for (const Finding& finding : compilation.findings) {
    out << Line(ToJson(finding));
  }
  const Json counts = {{"errors", compilation.error_count},
                       {"warnings", compilation.warning_count},
                       {"shown", compilation.findings.size()}};
  out << Line({{"summary", counts}});
}

// Says how far it has come, on one line of a terminal.
bool VerifyIndex(const Program& program, std::ostream& out, std::ostream& err) {
  int64_t checked = 0;
  int64_t percent = -1;
  const std::optional<std::string> fault =
      Verify(program, [&](int64_t done, int64_t rules) {
        checked = done;
        const int64_t now = rules == 0 ? 100 : done * 100 / rules;
        if (std::exchange(percent, now) == now) return;
        err << "\rverified " << done << " of " << rules << " rules"
            << std::flush;
      });
  err << "\n";
  if (fault.has_value()) {
    out << *fault;
    return false;
  }
  out << "the index agrees with a scan of all rules, on requests made of the "
      << "constants of " << Count(static_cast<int>(checked), "rule") << "\n";
  return true;
}

}  // namespace

int RunCheck(const CheckOptions& options, std::istream& in, std::ostream& out,
             std::ostream& err) {
  const absl::StatusOr<std::vector<SourceFile>> sources =
      ReadSources(options.paths, in);
  if (!sources.ok()) {
    err << "sgl check: " << sources.status().message() << "\n";
    return kExitUsage;
  }
  const Compilation compilation =
      Compile(*sources, LoadZones(ZonesNamed(*sources)));
  if (options.is_json) {
    WriteJson(compilation, out);
  } else {
    out << ForStream(out, compilation.Render())
        << Count(compilation.error_count, "error") << ", "
        << Count(compilation.warning_count, "warning") << "\n";
  }
  if (compilation.program == nullptr) return kExitWrong;
  if (options.is_cost_shown) out << CostReport(*compilation.program);
  if (options.is_verified && !VerifyIndex(*compilation.program, out, err)) {
    return kExitWrong;
  }
  return kExitOk;
}

void AddCheckCommand(CLI::App& app, Run& run) {
  const auto options = std::make_shared<CheckOptions>();
  CLI::App* const command = app.add_subcommand(
      "check", "Reports every error and warning of a policy set in one run.");
  command
      ->add_option("PATH", options->paths,
                   "files, folders of .sgl files, or - for standard input")
      ->required()
      ->type_name("");
  command->add_flag("--json", options->is_json,
                    "print a JSON object for each diagnostic, a line each");
  command->add_flag("--verify", options->is_verified,
                    "try the index against a scan of all rules");
  command->add_flag("--cost", options->is_cost_shown,
                    "print the most work of one decision, by type");
  command->footer(kHelp);
  command->callback([options, &run] {
    run = [options] {
      return RunCheck(*options, std::cin, std::cout, std::cerr);
    };
  });
}

}  // namespace sgl::tools
