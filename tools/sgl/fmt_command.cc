// sgl fmt: the one layout of policy files.

#include "tools/sgl/fmt_command.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include "engine/policy_files.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/source/source.h"
#include "policy/syntax/formatter.h"
#include "tools/sgl/commands.h"
#include "tools/sgl/terminal.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

// How far FirstDifference looks for a line that both texts have, and how many
// lines of each it shows: a hint of what is wrong, not a patch.
constexpr size_t kDifferenceLinesMax = 6;

constexpr char kStandardInput[] = "<stdin>";

constexpr char kHelp[] = "Lays policy files out in the one layout.";

constexpr char kFooter[] =
    "examples:\n"
    "  sgl fmt policy.sgl             # print the layout\n"
    "  sgl fmt -w policy.sgl          # write the file back, or a folder's\n"
    "  sgl fmt --check policy.sgl     # say what differs, and where\n"
    "  sgl fmt policy.sgl | diff -u policy.sgl -  # all that differs\n"
    "  sgl fmt < policy.sgl           # format standard input\n"
    "\n"
    "Comments and single blank lines stay. A file that does not parse is\n"
    "left as it is.\n"
    "\n"
    "exit status: 0 done, 1 a file does not parse or (--check) differs,\n"
    "2 bad usage";

// Replaces a file at once, so that no reader and no crash meets half of it.
absl::Status Replace(const std::string& path, const std::string& text) {
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  const fs::path draft = absl::StrCat(target.string(), ".", getpid(), ".draft");
  std::ofstream stream;
  if (!error) stream.open(draft, std::ios::binary);
  stream << text;
  stream.close();
  const bool is_written = !error && !stream.fail();
  if (is_written) {
    const fs::file_status status = fs::status(target, error);
    if (!error) fs::permissions(draft, status.permissions(), error);
    if (!error) fs::rename(draft, target, error);
  }
  if (is_written && !error) return absl::OkStatus();
  std::error_code ignored;
  fs::remove(draft, ignored);
  return absl::UnavailableError(absl::StrCat("can't write `", path, "`"));
}

// Formats files one after another and keeps the worst exit status.
class Formatting {
 public:
  Formatting(const FmtOptions& options, std::ostream& output,
             std::ostream& errors)
      : options_(options), output_(output), errors_(errors) {}

  void Add(const SourceFile& source) {
    SourceSet sources;
    const FileId file = sources.Add(source.name, source.text);
    Diagnostics diagnostics;
    const std::optional<std::string> text = Format(sources, file, diagnostics);
    if (!text.has_value()) {
      errors_ << ForStream(errors_, RenderAll(sources, diagnostics));
      return Worsen(kExitWrong);
    }
    if (options_.is_check) return Compare(source, *text);
    if (!options_.is_write) {
      output_ << *text;
    } else if (*text != source.text) {
      Write(source, *text);
    }
  }

  // Reports what can't be read or written.
  void Fail(absl::string_view message) {
    errors_ << "sgl fmt: " << message << "\n";
    Worsen(kExitUsage);
  }

  int status() const { return status_; }

 private:
  void Worsen(int status) { status_ = std::max(status_, status); }

  void Compare(const SourceFile& source, const std::string& text) {
    if (text == source.text) return;
    output_ << source.name << ": " << FirstDifference(source.text, text);
    Worsen(kExitWrong);
  }

  void Write(const SourceFile& source, const std::string& text) {
    const absl::Status written = Replace(source.name, text);
    if (!written.ok()) return Fail(written.message());
    output_ << "formatted " << source.name << "\n";
  }

  const FmtOptions& options_;
  std::ostream& output_;
  std::ostream& errors_;
  int status_ = kExitOk;
};

}  // namespace

std::string FirstDifference(absl::string_view before, absl::string_view after) {
  if (before == after) return "";
  const std::vector<absl::string_view> old_lines = absl::StrSplit(before, '\n');
  const std::vector<absl::string_view> new_lines = absl::StrSplit(after, '\n');
  const size_t shorter = std::min(old_lines.size(), new_lines.size());
  size_t first = 0;
  while (first < shorter && old_lines[first] == new_lines[first]) ++first;
  size_t old_count = std::min(old_lines.size() - first, kDifferenceLinesMax);
  size_t new_count = std::min(new_lines.size() - first, kDifferenceLinesMax);
  // The nearest line that both have ends the difference; blank ones are many.
  for (size_t sum = 1; sum < old_count + new_count; ++sum) {
    for (size_t i = 0; i <= sum; ++i) {
      const size_t j = sum - i;
      if (i >= old_count || j >= new_count) continue;
      const absl::string_view line = old_lines[first + i];
      if (line.empty() || line != new_lines[first + j]) continue;
      old_count = i;
      new_count = j;
    }
  }
  while (old_count > 0 && new_count > 0 &&
         old_lines[first + old_count - 1] == new_lines[first + new_count - 1]) {
    --old_count;
    --new_count;
  }
  std::string text =
      absl::StrCat("differs from its layout at line ", first + 1, "\n");
  for (size_t i = 0; i < old_count; ++i) {
    absl::StrAppend(&text, "  -", old_lines[first + i], "\n");
  }
  for (size_t i = 0; i < new_count; ++i) {
    absl::StrAppend(&text, "  +", new_lines[first + i], "\n");
  }
  return text;
}

int FormatFiles(const FmtOptions& options, std::istream& input,
                std::ostream& output, std::ostream& errors) {
  Formatting formatting(options, output, errors);
  std::vector<std::string> paths = options.paths;
  const auto dashes = std::remove(paths.begin(), paths.end(), "-");
  const bool reads_input = paths.empty() || dashes != paths.end();
  paths.erase(dashes, paths.end());
  if (reads_input && options.is_write) {
    formatting.Fail("-w writes files back: name some");
    return formatting.status();
  }
  if (!paths.empty()) {
    const absl::StatusOr<std::vector<SourceFile>> sources =
        engine::ReadPolicyFiles(paths);
    if (!sources.ok()) {
      formatting.Fail(sources.status().message());
      return formatting.status();
    }
    for (const SourceFile& source : *sources) formatting.Add(source);
  }
  if (reads_input) {
    std::ostringstream text;
    text << input.rdbuf();
    formatting.Add({kStandardInput, text.str()});
  }
  output.flush();
  return formatting.status();
}

void AddFmtCommand(CLI::App& app, Run& run) {
  const auto options = std::make_shared<FmtOptions>();
  CLI::App* const command = app.add_subcommand("fmt", kHelp);
  command
      ->add_option("PATH", options->paths,
                   "files, or folders of .sgl files; standard input where left "
                   "out, or `-`")
      ->type_name("");
  CLI::Option* const check = command->add_flag(
      "--check", options->is_check,
      "only list the files that differ, with the first difference of each");
  command->add_flag("-w", options->is_write, "write the files back")
      ->excludes(check);
  command->footer(kFooter);
  command->callback([options, &run] {
    run = [options] {
      return FormatFiles(*options, std::cin, std::cout, std::cerr);
    };
  });
}

}  // namespace sgl::tools
