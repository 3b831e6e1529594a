// Proves that places convert both ways for every kind of line break and for
// code points of one to four bytes, and that no place falls outside the text.

#include "tools/sgl/lsp/positions.h"

#include <absl/strings/string_view.h>
#include <gtest/gtest.h>

#include <string>

namespace sgl::tools {
namespace {

TEST(PositionsTest, CountsUtf16Units) {
  const std::string text = "aü€🙂b";
  const LineTable lines(text);
  struct Case {
    int32_t byte;
    int64_t character;
  };
  for (const Case& one : {Case{0, 0}, Case{1, 1}, Case{3, 2}, Case{6, 3},
                          Case{10, 5}, Case{11, 6}}) {
    SCOPED_TRACE(one.byte);
    EXPECT_EQ(lines.PositionOf(one.byte), (Position{0, one.character}));
    EXPECT_EQ(lines.ByteOf({0, one.character}), one.byte);
  }
}

TEST(PositionsTest, PlaceInsideACodePointIsItsBegin) {
  const LineTable lines("🙂b");
  EXPECT_EQ(lines.PositionOf(2), (Position{0, 0}));
  EXPECT_EQ(lines.ByteOf({0, 1}), 0);
}

TEST(PositionsTest, KnowsAllLineBreaks) {
  const LineTable lines("a\nb\r\nc\rd\n");
  EXPECT_EQ(lines.PositionOf(2), (Position{1, 0}));
  EXPECT_EQ(lines.PositionOf(5), (Position{2, 0}));
  EXPECT_EQ(lines.PositionOf(7), (Position{3, 0}));
  EXPECT_EQ(lines.PositionOf(9), (Position{4, 0}));
  EXPECT_EQ(lines.PositionOf(4), (Position{1, 1}));  // between \r and \n
}

TEST(PositionsTest, ClampsPlacesOutside) {
  const LineTable lines("ab\r\ncd");
  EXPECT_EQ(lines.ByteOf({0, 99}), 2);
  EXPECT_EQ(lines.ByteOf({1, 99}), 6);
  EXPECT_EQ(lines.ByteOf({99, 0}), 6);
  EXPECT_EQ(lines.ByteOf({-1, 5}), 0);
  EXPECT_EQ(lines.ByteOf({1, -5}), 4);
  EXPECT_EQ(lines.PositionOf(99), (Position{1, 2}));
  EXPECT_EQ(LineTable("").PositionOf(0), (Position{0, 0}));
}

TEST(PositionsTest, BytesThatAreNoUtf8CountAsOneUnit) {
  const LineTable lines("\xff\xe2\x82x");
  EXPECT_EQ(lines.PositionOf(4), (Position{0, 4}));
  EXPECT_EQ(lines.ByteOf({0, 3}), 3);
}

}  // namespace
}  // namespace sgl::tools
