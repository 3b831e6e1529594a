// Proves that the table finds each of its names and nothing else: every
// length around the eight and sixteen bytes that it compares as words, names
// that differ in one byte only, and tables of every size.

#include "policy/compile/member_table.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace sgl {
namespace {

int32_t Find(const MemberTable& table, const std::string& name) {
  // What follows a key in its text must not matter.
  const std::string text = absl::StrCat(name, "\": 12345678");
  return table.Find(MakeMemberKey(text.data(), name.size()));
}

TEST(MemberTableTest, FindsNamesOfEveryLength) {
  std::vector<std::string> names;
  for (size_t size = 0; size < 40; ++size) {
    names.emplace_back(size, 'a');
  }
  const MemberTable table(names);
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(Find(table, names[i]), static_cast<int32_t>(i)) << names[i];
  }
  EXPECT_EQ(Find(table, std::string(40, 'a')), -1);
}

TEST(MemberTableTest, TellsNamesApartThatDifferInOneByte) {
  for (const size_t size : {1, 7, 8, 9, 15, 16, 17, 24, 40}) {
    const std::string name(size, 'k');
    const MemberTable table({name});
    EXPECT_EQ(Find(table, name), 0) << size;
    for (size_t at = 0; at < size; ++at) {
      std::string other = name;
      other[at] = '\0';
      EXPECT_EQ(Find(table, other), -1) << size << " at " << at;
      EXPECT_FALSE(MakeMemberKey((other + "        ").data(), size) ==
                   MakeMemberKey((name + "        ").data(), size));
    }
  }
}

TEST(MemberTableTest, FindsAllOfManyNames) {
  for (int count = 0; count < 300; ++count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(absl::StrCat("f", i));
    const MemberTable table(names);
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(Find(table, absl::StrCat("f", i)), i) << "of " << count;
    }
    EXPECT_EQ(Find(table, absl::StrCat("f", count)), -1);
    EXPECT_EQ(Find(table, ""), -1);
  }
}

}  // namespace
}  // namespace sgl
