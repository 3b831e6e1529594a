// Proves what `sgl check` prints and how it exits: errors, warnings alone,
// nothing to say, folders, standard input, and files that aren't there; and
// what --json prints, to the letter, for programs read it.

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
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({.paths = {(folder / "a.sgl").string()}}, in, out, err),
            kExitWrong);
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
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({.paths = {folder.string()}}, in, out, err), kExitOk);
  EXPECT_NE(out.str().find("0 errors, 1 warning\n"), std::string::npos)
      << out.str();
}

TEST(CheckCommandTest, FoldersHoldOneSet) {
  const fs::path folder = Folder();
  Write(folder / "a.sgl", "policy a version 1\ndefault allow\nintent X {}\n");
  Write(folder / "b.sgl", "policy b version 1\nreview R on X\n");
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({.paths = {folder.string()}}, in, out, err), kExitOk);
  EXPECT_EQ(out.str(), "0 errors, 0 warnings\n");
}

TEST(CheckCommandTest, ADashIsStandardInput) {
  std::istringstream in(
      "policy t version 1\ndefault allow\nreview A when agent.teir > 1\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({.paths = {"-"}}, in, out, err), kExitWrong);
  EXPECT_EQ(out.str(),
            "<stdin>:3:21: error: unknown field `teir` of `agent` "
            "[UnknownField]\n"
            "  review A when agent.teir > 1\n"
            "                      ^~~~\n"
            "  help: did you mean `tier`?\n"
            "1 error, 0 warnings\n");
}

TEST(CheckCommandTest, StandardInputJoinsTheFilesGiven) {
  const fs::path folder = Folder();
  Write(folder / "a.sgl", "policy a version 1\ndefault allow\nintent X {}\n");
  std::istringstream in("policy b version 1\nreview R on X\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({.paths = {folder.string(), "-"}}, in, out, err), kExitOk);
  EXPECT_EQ(out.str(), "0 errors, 0 warnings\n");
}

// Columns count code points and `begin` bytes: an e with an acute accent is
// one column and two bytes.
TEST(CheckCommandTest, JsonHasALineADiagnosticAndASummary) {
  std::istringstream in(
      "policy t version 1\ndefault allow\nreview A \"\xC3\xA9\" when "
      "agent.teir > 1\nreview A when agent.tier >= 1 or agent.tier < 1\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({.paths = {"-"}, .is_json = true}, in, out, err),
            kExitWrong);
  EXPECT_EQ(
      out.str(),
      R"({"file":"<stdin>","line":3,"column":25,"end_line":3,"end_column":29,)"
      R"("begin":58,"end":62,"severity":"error","kind":"UnknownField",)"
      R"("message":"unknown field `teir` of `agent`","notes":[],)"
      R"("help":["did you mean `tier`?"]})"
      "\n"
      R"({"file":"<stdin>","line":4,"column":8,"end_line":4,"end_column":9,)"
      R"("begin":74,"end":75,"severity":"error","kind":"DuplicateCode",)"
      R"("message":"a second rule with the code `A`","notes":[)"
      R"({"file":"<stdin>","line":3,"column":8,"end_line":3,"end_column":9,)"
      R"("begin":40,"end":41,"message":"the first one"}],"help":[]})"
      "\n"
      R"({"file":"<stdin>","line":4,"column":15,"end_line":4,"end_column":48,)"
      R"("begin":81,"end":114,"severity":"warning","kind":"AlwaysTrue",)"
      R"("message":"the condition of `A` is always true","notes":[],)"
      R"("help":[]})"
      "\n"
      R"({"summary":{"errors":2,"warnings":1,"shown":3}})"
      "\n");
}

TEST(CheckCommandTest, JsonOfAFineSetIsTheSummaryAlone) {
  std::istringstream in("policy t version 1\ndefault allow\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({.paths = {"-"}, .is_json = true}, in, out, err), kExitOk);
  EXPECT_EQ(out.str(),
            "{\"summary\":{\"errors\":0,\"warnings\":0,\"shown\":0}}\n");
}

// A name in Latin-1 must not end the program, nor make a line that is no JSON.
TEST(CheckCommandTest, JsonOfBytesThatAreNotUtf8IsStillJson) {
  std::istringstream in("policy t version 1\nreview \xE9\n");
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(RunCheck({.paths = {"-"}, .is_json = true}, in, out, err),
            kExitWrong);
  EXPECT_EQ(out.str().find('\xE9'), std::string::npos);
  EXPECT_NE(out.str().find("\"kind\":\"SourceNotUtf8\""), std::string::npos);
}

TEST(CheckCommandTest, FilesThatAreNotThereAreBadUsage) {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(
      RunCheck({.paths = {(Folder() / "none.sgl").string()}}, in, out, err),
      kExitUsage);
  EXPECT_EQ(out.str(), "");
  EXPECT_NE(err.str().find("none.sgl"), std::string::npos) << err.str();
}

}  // namespace
}  // namespace sgl::tools
