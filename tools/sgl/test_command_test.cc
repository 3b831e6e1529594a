// Proves what `sgl test` prints, writes and exits with: failures that say what
// differs and where, coverage, JSON, JUnit.

#include "tools/sgl/test_command.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tools/sgl/commands.h"

namespace sgl::tools {
namespace {

constexpr char kPolicy[] = R"sgl(policy p version 1
default allow
intent PAY { to: string }
review BIG "spend of ${intent.spend}" on PAY when intent.spend >= $250
block SANCTIONED on PAY when payload.to starts_with "IR"
review ALWAYS risk 1

test "big is \"reviewed\" & <shown>" {
  given { intent: { type: PAY, spend: $900, payload: { to: "IR1" } } }
  expect review [BIG, ALWAYS]
}
test "fits" {
  given { intent: { type: PAY, payload: { to: "US1" } } }
  expect review [ALWAYS]
}
)sgl";

class TestCommandTest : public testing::Test {
 protected:
  TestCommandTest() {
    folder_ = std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
    std::filesystem::current_path(folder_);
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  std::string Read(const std::string& name) {
    std::ifstream file(folder_ / name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  int Run(const TestOptions& options) {
    std::ostringstream out;
    std::ostringstream err;
    const int status = RunTest(options, out, err);
    out_ = out.str();
    err_ = err.str();
    return status;
  }

  std::filesystem::path folder_;
  std::string out_;
  std::string err_;
};

TEST_F(TestCommandTest, AFailureSaysWhatDiffersAndWhere) {
  Write("p.sgl", kPolicy);
  EXPECT_EQ(Run({.paths = {"p.sgl"}}), kExitWrong);
  EXPECT_EQ(out_,
            "p.sgl:9:9: FAILED \"big is \"reviewed\" & <shown>\"\n"
            "  expected REVIEW [ALWAYS, BIG]\n"
            "  got      BLOCK [SANCTIONED]\n"
            "  missing  ALWAYS, BIG\n"
            "  came     SANCTIONED at p.sgl:5:7\n"
            "  given    { intent: { type: PAY, spend: $900, payload: { to: "
            "\"IR1\" } } }\n"
            "2 tests: 1 passed, 1 failed\n");
}

TEST_F(TestCommandTest, CoverageListsWhatNoTestReaches) {
  Write("p.sgl",
        "policy p version 1\ndefault allow\nintent A {}\nintent B {}\n"
        "review NEVER on B\nreview ON_A on A\nblock ALL\n"
        "limit FEW 1 per agent per 1d on A else review\n"
        "test \"t\" { given { intent: { type: A } } expect block [ALL] }\n");
  EXPECT_EQ(Run({.paths = {"p.sgl"}, .with_coverage = true}), kExitOk);
  EXPECT_EQ(out_,
            "never applied:\n"
            "  p.sgl:5:8: NEVER\n"
            "  p.sgl:8:7: FEW\n"
            "never not applied:\n"
            "  p.sgl:6:8: ON_A\n"
            "1 of 4 rules covered: 25.0 %\n"
            "1 test: 1 passed, 0 failed\n");
}

TEST_F(TestCommandTest, JsonHoldsTheSame) {
  Write("p.sgl", kPolicy);
  EXPECT_EQ(Run({.paths = {"p.sgl"}, .as_json = true}), kExitWrong);
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["tests"], 2);
  EXPECT_EQ(json["failed"], 1);
  EXPECT_EQ(json["results"][0]["failures"][0]["missing"],
            nlohmann::json({"ALWAYS", "BIG"}));
  EXPECT_EQ(json["results"][0]["failures"][0]["unexpected"][0]["code"],
            "SANCTIONED");
  EXPECT_EQ(json["coverage"][1]["applied"], 1);
  EXPECT_EQ(json["coverage"][1]["not_applied"], 1);
}

TEST_F(TestCommandTest, JunitIsWellFormed) {
  Write("p.sgl", kPolicy);
  EXPECT_EQ(Run({.paths = {"p.sgl"}, .junit = "r.xml"}), kExitWrong);
  EXPECT_EQ(
      Read("r.xml"),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites tests=\"2\" failures=\"1\">\n"
      "  <testsuite name=\"p.sgl\" tests=\"2\" failures=\"1\">\n"
      "    <testcase classname=\"p.sgl\" name=\"big is &quot;reviewed&quot; "
      "&amp; &lt;shown&gt;\">\n"
      "      <failure message=\"expected REVIEW [ALWAYS, BIG], got BLOCK "
      "[SANCTIONED]\">p.sgl:9:9: FAILED &quot;big is &quot;reviewed&quot; "
      "&amp; &lt;shown&gt;&quot;&#10;  expected REVIEW [ALWAYS, BIG]&#10;  got "
      "     BLOCK [SANCTIONED]&#10;  missing  ALWAYS, BIG&#10;  came     "
      "SANCTIONED at p.sgl:5:7&#10;  given    { intent: { type: PAY, spend: "
      "$900, payload: { to: &quot;IR1&quot; } } }&#10;</failure>\n"
      "    </testcase>\n"
      "    <testcase classname=\"p.sgl\" name=\"fits\"/>\n"
      "  </testsuite>\n"
      "</testsuites>\n");
}

TEST_F(TestCommandTest, ExitStatuses) {
  Write("good.sgl", "policy p version 1\ndefault allow\n");
  Write("bad.sgl", "policy p version 1\ndefault alow\n");
  EXPECT_EQ(Run({.paths = {"good.sgl"}}), kExitOk);
  EXPECT_EQ(out_, "0 tests: 0 passed, 0 failed\n");
  EXPECT_EQ(Run({.paths = {"bad.sgl"}}), kExitWrong);
  EXPECT_EQ(out_, "");
  EXPECT_NE(err_, "");
  EXPECT_EQ(Run({.paths = {"none.sgl"}}), kExitUsage);
  EXPECT_EQ(Run({.paths = {"good.sgl"}, .junit = "no/such/folder"}),
            kExitUsage);
}

}  // namespace
}  // namespace sgl::tools
