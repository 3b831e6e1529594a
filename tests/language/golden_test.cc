// Proves the golden files' own format: what a block is, what ends it, and that
// an update changes the expected output and nothing else.

#include "tests/language/golden.h"

#include <gtest/gtest.h>

namespace sgl::tests {
namespace {

constexpr char kFile[] = R"(# A file.

policy a.sgl b
one

two
----

# Between.
eval
in
----
old
lines

check
in
----
----
with

blank
----
----
)";

TEST(GoldenTest, ReadsBlocks) {
  const absl::StatusOr<GoldenFile> file = ParseGolden(kFile);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->blocks.size(), 3u);
  EXPECT_EQ(file->blocks[0].verb, "policy");
  EXPECT_EQ(file->blocks[0].args, (std::vector<std::string>{"a.sgl", "b"}));
  EXPECT_EQ(file->blocks[0].input, "one\n\ntwo\n");
  EXPECT_EQ(file->blocks[0].expected, "");
  EXPECT_EQ(file->blocks[1].line, 10);
  EXPECT_EQ(file->blocks[1].expected, "old\nlines\n");
  EXPECT_EQ(file->blocks[2].expected, "with\n\nblank\n");
}

TEST(GoldenTest, UpdateKeepsAllButTheOutput) {
  const absl::StatusOr<GoldenFile> file = ParseGolden(kFile);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(UpdateGolden(*file, {"", "old\nlines\n", "with\n\nblank\n"}),
            kFile);
  const std::string updated = UpdateGolden(*file, {"", "new\n", "x\n"});
  const absl::StatusOr<GoldenFile> again = ParseGolden(updated);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->blocks[0].input, "one\n\ntwo\n");
  EXPECT_EQ(again->blocks[1].expected, "new\n");
  EXPECT_EQ(again->blocks[2].expected, "x\n");
}

TEST(GoldenTest, NamesABlockWithoutItsRule) {
  EXPECT_EQ(ParseGolden("# x\n\neval\nin\n").status().message(),
            "the block `eval` of line 3 has no ----");
}

}  // namespace
}  // namespace sgl::tests
