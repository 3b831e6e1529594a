// Proves that a failed check names its place and values and ends the process,
// and that a check that holds evaluates its condition once.

#include "base/check.h"

#include <gtest/gtest.h>

namespace sgl {
namespace {

TEST(CheckTest, HoldingConditionIsEvaluatedOnce) {
  int calls = 0;
  SGL_CHECK(++calls == 1) << "never shown";
  EXPECT_EQ(calls, 1);
}

TEST(CheckDeathTest, FailureNamesFileConditionAndMessage) {
  EXPECT_DEATH(SGL_CHECK(1 > 2) << "rule " << 7,
               "base/check_test.cc:[0-9]+: check failed: 1 > 2 rule 7");
}

TEST(CheckDeathTest, ComparisonShowsBothValues) {
  const int rows = 3;
  EXPECT_DEATH(SGL_CHECK_EQ(rows, 4) << "rows",
               "check failed: rows == 4 \\(3 vs 4\\) rows");
}

}  // namespace
}  // namespace sgl
