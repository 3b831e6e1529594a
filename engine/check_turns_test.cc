// Proves that no tenant can keep others, and none of them the system tenant,
// from checking a policy.

#include "engine/check_turns.h"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

#include "engine/built_in.h"

namespace sgl::engine {
namespace {

TEST(CheckTurnsTest, ATenantHasOneAndGetsItBack) {
  CheckTurns turns;
  {
    const auto first = turns.Take("acme");
    ASSERT_TRUE(first.ok());
    const auto second = turns.Take("acme");
    EXPECT_EQ(second.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(turns.Take("other").ok());
  }
  EXPECT_TRUE(turns.Take("acme").ok());
}

TEST(CheckTurnsTest, TheSystemTenantIsNeverKeptOut) {
  CheckTurns turns;
  const auto first = turns.Take("acme");
  const auto second = turns.Take("other");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_FALSE(turns.Take("third").ok());
  const auto system = turns.Take(kSystemTenant);
  EXPECT_TRUE(system.ok());
  EXPECT_FALSE(turns.Take(kSystemTenant).ok());
}

TEST(CheckTurnsTest, AMovedTurnIsGivenBackOnce) {
  CheckTurns turns;
  std::optional<CheckTurns::Turn> kept;
  {
    auto turn = turns.Take("acme");
    ASSERT_TRUE(turn.ok());
    kept = *std::move(turn);
  }
  EXPECT_FALSE(turns.Take("acme").ok());
  kept.reset();
  EXPECT_TRUE(turns.Take("acme").ok());
}

}  // namespace
}  // namespace sgl::engine
