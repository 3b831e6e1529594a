// Proves that what an index takes for the beginning of every match is that:
// a prefix that is too long loses matches, and with them rules.

#include "policy/compile/access.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <string>

namespace sgl {
namespace {

struct PrefixCase {
  std::string pattern;
  std::string prefix;
  std::string match;  // a text that the pattern matches
};

TEST(RequiredPrefixTest, IsWhatEveryMatchBeginsWith) {
  const PrefixCase cases[] = {
      {"^INV-[0-9]", "INV-", "INV-7"},
      {"^a\\.b", "a.b", "a.b"},
      {"INV", "", "xINV"},
      {"^a|b", "", "b"},
      {"^(?i)inv", "", "INV"},
      {"^foo*", "fo", "fo"},
      {"^foo{0}", "fo", "fo"},
      // Quantifiers reach back over what matches nothing.
      {"^foo(?i)*", "fo", "foX"},
      {"^foo(?s)?", "fo", "fo"},
      {"^foo(?i){0}", "fo", "fo"},
      {"^foo\\Q\\E*", "fo", "fo"},
      {"^fo\\+(?i)*", "fo", "fo"},
  };
  for (const PrefixCase& item : cases) {
    SCOPED_TRACE(item.pattern);
    EXPECT_TRUE(RE2::PartialMatch(item.match, RE2(item.pattern)));
    EXPECT_EQ(RequiredPrefix(item.pattern), item.prefix);
    EXPECT_EQ(item.match.substr(0, item.prefix.size()), item.prefix);
  }
}

}  // namespace
}  // namespace sgl
