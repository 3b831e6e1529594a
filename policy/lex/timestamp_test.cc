// Proves that timestamps are read exactly, and that near misses are not read.

#include "policy/lex/timestamp.h"

#include <absl/time/time.h>
#include <gtest/gtest.h>

namespace sgl {
namespace {

TEST(TimestampTest, ReadsZonesAndFractions) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00.000001Z"), 1);
  EXPECT_EQ(ParseTimestamp("1969-12-31T23:59:59.5Z"), -500'000);
  EXPECT_EQ(ParseTimestamp("1970-01-01T02:00:00+02:00"), 0);
  EXPECT_EQ(ParseTimestamp("1969-12-31T18:30:00-05:30"), 0);
  EXPECT_EQ(
      ParseTimestamp("2024-02-29T12:34:56Z"),
      absl::ToUnixMicros(absl::FromCivil(
          absl::CivilSecond(2024, 2, 29, 12, 34, 56), absl::UTCTimeZone())));
}

TEST(TimestampTest, RefusesNearMisses) {
  for (const char* text :
       {"", "2026-01-31", "2026-01-31T00:00:00", "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.0000001Z",
        "2026-01-01t00:00:00Z", "2026-01-01T00:00:00z", "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Z ",
        "2026-1-1T00:00:00Z", "+026-01-01T00:00:00Z"}) {
    EXPECT_EQ(ParseTimestamp(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace sgl
