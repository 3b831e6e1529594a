// Proves that bytes become the lines and columns that people count: from 1,
// columns in code points, line breaks of both kinds, places at the very end.

#include "policy/source/source.h"

#include <gtest/gtest.h>

namespace sgl {
namespace {

TEST(SourceSetTest, CountsLinesAndCodePoints) {
  SourceSet sources;
  const FileId file = sources.Add("a.sgl", "one\ntwé x\n");
  EXPECT_EQ(sources.Locate(file, 0), (LineColumn{1, 1}));
  EXPECT_EQ(sources.Locate(file, 3), (LineColumn{1, 4}));
  EXPECT_EQ(sources.Locate(file, 4), (LineColumn{2, 1}));
  EXPECT_EQ(sources.Locate(file, 6), (LineColumn{2, 3}));
  // Inside the two bytes of é, and after them.
  EXPECT_EQ(sources.Locate(file, 7), (LineColumn{2, 3}));
  EXPECT_EQ(sources.Locate(file, 8), (LineColumn{2, 4}));
  EXPECT_EQ(sources.Locate(file, 11), (LineColumn{3, 1}));
}

TEST(SourceSetTest, EndOfFileWithoutLineBreakIsOnePastTheLine) {
  SourceSet sources;
  const FileId file = sources.Add("a.sgl", "ab");
  EXPECT_EQ(sources.Locate(file, 2), (LineColumn{1, 3}));
  EXPECT_EQ(sources.Line(file, 1), "ab");
}

TEST(SourceSetTest, LinesLoseTheirBreaks) {
  SourceSet sources;
  const FileId file = sources.Add("a.sgl", "ab\r\n\r\nc");
  EXPECT_EQ(sources.Line(file, 1), "ab");
  EXPECT_EQ(sources.Line(file, 2), "");
  EXPECT_EQ(sources.Line(file, 3), "c");
}

TEST(SourceSetTest, EmptyTextHasOneLine) {
  SourceSet sources;
  const FileId file = sources.Add("empty.sgl", "");
  EXPECT_EQ(sources.Locate(file, 0), (LineColumn{1, 1}));
  EXPECT_EQ(sources.Describe({file, 0, 0}), "empty.sgl:1:1");
}

}  // namespace
}  // namespace sgl
