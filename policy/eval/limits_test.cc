// Proves the books in memory: the window is half-open at its far end, times
// may go back, subjects and limits are kept apart, and sums past int64 are
// nothing rather than wrong.

#include "policy/eval/limits.h"

#include <gtest/gtest.h>

#include <limits>

namespace sgl {
namespace {

LimitDraw Draw(int64_t amount) {
  LimitDraw draw;
  draw.layer = "platform";
  draw.code = "POSTS";
  draw.subject = "a";
  draw.window = absl::Hours(1);
  draw.amount = amount;
  return draw;
}

absl::Time At(int minutes) {
  return absl::UnixEpoch() + absl::Minutes(minutes);
}

TEST(LimitLedgerTest, StartsEmpty) {
  EXPECT_EQ(LimitLedger().Total(Draw(1), At(0)), 0);
}

TEST(LimitLedgerTest, CountsLaterThanTheWindowsFarEndUpToNow) {
  LimitLedger ledger;
  ledger.Count({Draw(1)}, At(0));
  EXPECT_EQ(ledger.Total(Draw(1), At(0)), 1);
  EXPECT_EQ(ledger.Total(Draw(1), At(60) - absl::Microseconds(1)), 1);
  EXPECT_EQ(ledger.Total(Draw(1), At(60)), 0);
  EXPECT_EQ(ledger.Total(Draw(1), At(0) - absl::Microseconds(1)), 0);
}

TEST(LimitLedgerTest, TimesMayGoBack) {
  LimitLedger ledger;
  ledger.Count({Draw(4)}, At(40));
  ledger.Count({Draw(1)}, At(10));
  ledger.Count({Draw(2)}, At(20));
  EXPECT_EQ(ledger.Total(Draw(1), At(15)), 1);
  EXPECT_EQ(ledger.Total(Draw(1), At(20)), 3);
  EXPECT_EQ(ledger.Total(Draw(1), At(40)), 7);
  EXPECT_EQ(ledger.Total(Draw(1), At(75)), 6);
}

TEST(LimitLedgerTest, SubjectsCodesAndLayersAreKeptApart) {
  LimitLedger ledger;
  ledger.Count({Draw(1)}, At(0));
  LimitDraw other = Draw(1);
  other.subject = "b";
  EXPECT_EQ(ledger.Total(other, At(0)), 0);
  other = Draw(1);
  other.code = "CALLS";
  EXPECT_EQ(ledger.Total(other, At(0)), 0);
  other = Draw(1);
  other.layer = "tenant:acme";
  EXPECT_EQ(ledger.Total(other, At(0)), 0);
}

TEST(LimitLedgerTest, SumsPastInt64AreNothing) {
  LimitLedger ledger;
  ledger.Count({Draw(std::numeric_limits<int64_t>::max())}, At(0));
  EXPECT_EQ(ledger.Total(Draw(1), At(1)), std::numeric_limits<int64_t>::max());
  ledger.Count({Draw(1)}, At(1));
  EXPECT_EQ(ledger.Total(Draw(1), At(1)), std::nullopt);
  // The large one has left the window.
  EXPECT_EQ(ledger.Total(Draw(1), At(60)), 1);
}

}  // namespace
}  // namespace sgl
