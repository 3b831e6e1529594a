// Proves docs/sgl.md: every policy in it checks without an error, every request
// is decided as it says, and every diagnostic reads as it says.
//
// A fenced block's first line says what it is: `sgl` a policy, which the
// requests behind it are decided by (`sgl NAME.sgl` names it, `sgl and
// NAME.sgl` adds a file to it); `sgl wrong` one
// with mistakes; `text diagnostics` what checking that prints; `json request`
// request lines; `json decision` the decision lines they give; `text tests`
// what `sgl test --coverage` prints for the policy; `json explain` request
// lines, and `text explanation` what `sgl explain` prints for them. `sh` and
// `text output` are what a newcomer types and sees: tutorial_test.py runs them.
//
//   bazel run //tests/docs:sgl_doc_test -- --update
//
// rewrites decisions and diagnostics in the source tree; read the diff.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "tests/language/verbs.h"

namespace sgl::tests {
namespace {

bool is_updating = false;

// Runs the page's blocks in order. What a block printed waits in `output_` for
// the block that states it.
class DocRunner {
 public:
  // Returns what belongs into the block.
  std::string RunBlock(const std::string& info, const std::string& text,
                       int line) {
    SCOPED_TRACE(absl::StrCat("docs/sgl.md:", line));
    ++counts_[info];
    if (info == "sgl" ||
        (absl::EndsWith(info, ".sgl") && !absl::StartsWith(info, "sgl and "))) {
      state_.is_set_used = true;  // Begin a new set.
      name_ = info == "sgl" ? "example.sgl" : info.substr(4);
      EXPECT_EQ(Run("policy", text), "");
    } else if (absl::StartsWith(info, "sgl and ")) {
      state_.is_set_used = false;  // Join the set.
      name_ = info.substr(8);
      EXPECT_EQ(Run("policy", text), "");
    } else if (info == "sh" || info == "text output") {
      // Run by tutorial_test.py.
    } else if (info == "sgl wrong") {
      name_ = "example.sgl";
      output_ = Run("check", text);
      EXPECT_NE(output_, "ok\n");
    } else if (info == "json request") {
      output_ = Run("eval", text);
    } else if (info == "text tests") {
      return Expect(Run("test", ""), text);
    } else if (info == "json explain") {
      output_ = Run("explain", text);
    } else if (info == "json decision" || info == "text diagnostics" ||
               info == "text explanation") {
      return Expect(output_, text);
    } else {
      ADD_FAILURE() << "a block of no known kind: `" << info << "`";
    }
    return text;
  }

  int count(const std::string& info) { return counts_[info]; }

 private:
  // Returns what belongs into a block that states `output`.
  static std::string Expect(const std::string& output,
                            const std::string& text) {
    if (!is_updating) {
      EXPECT_EQ(output, text);
    }
    return output;
  }

  std::string Run(const std::string& verb, const std::string& input) {
    GoldenBlock block;
    block.verb = verb;
    block.input = input;
    if (verb != "eval" && verb != "explain") block.args = {name_};
    if (verb == "test") block.args = {"coverage"};
    return RunVerb(block, state_);
  }

  VerbState state_;
  std::string name_;
  std::string output_;
  std::map<std::string, int> counts_;
};

TEST(SglDocTest, ExamplesDoWhatThePageSays) {
  const char* const workspace = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  const std::string path = is_updating && workspace != nullptr
                               ? absl::StrCat(workspace, "/docs/sgl.md")
                               : "docs/sgl.md";
  std::ifstream stream(path);
  ASSERT_TRUE(stream.is_open());
  std::ostringstream page;
  DocRunner runner;
  std::string line;
  int number = 0;
  while (std::getline(stream, line)) {
    ++number;
    page << line << "\n";
    if (!absl::StartsWith(line, "```")) continue;
    const std::string info = line.substr(3);
    const int begin = number;
    std::string text;
    while (std::getline(stream, line) && line != "```") {
      ++number;
      absl::StrAppend(&text, line, "\n");
    }
    ++number;
    page << runner.RunBlock(info, text, begin) << "```\n";
  }
  // The page was read as it is meant: its blocks were found.
  EXPECT_GE(runner.count("sgl"), 4);
  EXPECT_GE(runner.count("json decision"), 5);
  EXPECT_GE(runner.count("text diagnostics"), 1);
  EXPECT_GE(runner.count("text tests"), 2);
  EXPECT_EQ(runner.count("json decision"), runner.count("json request"));
  if (is_updating) std::ofstream(path) << page.str();
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
