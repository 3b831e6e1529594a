// Proves three things of every diagnostic: each kind is shown by a golden case
// and explained in docs/diagnostics.md with an example that draws it; and in
// each case the caret stands under the column that the first line names.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "policy/diagnostics/diagnostic.h"
#include "policy/policy.h"
#include "tests/language/golden.h"

namespace sgl::tests {
namespace {

namespace fs = std::filesystem;

// Kinds that no golden case can show.
const std::set<std::string>& Exempt() {
  static const auto* const kExempt = new std::set<std::string>{
      "SourceTooLong",  // takes a file of 32 MiB; shown by bounds_test.cc
  };
  return *kExempt;
}

// Kinds whose example would be a page of letters, or of no letters at all: the
// docs describe it in words.
const std::set<std::string>& TooLargeToShow() {
  static const auto* const kTooLarge = new std::set<std::string>{
      "SourceTooLong", "SourceNotUtf8",  "StringTooLong",
      "NameTooLong",   "NestingTooDeep",
  };
  return *kTooLarge;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Returns all golden blocks with the file that each stands in.
std::vector<std::pair<std::string, GoldenBlock>> Blocks() {
  std::vector<std::pair<std::string, GoldenBlock>> blocks;
  for (const auto& entry :
       fs::recursive_directory_iterator("tests/language/cases")) {
    if (entry.path().extension() != ".test") continue;
    const auto file = ParseGolden(ReadFile(entry.path()));
    EXPECT_TRUE(file.ok()) << entry.path();
    if (!file.ok()) continue;
    for (const GoldenBlock& block : file->blocks) {
      blocks.emplace_back(entry.path().string(), block);
    }
  }
  return blocks;
}

TEST(CoverageTest, EachKindIsShownByACase) {
  std::string expected;
  for (const auto& [file, block] : Blocks()) expected += block.expected;
  for (DiagnosticKind kind : AllKinds()) {
    const std::string name(KindName(kind));
    const bool is_shown =
        absl::StrContains(expected, absl::StrCat(" [", name, "]\n"));
    EXPECT_NE(is_shown, Exempt().contains(name)) << name;
  }
}

// Returns the code points of a text up to the first `^`, or -1.
int CaretOffset(absl::string_view line) {
  const size_t caret = line.find_first_not_of(' ');
  if (caret == absl::string_view::npos || line[caret] != '^') return -1;
  return static_cast<int>(caret);
}

TEST(CoverageTest, CaretsStandUnderTheirColumns) {
  int carets = 0;
  for (const auto& [file, block] : Blocks()) {
    const std::vector<std::string> lines = absl::StrSplit(block.expected, '\n');
    for (size_t i = 0; i + 2 < lines.size(); ++i) {
      const bool is_note = absl::StrContains(lines[i], ": note: ");
      if (!is_note && !absl::StrContains(lines[i], ": error: ") &&
          !absl::StrContains(lines[i], ": warning: ")) {
        continue;
      }
      const std::vector<std::string> head = absl::StrSplit(lines[i], ':');
      ASSERT_GE(head.size(), 4u) << lines[i];
      const int column = std::stoi(head[2]);
      const int pad = is_note ? 4 : 2;
      // A window begins with dots; its columns are tested with the renderer.
      if (absl::StartsWith(
              absl::string_view(lines[i + 1]).substr(static_cast<size_t>(pad)),
              "...")) {
        continue;
      }
      EXPECT_EQ(CaretOffset(lines[i + 2]), pad + column - 1)
          << file << ": " << lines[i];
      ++carets;
    }
  }
  EXPECT_GT(carets, 150);
}

// Reads docs/diagnostics.md: the example of each kind, empty where it has
// none.
std::map<std::string, std::string> Examples() {
  std::map<std::string, std::string> examples;
  std::string* example = nullptr;
  bool is_inside = false;
  const std::vector<std::string> lines =
      absl::StrSplit(ReadFile("docs/diagnostics.md"), '\n');
  for (const std::string& line : lines) {
    if (absl::StartsWith(line, "### ")) example = &examples[line.substr(4)];
    if (line == "```") is_inside = false;
    if (is_inside && example != nullptr) absl::StrAppend(example, line, "\n");
    if (line == "```sgl") is_inside = true;
  }
  return examples;
}

TEST(CoverageTest, EachKindIsExplainedWithAnExampleThatDrawsIt) {
  std::map<std::string, std::string> examples = Examples();
  for (DiagnosticKind kind : AllKinds()) {
    const std::string name(KindName(kind));
    ASSERT_TRUE(examples.contains(name)) << name << " is not in the docs";
    const std::string example = examples[name];
    examples.erase(name);
    EXPECT_EQ(example.empty(), TooLargeToShow().contains(name)) << name;
    if (example.empty()) continue;
    std::vector<SourceFile> sources = {
        {"example.sgl", absl::StrCat("policy example version 1\n", example)}};
    if (absl::StrContains(example, "layer tenant")) {
      sources.push_back({"platform.sgl",
                         "policy platform version 1\ndefault allow\n"
                         "intent PAY {}\n"});
    }
    const Compilation compilation = Compile(sources, {});
    EXPECT_TRUE(absl::StrContains(compilation.Render(),
                                  absl::StrCat(" [", name, "]\n")))
        << name << " is not drawn by its example:\n"
        << compilation.Render();
  }
  for (const auto& [name, example] : examples) {
    ADD_FAILURE() << "docs explain " << name << ", which is no kind";
  }
}

}  // namespace
}  // namespace sgl::tests
