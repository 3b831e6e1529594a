// Proves the reference evaluator's own numbers, times and hosts against values
// worked out by hand; what it agrees with is no better than these are.

#include "policy/eval/reference/plain_values.h"

#include <gtest/gtest.h>

#include <limits>

namespace sgl::reference {
namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

TEST(PlainValuesTest, NumbersCountByValue) {
  EXPECT_EQ(NumberFromJson("2.0", 0, false), 2);
  EXPECT_EQ(NumberFromJson("-0.02e2", 0, false), -2);
  EXPECT_EQ(NumberFromJson("5.0000000", 6, false), 5'000'000);
  EXPECT_EQ(NumberFromJson("0e999999999999999999999", 6, false), 0);
  EXPECT_EQ(NumberFromJson("0.0000001", 6, false), std::nullopt);
  EXPECT_EQ(NumberFromJson("1e400", 6, false), std::nullopt);
  EXPECT_EQ(NumberFromJson("1e-99999999999999999999", 9, true), 0);
  EXPECT_EQ(NumberFromJson("9223372036854775807", 0, false), kMax);
  EXPECT_EQ(NumberFromJson("-9223372036854775808", 0, false), kMin);
  EXPECT_EQ(NumberFromJson("9223372036854775808", 0, false), std::nullopt);
}

TEST(PlainValuesTest, DecimalsRoundHalfToEven) {
  EXPECT_EQ(NumberFromJson("0.0000000005", 9, true), 0);
  EXPECT_EQ(NumberFromJson("0.0000000015", 9, true), 2);
  EXPECT_EQ(NumberFromJson("0.0000000025", 9, true), 2);
  EXPECT_EQ(NumberFromJson("-0.00000000251", 9, true), -3);
  EXPECT_EQ(NumberFromJson("0.00000000049999", 9, true), 0);
  EXPECT_EQ(NumberFromJson("9223372036.8547758075", 9, true), std::nullopt);
  EXPECT_EQ(NumberFromJson("9223372036.85477580749", 9, true), kMax);
  EXPECT_EQ(DivideByBillion(2'500'000'000), 2);
  EXPECT_EQ(DivideByBillion(3'500'000'000), 4);
  EXPECT_EQ(DivideByBillion(-2'500'000'000), -2);
  EXPECT_EQ(DivideByBillion(-2'500'000'001), -3);
}

TEST(PlainValuesTest, TimesAreRfc3339) {
  EXPECT_EQ(TimeFromText("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(TimeFromText("2026-03-01T03:00:00.5-06:00"), 1'772'355'600'500'000);
  EXPECT_EQ(TimeFromText("0001-01-01T00:00:00Z"), -62'135'596'800'000'000);
  EXPECT_EQ(TimeFromText("2026-02-29T00:00:00Z"), std::nullopt);
  EXPECT_EQ(TimeFromText("1970-01-01T00:00:60Z"), std::nullopt);
  EXPECT_EQ(TimeFromText("1970-01-01T00:00:00.0000001Z"), std::nullopt);
  EXPECT_EQ(TimeText(1'772'355'600'500'000), "2026-03-01T09:00:00.5Z");
  EXPECT_EQ(TimeText(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(PlainValuesTest, ClocksShowTheZonesTime) {
  const absl::TimeZone west = absl::FixedTimeZone(-6 * 3600);
  EXPECT_EQ(HourIn(0, west), 18);
  EXPECT_EQ(WeekdayIn(0, west), 3);
  EXPECT_EQ(HourIn(0, absl::UTCTimeZone()), 0);
  EXPECT_EQ(WeekdayIn(0, absl::UTCTimeZone()), 4);
  EXPECT_EQ(WeekdayIn(-1, absl::UTCTimeZone()), 3);
}

TEST(PlainValuesTest, ValuesShowAsPeopleWriteThem) {
  EXPECT_EQ(UsdText(250'500'000), "$250.50");
  EXPECT_EQ(UsdText(-1), "-$0.000001");
  EXPECT_EQ(UsdText(900'000'000), "$900");
  EXPECT_EQ(DecimalText(610'000'000), "0.61");
  EXPECT_EQ(DecimalText(kMin), "-9223372036.854775808");
  EXPECT_EQ(DurationText(5'400'000'000), "90m");
  EXPECT_EQ(DurationText(-250'000), "-0.25s");
  EXPECT_EQ(DurationFromText("106751991d"), 9'223'372'022'400'000'000);
  EXPECT_EQ(DurationFromText("106751992d"), std::nullopt);
  EXPECT_EQ(DurationFromText("01h"), std::nullopt);
}

TEST(PlainValuesTest, HostsOfTricksAreNone) {
  EXPECT_EQ(HostOf("https://a@PayPal.com.:443/x"), "paypal.com");
  EXPECT_EQ(HostOf("http://[::1]:80/"), "[::1]");
  EXPECT_EQ(HostOf("https://google.com\\@paypal.com"), std::nullopt);
  EXPECT_EQ(HostOf("https://paypal%2ecom/"), std::nullopt);
  EXPECT_EQ(HostOf("paypal.com"), std::nullopt);
  EXPECT_EQ(HostOf("https:///x"), std::nullopt);
}

}  // namespace
}  // namespace sgl::reference
