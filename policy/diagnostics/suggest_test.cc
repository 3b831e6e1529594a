// Proves which misspellings get a suggestion, and that a far name gets none.

#include "policy/diagnostics/suggest.h"

#include <gtest/gtest.h>

namespace sgl {
namespace {

TEST(SuggestTest, NearestNameWithinTheThreshold) {
  const std::vector<std::string> names = {"amount", "account", "to"};
  EXPECT_EQ(Suggest("amuont", names), "amount");   // a swap
  EXPECT_EQ(Suggest("accont", names), "account");  // a missing letter
  EXPECT_EQ(Suggest("ammouunt", names), "amount");
  EXPECT_EQ(Suggest("budget", names), "");
}

TEST(SuggestTest, ShortNamesNeedMoreThanChance) {
  // One edit of two letters would make any short name a suggestion.
  EXPECT_EQ(Suggest("ta", {"to"}), "");
  EXPECT_EQ(Suggest("tos", {"to"}), "to");
}

TEST(SuggestTest, CaseAloneIsAlwaysNear) {
  EXPECT_EQ(Suggest("phi", {"NONE", "PII", "PHI"}), "PHI");
}

TEST(SuggestTest, VeryLongNamesGetNone) {
  EXPECT_EQ(Suggest(std::string(1000, 'a'), {std::string(999, 'a')}), "");
}

}  // namespace
}  // namespace sgl
