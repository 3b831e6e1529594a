// Proves what is a time and a duration, to the microsecond, and how they are
// written.

#include "policy/eval/time_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace sgl {
namespace {

TEST(TimeTextTest, ReadsRfc3339Strictly) {
  const struct {
    const char* text;
    std::optional<int64_t> micros;
  } kCases[] = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01t00:00:00z", 0},
      {"1970-01-01T00:00:00.000001Z", 1},
      {"1970-01-01T00:00:00.5000000000Z", 500'000},
      {"1970-01-01T01:00:00+01:00", 0},
      {"1969-12-31T23:59:59-00:00", -1'000'000},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000'000},
      {"2026-03-01T09:00:00Z", 1'772'355'600'000'000},
      {"0001-01-01T00:00:00Z", -62'135'596'800'000'000},
      {"1970-01-01T00:00:00.0000001Z", std::nullopt},
      {"1970-01-01T00:00:00.Z", std::nullopt},
      {"1970-01-01T00:00:60Z", std::nullopt},
      {"1970-01-01T24:00:00Z", std::nullopt},
      {"2026-02-29T00:00:00Z", std::nullopt},
      {"2026-13-01T00:00:00Z", std::nullopt},
      {"2026-00-01T00:00:00Z", std::nullopt},
      {"1970-01-01T00:00:00", std::nullopt},
      {"1970-01-01 00:00:00Z", std::nullopt},
      {"1970-01-01T00:00Z", std::nullopt},
      {"1970-01-01T00:00:00+0100", std::nullopt},
      {"1970-01-01T00:00:00+24:00", std::nullopt},
      {"1970-01-01T00:00:00Zx", std::nullopt},
      {"1970-1-01T00:00:00Z", std::nullopt},
      {"", std::nullopt},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.text);
    EXPECT_EQ(ReadTimestamp(test.text), test.micros);
  }
}

TEST(TimeTextTest, WritesTimesInUtc) {
  const auto text = [](int64_t micros) {
    std::string out;
    AppendTimestamp(micros, &out);
    return out;
  };
  EXPECT_EQ(text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(text(1'772'355'600'500'000), "2026-03-01T09:00:00.5Z");
  EXPECT_EQ(text(-1), "1969-12-31T23:59:59.999999Z");
  // RFC 3339 has four digits for a year.
  EXPECT_EQ(text(-62'167'219'200'000'000), "0000-01-01T00:00:00Z");
}

TEST(TimeTextTest, ReadsDurationsAsRulesSpellThem) {
  EXPECT_EQ(ReadDuration("24h"), 86'400'000'000);
  EXPECT_EQ(ReadDuration("1d"), 86'400'000'000);
  EXPECT_EQ(ReadDuration("15m"), 900'000'000);
  EXPECT_EQ(ReadDuration("0s"), 0);
  for (const char* text : {"", "h", "-1h", "1.5h", "1H", "1 h", "24", "1ms",
                           "01h", "99999999999999999999h", "106751992d"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(ReadDuration(text), std::nullopt);
  }
}

TEST(TimeTextTest, WritesDurationsInTheLargestUnitThatDivides) {
  const auto text = [](int64_t micros) {
    std::string out;
    AppendDuration(micros, &out);
    return out;
  };
  EXPECT_EQ(text(int64_t{7} * 86'400'000'000), "168h");
  EXPECT_EQ(text(5'400'000'000), "90m");
  EXPECT_EQ(text(90'000'000), "90s");
  EXPECT_EQ(text(0), "0s");
  EXPECT_EQ(text(-300'000'000), "-5m");
  EXPECT_EQ(text(250'000), "0.25s");
  EXPECT_EQ(text(-1'000'001), "-1.000001s");
  EXPECT_EQ(text(std::numeric_limits<int64_t>::min()),
            "-9223372036854.775808s");
}

}  // namespace
}  // namespace sgl
