// Proves that one value of a payload changes and no other: replaced, added,
// left out, inside lists; and that a path to nowhere gives nothing.

#include "policy/eval/payload_edit.h"

#include <gtest/gtest.h>

namespace sgl {
namespace {

constexpr char kPayload[] =
    R"({"a": "x\"\n", "b": {"c": 1.50, "d": null}, "l": [{"p": 1}, {"p": 2}],)"
    R"( "t": true, "e": {}, "f": []})";

std::optional<std::string> Edit(const std::vector<PayloadStep>& path,
                                const std::optional<std::string>& replacement) {
  const auto document = ParseJson(kPayload, 10);
  EXPECT_TRUE(document.ok());
  return EditPayload(*document, path, replacement);
}

TEST(PayloadEditTest, ReplacesOneValueAndKeepsNumbersAsSpelled) {
  EXPECT_EQ(Edit({{"b"}, {"d"}}, "7"),
            R"({"a": "x\"\n", "b": {"c": 1.50, "d": 7}, "l": [{"p": 1}, )"
            R"({"p": 2}], "t": true, "e": {}, "f": []})");
}

TEST(PayloadEditTest, ReachesIntoLists) {
  EXPECT_EQ(Edit({{"l"}, {"", 1}, {"p"}}, "9"),
            R"({"a": "x\"\n", "b": {"c": 1.50, "d": null}, "l": [{"p": 1}, )"
            R"({"p": 9}], "t": true, "e": {}, "f": []})");
}

TEST(PayloadEditTest, LeavesAMemberOutWithItsComma) {
  EXPECT_EQ(Edit({{"a"}}, std::nullopt),
            R"({"b": {"c": 1.50, "d": null}, "l": [{"p": 1}, {"p": 2}], )"
            R"("t": true, "e": {}, "f": []})");
}

TEST(PayloadEditTest, AddsAMemberWhereItsObjectIs) {
  EXPECT_EQ(Edit({{"e"}, {"new"}}, R"("v")"),
            R"({"a": "x\"\n", "b": {"c": 1.50, "d": null}, "l": [{"p": 1}, )"
            R"({"p": 2}], "t": true, "e": {"new": "v"}, "f": []})");
}

TEST(PayloadEditTest, APathToNowhereGivesNothing) {
  EXPECT_EQ(Edit({{"z"}, {"y"}}, "1"), std::nullopt);
  EXPECT_EQ(Edit({{"l"}, {"", 2}, {"p"}}, "1"), std::nullopt);
  EXPECT_EQ(Edit({{"z"}}, std::nullopt), std::nullopt);
  EXPECT_EQ(Edit({{"a"}, {"y"}}, "1"), std::nullopt);
  EXPECT_EQ(Edit({}, "1"), std::nullopt);
}

}  // namespace
}  // namespace sgl
