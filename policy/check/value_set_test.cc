// Proves that sets of values behave as sets: against a plain set of small
// numbers and of short texts, for every pair out of some hundreds.

#include "policy/check/value_set.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace sgl {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();

// The numbers 0..5 chosen by bits; with `is_open`, all others too.
ValueSet OfBits(int bits, bool is_open) {
  std::vector<int64_t> numbers;
  for (int i = 0; i < 6; ++i) {
    if (((bits >> i & 1) != 0) != is_open) numbers.push_back(i);
  }
  const ValueSet set = ValueSet::Numbers(numbers);
  return is_open ? set.Complement() : set;
}

ValueSet OfTextBits(int bits, bool is_open) {
  static const auto* const kTexts =
      new std::vector<std::string>{"a", "ab", "b", "c", "d", "e"};
  ValueSet::TextList texts;
  for (size_t i = 0; i < 6; ++i) {
    if (((bits >> i & 1) != 0) != is_open) texts.emplace_back((*kTexts)[i]);
  }
  const ValueSet set = ValueSet::Texts(texts);
  return is_open ? set.Complement() : set;
}

TEST(ValueSetTest, OperationsAreThoseOfSets) {
  for (auto* const make : {OfBits, OfTextBits}) {
    for (int one = 0; one < 128; ++one) {
      for (int two = 0; two < 128; ++two) {
        const bool open_one = one >= 64;
        const bool open_two = two >= 64;
        const ValueSet left = make(one & 63, open_one);
        const ValueSet right = make(two & 63, open_two);
        ASSERT_EQ(left.Meet(right), make(one & two & 63, open_one && open_two));
        ASSERT_EQ(left.Join(right),
                  make((one | two) & 63, open_one || open_two));
        ASSERT_EQ(left.Complement(), make(~one & 63, !open_one));
        ASSERT_EQ(left.is_empty(), one == 0);
        ASSERT_EQ(left.Holds(right), (two & ~one) == 0);
      }
    }
  }
}

TEST(ValueSetTest, TheEndsOfTheNumbersDoNotOverflow) {
  const ValueSet low = ValueSet::Number(kLowest);
  const ValueSet high = ValueSet::Number(kHighest);
  EXPECT_EQ(low.Complement(), ValueSet::Between(kLowest + 1, kHighest));
  EXPECT_EQ(high.Complement(), ValueSet::Between(kLowest, kHighest - 1));
  EXPECT_TRUE(ValueSet::AllNumbers().Complement().is_empty());
  EXPECT_EQ(ValueSet().Complement(), ValueSet::AllNumbers());
  EXPECT_EQ(ValueSet::Numbers({kHighest - 1, kHighest}),
            ValueSet::Between(kHighest - 1, kHighest));
}

TEST(ValueSetTest, NeighboursAreOneInterval) {
  EXPECT_EQ(ValueSet::Numbers({1, 2, 3}), ValueSet::Between(1, 3));
  EXPECT_EQ(ValueSet::Between(1, 2).Join(ValueSet::Between(3, 4)),
            ValueSet::Between(1, 4));
  EXPECT_EQ(ValueSet::Numbers({1, 3}).size(), 2u);
}

}  // namespace
}  // namespace sgl
