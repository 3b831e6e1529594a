// Proves that a compiled regex matches what RE2 says, whether it holds an
// automaton or not: with case and without, on texts that are UTF-8 and texts
// that are not.

#include "policy/compile/compiled_regex.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <iterator>
#include <random>
#include <string>

namespace sgl {
namespace {

TEST(CompiledRegexTest, AgreesWithRe2) {
  static const char* const kPieces[] = {
      "^",     "a",    "B-",       "\\.", "\\d{2}", "[A-Z]", "\xc3\x9c",
      "(a|B)", "[^a]", "(?i:b)",   "$",   "x*",     ".",     "[a-c]{3}",
      "\\pL",  "\\z",  "[[:^a:]]", "\\n", "k",      "K"};
  static const char* const kTexts[] = {
      "a", "b", "A",    "B-",   ".",        "42",           "Z",   "\xc3\x9c",
      "x", "k", "\xff", "\xc3", "\xc3\xbc", "\xe2\x84\xaa", "abc", "\n"};
  std::mt19937 random(7);
  const auto draw = [&random](const auto& from) {
    return from[random() % std::size(from)];
  };
  int plain_count = 0;
  int automaton_count = 0;
  int match_count = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string pattern = random() % 2 == 0 ? "^" : "";
    for (unsigned k = random() % 4; k > 0; --k) pattern += draw(kPieces);
    const bool ignores_case = random() % 3 == 0;
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(!ignores_case);
    const RE2 expected(pattern, options);
    const CompiledRegex regex(pattern, ignores_case);
    ASSERT_EQ(regex.error(), expected.error()) << pattern;
    if (!expected.ok()) continue;
    ++(regex.plain().has_value() ? plain_count : automaton_count);
    for (int n = 0; n < 20; ++n) {
      std::string text;
      for (unsigned k = random() % 5; k > 0; --k) text += draw(kTexts);
      const bool matches = RE2::PartialMatch(text, expected);
      ASSERT_EQ(regex.Matches(text), matches)
          << "/" << pattern << (ignores_case ? "/i" : "/") << " on `" << text
          << "`";
      match_count += matches ? 1 : 0;
    }
  }
  EXPECT_GT(plain_count, 500);
  EXPECT_GT(automaton_count, 500);
  EXPECT_GT(match_count, 1'000);
}

TEST(CompiledRegexTest, SaysWhatRe2Refuses) {
  const CompiledRegex regex("^a(", false);
  EXPECT_EQ(regex.error(), "missing ): ^a(");
}

TEST(CompiledRegexTest, TakesNoPlainFormWhereCaseIsIgnored) {
  const CompiledRegex regex("^inv-", true);
  EXPECT_FALSE(regex.plain().has_value());
  EXPECT_TRUE(regex.ignores_case());
  EXPECT_TRUE(regex.Matches("INV-1"));
}

}  // namespace
}  // namespace sgl
