// Proves that a token leads back to its position, and that anything else is
// refused as a bad field.

#include "engine/rpc/page_token.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "engine/error.h"

namespace sgl::engine {
namespace {

constexpr char kId[] = "0b5e2f6c-9d3a-4a53-8f43-6a4e0c6b2a11";

TEST(PageTokenTest, LeadsBackToItsPosition) {
  const absl::Time at = absl::FromUnixMicros(1'772'000'000'123'456);
  const std::string token = EncodePageToken({at, kId}, "filter");
  const absl::StatusOr<storage::PageCursor> position =
      DecodePageToken(token, "filter");
  ASSERT_TRUE(position.ok()) << position.status();
  EXPECT_EQ(position->created_at, at);
  EXPECT_EQ(position->id, kId);
}

TEST(PageTokenTest, AnotherFilterIsRefused) {
  const std::string token = EncodePageToken({absl::UnixEpoch(), kId}, "a");
  EXPECT_EQ(DecodePageToken(token, "b").status().message(),
            "`page_token`: it was made for another filter; start at the first "
            "page");
}

TEST(PageTokenTest, TextThatNoListGaveIsRefused) {
  for (const char* token : {"x", "MQ==", "MSwxLHgseA==", "\xff"}) {
    SCOPED_TRACE(token);
    EXPECT_EQ(DecodePageToken(token, "").status().message(),
              "`page_token`: it is no token of this list");
  }
}

TEST(PageTokenTest, TimesThatNoRowHasAreRefused) {
  for (const int64_t micros : {std::numeric_limits<int64_t>::min(),
                               std::numeric_limits<int64_t>::max()}) {
    SCOPED_TRACE(micros);
    const std::string token =
        EncodePageToken({absl::FromUnixMicros(micros), kId}, "");
    EXPECT_EQ(DecodePageToken(token, "").status().message(),
              "`page_token`: it is no token of this list");
  }
}

TEST(PageSizeTest, DefaultsAndBounds) {
  EXPECT_EQ(*PageSize(0), 50);
  EXPECT_EQ(*PageSize(200), 200);
  EXPECT_FALSE(PageSize(201).ok());
  EXPECT_FALSE(PageSize(-1).ok());
}

}  // namespace
}  // namespace sgl::engine
