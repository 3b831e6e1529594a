// Proves what `sgl fmt` prints, writes and returns, on files in a folder of
// its own.

#include "tools/sgl/fmt_command.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tools/sgl/commands.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

constexpr char kUgly[] =
    "policy a version 1\ndefault   allow\nblock B when 1==2\n";
constexpr char kTidy[] =
    "policy a version 1\ndefault allow\nblock B when 1 == 2\n";

struct Result {
  int status = 0;
  std::string output;
  std::string errors;
};

Result RunFmt(const FmtOptions& options, const std::string& text = "") {
  std::istringstream input(text);
  std::ostringstream output;
  std::ostringstream errors;
  Result result;
  result.status = FormatFiles(options, input, output, errors);
  result.output = output.str();
  result.errors = errors.str();
  return result;
}

class FmtCommandTest : public testing::Test {
 protected:
  FmtCommandTest()
      : folder_(fs::path(std::getenv("TEST_TMPDIR")) /
                testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::create_directories(folder_);
  }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  static std::string Read(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  std::string folder() const { return folder_.string(); }

 private:
  const fs::path folder_;
};

TEST_F(FmtCommandTest, InputGoesToOutput) {
  for (const std::vector<std::string>& paths :
       {std::vector<std::string>{}, {"-"}}) {
    const Result result = RunFmt({.paths = paths}, kUgly);
    EXPECT_EQ(result.status, kExitOk);
    EXPECT_EQ(result.output, kTidy);
    EXPECT_EQ(result.errors, "");
  }
}

TEST_F(FmtCommandTest, FilePrintedIsNotTouched) {
  const std::string path = Write("a.sgl", kUgly);
  const Result result = RunFmt({.paths = {path}});
  EXPECT_EQ(result.status, kExitOk);
  EXPECT_EQ(result.output, kTidy);
  EXPECT_EQ(Read(path), kUgly);
}

TEST_F(FmtCommandTest, WriteReplacesWhatDiffersAndKeepsPermissions) {
  const std::string ugly = Write("a.sgl", kUgly);
  Write("b.sgl", kTidy);
  fs::permissions(ugly, fs::perms::owner_read | fs::perms::owner_write);
  const Result result = RunFmt({.paths = {folder()}, .is_write = true});
  EXPECT_EQ(result.status, kExitOk);
  EXPECT_EQ(result.output, absl::StrCat("formatted ", ugly, "\n"));
  EXPECT_EQ(Read(ugly), kTidy);
  EXPECT_EQ(fs::status(ugly).permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder()), {}), 2);
}

TEST_F(FmtCommandTest, WriteFollowsALink) {
  const std::string target = Write("a.sgl", kUgly);
  const std::string link = folder() + "/link.sgl";
  fs::create_symlink(target, link);
  EXPECT_EQ(RunFmt({.paths = {link}, .is_write = true}).status, kExitOk);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(Read(target), kTidy);
}

TEST_F(FmtCommandTest, CheckShowsTheFirstDifference) {
  const std::string path = Write("a.sgl", kUgly);
  Write("b.sgl", kTidy);
  const Result result = RunFmt({.paths = {folder()}, .is_check = true});
  EXPECT_EQ(result.status, kExitWrong);
  EXPECT_EQ(result.output,
            absl::StrCat(path, ": differs from its layout at line 2\n",
                         "  -default   allow\n  -block B when 1==2\n",
                         "  +default allow\n  +block B when 1 == 2\n"));
  EXPECT_EQ(Read(path), kUgly);
  EXPECT_EQ(RunFmt({.paths = {folder() + "/b.sgl"}, .is_check = true}).status,
            kExitOk);
}

TEST_F(FmtCommandTest, FileThatDoesNotParseIsLeftAndTheOthersAreWritten) {
  const std::string broken = Write("a.sgl", "policy a version 1\ndefault on\n");
  const std::string ugly = Write("b.sgl", kUgly);
  const Result result = RunFmt({.paths = {folder()}, .is_write = true});
  EXPECT_EQ(result.status, kExitWrong);
  EXPECT_EQ(result.errors,
            absl::StrCat(broken,
                         ":2:9: error: expected `allow`, `review` or `block`, "
                         "found `on` [UnexpectedToken]\n"
                         "  default on\n"
                         "          ^~\n"));
  EXPECT_EQ(Read(broken), "policy a version 1\ndefault on\n");
  EXPECT_EQ(Read(ugly), kTidy);
}

TEST_F(FmtCommandTest, BadUsageSaysSo) {
  const Result missing = RunFmt({.paths = {folder() + "/none.sgl"}});
  EXPECT_EQ(missing.status, kExitUsage);
  EXPECT_EQ(missing.errors, absl::StrCat("sgl fmt: policy path `", folder(),
                                         "/none.sgl` does not exist\n"));
  EXPECT_EQ(missing.output, "");
  const Result unnamed = RunFmt({.paths = {}, .is_write = true}, kUgly);
  EXPECT_EQ(unnamed.status, kExitUsage);
  EXPECT_EQ(unnamed.errors, "sgl fmt: -w writes files back: name some\n");
}

TEST(FirstDifferenceTest, EndsAtTheNearestCommonLine) {
  EXPECT_EQ(FirstDifference("a\nb\nc\n", "a\nb\nc\n"), "");
  EXPECT_EQ(FirstDifference("a\nb\nc\nd\n", "a\nx\ny\nc\nz\n"),
            "differs from its layout at line 2\n  -b\n  +x\n  +y\n");
  EXPECT_EQ(FirstDifference("a\n\n\nb\n", "a\n\nb\n"),
            "differs from its layout at line 3\n  -\n");
  EXPECT_EQ(FirstDifference("a", "a\n"),
            "differs from its layout at line 2\n  +\n");
}

}  // namespace
}  // namespace sgl::tools
