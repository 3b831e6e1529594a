// Proves the language against its golden files, tests/language/cases: each
// block's output must be what the file says, to the byte. Whatever a block's
// input is, the formatter must keep its word on it.
//
//   bazel test //tests/language:language_test
//   bazel run //tests/language:language_test -- --update
//
// The second rewrites the files in the source tree; read the diff.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "policy/syntax/format_properties.h"
#include "tests/language/golden.h"
#include "tests/language/verbs.h"

namespace sgl::tests {
namespace {

namespace fs = std::filesystem;

bool is_updating = false;

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Returns the case files below the folder, sorted.
std::vector<fs::path> CaseFiles(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void CheckFile(const fs::path& path) {
  const std::string text = ReadFile(path);
  ASSERT_TRUE(absl::StartsWith(text, "# "))
      << "the first line says what the file shows";
  const absl::StatusOr<GoldenFile> file = ParseGolden(text);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_FALSE(file->blocks.empty());
  std::vector<std::string> outputs;
  VerbState state;
  for (const GoldenBlock& block : file->blocks) {
    outputs.push_back(RunVerb(block, state));
    EXPECT_EQ(BrokenFormatProperty(block.input), "")
        << path.string() << ":" << block.line;
    if (!is_updating) {
      EXPECT_EQ(outputs.back(), block.expected)
          << path.string() << ":" << block.line << ": `" << block.verb << "`";
    }
  }
  if (is_updating) {
    const std::string updated = UpdateGolden(*file, outputs);
    if (updated != text) std::ofstream(path, std::ios::binary) << updated;
  }
}

TEST(LanguageTest, CasesPrintWhatTheySay) {
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const fs::path root =
      is_updating && workspace != nullptr ? workspace : fs::current_path();
  const std::vector<fs::path> files = CaseFiles(root / "tests/language/cases");
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    SCOPED_TRACE(file.string());
    CheckFile(file);
  }
}

}  // namespace
}  // namespace sgl::tests

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    if (std::string(argv[i]) == "--update") sgl::tests::is_updating = true;
  }
  return RUN_ALL_TESTS();
}
