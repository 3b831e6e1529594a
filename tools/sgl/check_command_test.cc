// Proves what `sgl check` prints and how it exits: errors, warnings alone,
// nothing to say, folders, and files that aren't there.

#include "tools/sgl/check_command.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/sgl/commands.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

// A fresh folder of the test's own.
fs::path Folder() {
  const fs::path folder =
      fs::path(testing::TempDir()) /
      testing::UnitTest::GetInstance()->current_test_info()->name();
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

void Write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

TEST(CheckCommandTest, ErrorsAreShownCountedAndFail) {
  const fs::path folder = Folder();
  Write(folder / "a.sgl",
        "policy t version 1\ndefault allow\n"
        "review A when agent.teir > 1\n"
        "review B when intent.spend > 5\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({(folder / "a.sgl").string()}, out, err), kExitWrong);
  const std::string at = (folder / "a.sgl").string();
  EXPECT_EQ(out.str(),
            absl::StrCat(at,
                         ":3:21: error: unknown field `teir` of `agent` "
                         "[UnknownField]\n"
                         "  review A when agent.teir > 1\n"
                         "                      ^~~~\n"
                         "  help: did you mean `tier`?\n",
                         at,
                         ":4:28: error: cannot compare usd and int "
                         "[TypeMismatch]\n"
                         "  review B when intent.spend > 5\n"
                         "                             ^\n"
                         "  help: write `$5` for an amount\n"
                         "2 errors, 0 warnings\n"));
  EXPECT_EQ(err.str(), "");
}

TEST(CheckCommandTest, WarningsDoNotFail) {
  const fs::path folder = Folder();
  Write(folder / "a.sgl", "policy t version 1\nreview A\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({folder.string()}, out, err), kExitOk);
  EXPECT_NE(out.str().find("0 errors, 1 warning\n"), std::string::npos)
      << out.str();
}

TEST(CheckCommandTest, FoldersHoldOneSet) {
  const fs::path folder = Folder();
  Write(folder / "a.sgl", "policy a version 1\ndefault allow\nintent X {}\n");
  Write(folder / "b.sgl", "policy b version 1\nreview R on X\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({folder.string()}, out, err), kExitOk);
  EXPECT_EQ(out.str(), "0 errors, 0 warnings\n");
}

TEST(CheckCommandTest, FilesThatAreNotThereAreBadUsage) {
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({(Folder() / "none.sgl").string()}, out, err), kExitUsage);
  EXPECT_EQ(out.str(), "");
  EXPECT_NE(err.str().find("none.sgl"), std::string::npos) << err.str();
}

}  // namespace
}  // namespace sgl::tools
