// Proves that a pattern read as a plain one matches exactly what RE2 says, on
// patterns and texts made of the same few pieces, and which forms are left to
// RE2.

#include "policy/compile/plain_pattern.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <random>
#include <string>

namespace sgl {
namespace {

TEST(PlainPatternTest, AgreesWithRe2) {
  static const char* const kPieces[] = {
      "a",           "B",       "7",       "-",         "\\.",   "\\d",
      "\\w",         "[A-Z]",   "[a-c7_]", "[\\d\\-]",  "[\\w]", "a{2}",
      "\\d{3}",      "[ab]{0}", "$",       "^",         ".",     "a*",
      "b+",          "x?",      "(a)",     "a|b",       "[^a]",  "\xc3\x9c",
      "[[:alpha:]]", "\\b",     "\\s",     "a{1,2}",    "\\/",   " ",
      "[0-9A-F]",    "[a-]",    "a{2}?",   "\\Qa.b\\E", "[+-9]"};
  static const char* const kTexts[] = {"a", "B",  "7", "-", ".",        "aa",
                                       "Z", "42", "_", " ", "\xc3\x9c", "\n",
                                       "/", "b",  "c", "F", "^",        "$"};
  std::mt19937 random(11);
  int plain_count = 0;
  int match_count = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string pattern = "^";
    for (unsigned k = random() % 5; k > 0; --k) {
      absl::StrAppend(&pattern, kPieces[random() % std::size(kPieces)]);
    }
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 regex(pattern, options);
    const auto plain = ReadPlainPattern(pattern);
    if (!plain.has_value()) continue;
    ++plain_count;
    ASSERT_TRUE(regex.ok()) << pattern;
    for (int n = 0; n < 20; ++n) {
      std::string text;
      for (unsigned k = random() % 6; k > 0; --k) {
        absl::StrAppend(&text, kTexts[random() % std::size(kTexts)]);
      }
      const bool expected = RE2::PartialMatch(text, regex);
      ASSERT_EQ(plain->Matches(text), expected)
          << "/" << pattern << "/ on `" << text << "`";
      match_count += expected ? 1 : 0;
    }
  }
  EXPECT_GT(plain_count, 1'000);
  EXPECT_GT(match_count, 1'000);
}

// A plain pattern is not shown to RE2 at all, so none may be one that RE2
// refuses, or takes for something else.
TEST(PlainPatternTest, EveryShortPlainPatternIsOneOfRe2) {
  const std::string all = [] {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) {
      bytes.push_back(static_cast<char>(byte));
    }
    return bytes;
  }();
  const std::string special = "aAz09_- ^$.\\|?*+()[]{}:,dwsbQE/\xc3";
  int plain_count = 0;
  const auto check = [&](const std::string& pattern) {
    const auto plain = ReadPlainPattern(pattern);
    if (!plain.has_value()) return;
    ++plain_count;
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 regex(pattern, options);
    ASSERT_TRUE(regex.ok()) << pattern;
    for (const char first : all) {
      for (const std::string& text :
           {std::string(1, first), std::string("a") + first}) {
        ASSERT_EQ(plain->Matches(text), RE2::PartialMatch(text, regex))
            << "/" << pattern << "/ on `" << text << "`";
      }
    }
  };
  for (const char one : all) {
    for (const char two : all) check(std::string("^") + one + two);
  }
  for (const char one : special) {
    for (const char two : special) {
      for (const char three : special) {
        check(std::string("^") + one + two + three);
        check(std::string("^[") + one + two + three + "]");
        check(std::string("^[") + one + two + "]" + three);
      }
    }
  }
  EXPECT_GT(plain_count, 10'000);
}

TEST(PlainPatternTest, LeavesOtherFormsToRe2) {
  for (const char* pattern :
       {"abc", "^a|b", "^a*", "^a+", "^a?", "^(a)", "^.", "^[^a]", "^\xc3\x9c",
        "^[[:alpha:]]", "^\\b", "^a$b", "^a{1,2}", "^a{2}?", "^a{200}", "",
        "^[a-", "^\\"}) {
    EXPECT_FALSE(ReadPlainPattern(pattern).has_value()) << pattern;
  }
}

TEST(PlainPatternTest, SplitsPrefixAndTail) {
  const auto plain = ReadPlainPattern("^INV-[A-Z]\\d{4}$");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->prefix, "INV-");
  EXPECT_EQ(plain->tail.classes.size(), 5u);
  EXPECT_TRUE(plain->tail.is_end);
}

}  // namespace
}  // namespace sgl
