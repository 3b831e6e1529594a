// Proves that zones come from the machine's data by their exact names only,
// and that the data's version is read from its first line.

#include "base/zone_loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sgl {
namespace {

TEST(ZoneLoaderTest, LoadsKnownZonesAndLeavesUnknownOnesOut) {
  const std::vector<std::string> names = {
      "America/Chicago", "UTC",       "Mars/Olympus",
      "localtime",       "../passwd", "Fixed/UTC+01:00:00"};
  const Zones zones = LoadZones(names);
  EXPECT_EQ(zones.by_name.size(), 2u);
  EXPECT_TRUE(zones.by_name.count("America/Chicago"));
  EXPECT_TRUE(zones.by_name.count("UTC"));
  EXPECT_FALSE(zones.tzdata_version.empty());
}

TEST(ZoneLoaderTest, NamesAreSortedAndEachLoads) {
  const std::vector<std::string> names = ZoneNames();
  EXPECT_GT(names.size(), 300u);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(LoadZones(names).by_name.size(), names.size());
  EXPECT_TRUE(std::binary_search(names.begin(), names.end(), "UTC"));
}

TEST(ZoneLoaderTest, ReadsTheVersionFromTheFirstLine) {
  EXPECT_EQ(TzdataVersion("# version 2026f\n# redo posix_only\n"), "2026f");
  EXPECT_EQ(TzdataVersion("# redo posix_only\n# version 2026f\n"), "unknown");
  EXPECT_EQ(TzdataVersion(""), "unknown");
}

}  // namespace
}  // namespace sgl
