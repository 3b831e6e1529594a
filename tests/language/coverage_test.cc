// Proves of every diagnostic that a golden case shows it, and that its entry in
// docs/diagnostics.md is true: its example draws it, and the mended example
// below `Fix:` compiles without it and without any error. Proves of every
// golden case that the caret stands under the column that the first line names.

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

#include "base/zone_loader.h"
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

// What docs/diagnostics.md says of a kind; the texts are empty where it has
// none.
struct Entry {
  std::string fix;      // the sentence behind `Fix: `
  std::string example;  // the ```sgl block
  std::string mended;   // the ```sgl fixed block
};

// The page: an entry by kind, and the platform's file that its tenants'
// examples stand beside.
struct Page {
  std::map<std::string, Entry> entries;
  std::string platform;
};

Page ReadPage() {
  Page page;
  Entry* entry = nullptr;
  std::string* block = nullptr;
  const std::vector<std::string> lines =
      absl::StrSplit(ReadFile("docs/diagnostics.md"), '\n');
  for (const std::string& line : lines) {
    if (line == "```") {
      block = nullptr;
    } else if (block != nullptr) {
      absl::StrAppend(block, line, "\n");
    } else if (line == "```sgl platform.sgl") {
      block = &page.platform;
    } else if (absl::StartsWith(line, "### ")) {
      entry = &page.entries[line.substr(4)];
    } else if (entry == nullptr) {
      continue;
    } else if (absl::StartsWith(line, "Fix: ")) {
      entry->fix = line.substr(5);
    } else if (line == "```sgl") {
      block = &entry->example;
    } else if (line == "```sgl fixed") {
      block = &entry->mended;
    }
  }
  return page;
}

// Compiles lines as the page says that they stand.
Compilation CompileLines(const Page& page, const std::string& lines) {
  std::vector<SourceFile> sources = {
      {"example.sgl", absl::StrCat("policy example version 1\n", lines)}};
  if (absl::StartsWith(lines, "layer tenant \"acme\"\n")) {
    sources.push_back({"platform.sgl", page.platform});
  }
  return Compile(sources, LoadZones(ZonesNamed(sources)));
}

std::set<std::string> KindsOf(const Compilation& compilation) {
  std::set<std::string> kinds;
  for (const Finding& finding : compilation.findings) {
    kinds.emplace(finding.kind);
  }
  return kinds;
}

TEST(CoverageTest, EachKindIsExplained) {
  std::map<std::string, Entry> entries = ReadPage().entries;
  for (DiagnosticKind kind : AllKinds()) {
    const std::string name(KindName(kind));
    ASSERT_TRUE(entries.contains(name)) << name << " is not in the docs";
    const Entry& entry = entries[name];
    EXPECT_TRUE(absl::EndsWith(entry.fix, ".")) << name << ": " << entry.fix;
    EXPECT_EQ(entry.example.empty(), TooLargeToShow().contains(name)) << name;
    EXPECT_EQ(entry.mended.empty(), entry.example.empty()) << name;
    entries.erase(name);
  }
  for (const auto& [name, entry] : entries) {
    ADD_FAILURE() << "docs explain " << name << ", which is no kind";
  }
}

TEST(CoverageTest, ExamplesDrawTheirKindAndMendedOnesDoNot) {
  const Page page = ReadPage();
  for (const auto& [name, entry] : page.entries) {
    if (entry.example.empty()) continue;
    const Compilation before = CompileLines(page, entry.example);
    std::set<std::string> allowed = KindsOf(before);
    EXPECT_EQ(allowed.erase(name), 1u)
        << name << " is not drawn by its example:\n"
        << before.Render();
    const Compilation after = CompileLines(page, entry.mended);
    EXPECT_EQ(after.error_count, 0) << name << ", mended:\n" << after.Render();
    for (const std::string& kind : KindsOf(after)) {
      EXPECT_TRUE(allowed.contains(kind))
          << name << ", mended, draws " << kind << ":\n"
          << after.Render();
    }
  }
}

}  // namespace
}  // namespace sgl::tests
