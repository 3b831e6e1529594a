// Proves that the compiled program and the reference evaluator decide alike on
// everything that is written down: the golden cases of the language, and the
// 5,000 requests of the shipped platform policy.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/differential/pair.h"
#include "tests/language/golden.h"

namespace sgl::tests {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Returns how many lines were compared.
int CompareLines(const BothPolicies& both, const std::string& lines) {
  int count = 0;
  for (const absl::string_view line :
       absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    EXPECT_EQ(CompareOnLine(both, line), "") << line;
    ++count;
  }
  return count;
}

TEST(AgreementTest, GoldenCasesAreDecidedAlike) {
  int compared = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator("tests/language/cases")) {
    if (entry.path().extension() != ".test") continue;
    SCOPED_TRACE(entry.path().string());
    const auto golden = ParseGolden(ReadFile(entry.path()));
    ASSERT_TRUE(golden.ok());
    std::vector<SourceFile> sources;
    bool is_used = false;
    for (const GoldenBlock& block : golden->blocks) {
      if (block.verb == "policy") {
        if (is_used) sources.clear();
        is_used = false;
        sources.push_back(
            {block.args.empty() ? "case" : block.args[0], block.input});
      }
      if (block.verb != "eval") continue;
      is_used = true;
      const BothPolicies both = CompileBoth(sources);
      if (both.program == nullptr) continue;
      compared += CompareLines(both, block.input);
    }
  }
  EXPECT_GT(compared, 100);
}

TEST(AgreementTest, PlatformRequestsAreDecidedAlike) {
  const std::vector<SourceFile> sources = {
      {"atlas.sgl", ReadFile("policy/library/atlas.sgl")}};
  const BothPolicies both = CompileBoth(sources);
  ASSERT_NE(both.program, nullptr) << both.diagnostics;
  EXPECT_EQ(
      CompareLines(both, ReadFile("tests/data/atlas/atlas_requests.jsonl")),
      5'000);
}

}  // namespace
}  // namespace sgl::tests
