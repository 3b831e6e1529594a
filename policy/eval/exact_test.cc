// Proves that numbers convert by value, exactly or rounded half to even, and
// that nothing outside int64 passes.

#include "policy/eval/exact.h"

#include <gtest/gtest.h>

#include <limits>

namespace sgl {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

TEST(ExactTest, JsonNumbersConvertByValue) {
  const struct {
    const char* text;
    int decimals;
    Decimals treatment;
    NumberFit fit;
    int64_t value;
  } kCases[] = {
      {"2.0", 0, Decimals::kExact, NumberFit::kFits, 2},
      {"2.5", 0, Decimals::kExact, NumberFit::kTooPrecise, 0},
      {"20e-1", 0, Decimals::kExact, NumberFit::kFits, 2},
      {"0.2E+1", 0, Decimals::kExact, NumberFit::kFits, 2},
      {"-0", 0, Decimals::kExact, NumberFit::kFits, 0},
      {"0e999999999999", 0, Decimals::kExact, NumberFit::kFits, 0},
      {"1e400", 0, Decimals::kExact, NumberFit::kTooLarge, 0},
      {"1e-400", 0, Decimals::kExact, NumberFit::kTooPrecise, 0},
      {"1e-400", 9, Decimals::kHalfEven, NumberFit::kFits, 0},
      {"1e99999999999999999999", 0, Decimals::kExact, NumberFit::kTooLarge, 0},
      {"9223372036854775807", 0, Decimals::kExact, NumberFit::kFits, kMax},
      {"9223372036854775808", 0, Decimals::kExact, NumberFit::kTooLarge, 0},
      {"-9223372036854775808", 0, Decimals::kExact, NumberFit::kFits, kMin},
      {"-9223372036854775809", 0, Decimals::kExact, NumberFit::kTooLarge, 0},
      {"5.0000000", 6, Decimals::kExact, NumberFit::kFits, 5'000'000},
      {"0.0000001", 6, Decimals::kExact, NumberFit::kTooPrecise, 0},
      {"250.000001", 6, Decimals::kExact, NumberFit::kFits, 250'000'001},
      {"9223372036854.775807", 6, Decimals::kExact, NumberFit::kFits, kMax},
      {"9223372036854.775808", 6, Decimals::kExact, NumberFit::kTooLarge, 0},
      {"0.12345678949999999", 9, Decimals::kHalfEven, NumberFit::kFits,
       123456789},
      {"0.1234567885", 9, Decimals::kHalfEven, NumberFit::kFits, 123456788},
      {"0.1234567895", 9, Decimals::kHalfEven, NumberFit::kFits, 123456790},
      {"0.12345678850001", 9, Decimals::kHalfEven, NumberFit::kFits, 123456789},
      {"-0.1234567895", 9, Decimals::kHalfEven, NumberFit::kFits, -123456790},
      {"0.0000000005", 9, Decimals::kHalfEven, NumberFit::kFits, 0},
      {"0.0000000006", 9, Decimals::kHalfEven, NumberFit::kFits, 1},
      {"0.00000000006", 9, Decimals::kHalfEven, NumberFit::kFits, 0},
      {"9223372036.8547758075", 9, Decimals::kHalfEven, NumberFit::kTooLarge,
       0},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.text);
    int64_t value = 0;
    EXPECT_EQ(ReadNumber(test.text, test.decimals, test.treatment, &value),
              test.fit);
    if (test.fit == NumberFit::kFits) {
      EXPECT_EQ(value, test.value);
    }
  }
}

TEST(ExactTest, OverflowIsNothing) {
  EXPECT_EQ(CheckedAdd(kMax, 1), std::nullopt);
  EXPECT_EQ(CheckedAdd(kMax, -1), kMax - 1);
  EXPECT_EQ(CheckedSubtract(kMin, 1), std::nullopt);
  EXPECT_EQ(CheckedMultiply(kMax, 2), std::nullopt);
  EXPECT_EQ(CheckedMultiply(kMin, -1), std::nullopt);
  EXPECT_EQ(CheckedNegate(kMin), std::nullopt);
  EXPECT_EQ(CheckedNegate(kMax), -kMax);
  EXPECT_EQ(CheckedMultiplyDecimal(kMax, kDecimalOne), kMax);
  EXPECT_EQ(CheckedMultiplyDecimal(kMax, kDecimalOne + 1), std::nullopt);
}

TEST(ExactTest, ProductsRoundHalfToEven) {
  EXPECT_EQ(CheckedMultiplyDecimal(1, kDecimalOne / 2), 0);
  EXPECT_EQ(CheckedMultiplyDecimal(3, kDecimalOne / 2), 2);
  EXPECT_EQ(CheckedMultiplyDecimal(5, kDecimalOne / 2), 2);
  EXPECT_EQ(CheckedMultiplyDecimal(-3, kDecimalOne / 2), -2);
  EXPECT_EQ(CheckedMultiplyDecimal(-5, kDecimalOne / 2), -2);
  EXPECT_EQ(CheckedMultiplyDecimal(1, 500'000'001), 1);
  EXPECT_EQ(CheckedMultiplyDecimal(-1, 500'000'001), -1);
}

TEST(ExactTest, BudgetUsedIsRoundedUpWithinItsBounds) {
  EXPECT_EQ(BudgetUsed(50, 100), kDecimalOne / 2);
  EXPECT_EQ(BudgetUsed(2, 3), 333'333'334);
  EXPECT_EQ(BudgetUsed(100, 100), 0);
  EXPECT_EQ(BudgetUsed(200, 100), 0);
  EXPECT_EQ(BudgetUsed(-1, 100), kDecimalOne);
  EXPECT_EQ(BudgetUsed(0, 0), kDecimalOne);
  EXPECT_EQ(BudgetUsed(5, -1), kDecimalOne);
  EXPECT_EQ(BudgetUsed(kMin, kMax), kDecimalOne);
}

TEST(ExactTest, AmountsAreWrittenAsPeopleWriteThem) {
  const auto usd = [](int64_t micros) {
    std::string text;
    AppendUsd(micros, &text);
    return text;
  };
  EXPECT_EQ(usd(900'000'000), "$900");
  EXPECT_EQ(usd(250'500'000), "$250.50");
  EXPECT_EQ(usd(250'000'001), "$250.000001");
  EXPECT_EQ(usd(-50'000), "-$0.05");
  EXPECT_EQ(usd(0), "$0");
  EXPECT_EQ(usd(kMin), "-$9223372036854.775808");
  const auto decimal = [](int64_t value) {
    std::string text;
    AppendDecimal(value, &text);
    return text;
  };
  EXPECT_EQ(decimal(610'000'000), "0.61");
  EXPECT_EQ(decimal(2 * kDecimalOne), "2");
  EXPECT_EQ(decimal(-1), "-0.000000001");
}

}  // namespace
}  // namespace sgl
