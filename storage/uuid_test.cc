// Proves the form of the ids: what NewUuid makes, IsUuid takes, and nothing
// near it that PostgreSQL would read differently.

#include "storage/uuid.h"

#include <absl/container/flat_hash_set.h>
#include <gtest/gtest.h>

namespace sgl::storage {
namespace {

TEST(UuidTest, NewOnesAreVersionFourAndDiffer) {
  absl::flat_hash_set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = NewUuid();
    EXPECT_TRUE(IsUuid(id)) << id;
    EXPECT_EQ(id[14], '4') << id;
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
    EXPECT_TRUE(seen.insert(id).second) << id;
  }
}

TEST(UuidTest, OnlyTheUsualFormIsOne) {
  EXPECT_TRUE(IsUuid("00000000-0000-0000-0000-00000000000F"));
  EXPECT_FALSE(IsUuid(""));
  EXPECT_FALSE(IsUuid("{00000000-0000-0000-0000-00000000000}"));
  EXPECT_FALSE(IsUuid("00000000000000000000000000000000"));
  EXPECT_FALSE(IsUuid("00000000-0000-0000-0000-00000000000g"));
  EXPECT_FALSE(IsUuid("0000000-00000-0000-0000-000000000000"));
}

}  // namespace
}  // namespace sgl::storage
