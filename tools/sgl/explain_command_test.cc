// Proves how `sgl explain` reads its input, what forms it prints and how it
// exits. What it says of each construct is proved by tests/language/cases.

#include "tools/sgl/explain_command.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tools/sgl/commands.h"

namespace sgl::tools {
namespace {

namespace fs = std::filesystem;

constexpr char kPolicy[] =
    "policy t version 1\n"
    "default allow\n"
    "intent WIRE {}\n"
    "review DEAR when intent.spend >= $250\n"
    "limit ONCE 1 per tenant per 1h else block\n";

constexpr char kWire[] = R"({"intent": {"type": "WIRE", "spend_usd": 9}})"
                         "\n";

// What one run gave.
struct Given {
  int status = 0;
  std::string out;
  std::string err;
};

// A policy file of the test's own.
std::string PolicyFile(const std::string& text) {
  const fs::path path =
      fs::path(testing::TempDir()) /
      absl::StrCat(
          testing::UnitTest::GetInstance()->current_test_info()->name(),
          ".sgl");
  std::ofstream(path, std::ios::binary) << text;
  return path.string();
}

Given Explain(ExplainOptions options, const std::string& input) {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  Given given;
  given.status = RunExplain(options, in, out, err);
  given.out = out.str();
  given.err = err.str();
  return given;
}

TEST(ExplainCommandTest, TextSaysWhatDecidedAndWhatWouldHelp) {
  const std::string file = PolicyFile(kPolicy);
  const Given given = Explain(
      {.policies = {file}}, R"({"intent": {"type": "WIRE", "spend_usd": 900}})"
                            "\n");
  EXPECT_EQ(given.status, kExitOk);
  EXPECT_EQ(given.err, "");
  EXPECT_EQ(given.out,
            absl::StrCat("REVIEW by DEAR\n"
                         "* review DEAR applied (",
                         file,
                         ":4:8)\n"
                         "    intent.spend >= $250 is true; "
                         "intent.spend = $900\n"
                         "  limit block ONCE not exceeded (",
                         file,
                         ":5:7)\n"
                         "    total > 1 is false; total = 1, this intent = 1\n"
                         "it would be ALLOW with intent.spend = $249.99 "
                         "instead of $900\n"));
}

TEST(ExplainCommandTest, JsonIsOneLineEachAndLimitsCountOverTheInput) {
  const Given given = Explain(
      {.policies = {PolicyFile(kPolicy)}, .input = "-", .is_json = true},
      absl::StrCat(kWire, "\n", kWire));
  EXPECT_EQ(given.status, kExitOk);
  std::istringstream lines(given.out);
  std::string line;
  std::vector<nlohmann::json> objects;
  while (std::getline(lines, line)) {
    objects.push_back(nlohmann::json::parse(line));
  }
  ASSERT_EQ(objects.size(), 2u);
  EXPECT_EQ(objects[0]["decision"]["decision"], "ALLOW");
  EXPECT_FALSE(objects[0].contains("milder"));
  EXPECT_EQ(objects[1]["decision"]["decision"], "BLOCK");
  EXPECT_EQ(objects[1]["rules"][1]["outcome"], "applied");
  EXPECT_EQ(objects[1]["rules"][1]["limit"], true);
  EXPECT_EQ(objects[1]["rules"][1]["parts"][0]["seen"][0]["value"], "2");
}

TEST(ExplainCommandTest, ALineThatIsNoRequestIsAnErrorInItsPlace) {
  const Given given =
      Explain({.policies = {PolicyFile(kPolicy)}, .is_json = true},
              absl::StrCat("{}\n", kWire));
  EXPECT_EQ(given.status, kExitWrong);
  EXPECT_EQ(given.out.rfind("{\"error\": ", 0), 0u) << given.out;
  EXPECT_NE(given.out.find("\n{\"decision\": "), std::string::npos);
}

TEST(ExplainCommandTest, APolicyWithErrorsExplainsNothing) {
  const Given given = Explain(
      {.policies = {PolicyFile("policy t version 1\nallow A when x\n")}},
      kWire);
  EXPECT_EQ(given.status, kExitWrong);
  EXPECT_EQ(given.out, "");
  EXPECT_NE(given.err.find("error"), std::string::npos);
}

TEST(ExplainCommandTest, FilesThatAreNotThereAreBadUsage) {
  EXPECT_EQ(Explain({.policies = {"/nowhere.sgl"}}, kWire).status, kExitUsage);
  const Given given = Explain(
      {.policies = {PolicyFile(kPolicy)}, .input = "/nowhere.jsonl"}, kWire);
  EXPECT_EQ(given.status, kExitUsage);
  EXPECT_EQ(given.err, "sgl explain: can't read `/nowhere.jsonl`\n");
}

}  // namespace
}  // namespace sgl::tools
