// Proves which rules a change is put down to: those that give a stricter
// decision, those that no longer give a milder one, and for the same kind those
// that came, went or demand other.

#include "engine/replay_tally.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sgl::engine {
namespace {

RecordedDecision Recorded(DecisionKind kind,
                          const std::vector<absl::string_view>& codes) {
  RecordedDecision recorded;
  recorded.kind = kind;
  for (const absl::string_view code : codes) {
    recorded.rules.push_back({.layer = "platform", .code = code});
  }
  return recorded;
}

Decision Replayed(DecisionKind kind,
                  const std::vector<absl::string_view>& codes) {
  Decision decision;
  decision.kind = kind;
  for (const absl::string_view code : codes) {
    decision.reasons.push_back({.code = std::string(code),
                                .message = "",
                                .layer = "platform",
                                .at = "",
                                .field_violations = {}});
  }
  return decision;
}

// `2 A applies 0>2` a rule: how often, its code, effect, and from what to what.
std::vector<std::string> RulesOf(const ReplayTally& tally) {
  std::vector<std::string> rules;
  for (const auto& [rule, count] : tally.Rules()) {
    const char* effect = rule.effect == RuleEffect::kApplies ? "applies"
                         : rule.effect == RuleEffect::kNoLonger
                             ? "no longer"
                             : "demands other";
    rules.push_back(absl::StrCat(count.count, " ", rule.code, " ", effect, " ",
                                 static_cast<int>(rule.change.from), ">",
                                 static_cast<int>(rule.change.to)));
  }
  return rules;
}

using Rules = std::vector<std::string>;

TEST(ReplayTallyTest, TheSameInAnotherOrderIsTheSame) {
  ReplayTally tally(5);
  tally.Add(Recorded(DecisionKind::kBlock, {"A", "B"}),
            Replayed(DecisionKind::kBlock, {"B", "A"}), {});
  EXPECT_EQ(tally.compared(), 1);
  EXPECT_EQ(tally.same(), 1);
  EXPECT_TRUE(tally.Changes().empty());
}

TEST(ReplayTallyTest, AStricterDecisionIsOfTheRulesThatGiveIt) {
  ReplayTally tally(5);
  tally.Add(Recorded(DecisionKind::kAllow, {"DEFAULT"}),
            Replayed(DecisionKind::kBlock, {"A", "B"}), {});
  // A rule that became stricter itself.
  tally.Add(Recorded(DecisionKind::kReview, {"C"}),
            Replayed(DecisionKind::kBlock, {"C"}), {});
  EXPECT_EQ(RulesOf(tally),
            (Rules{"1 A applies 0>2", "1 B applies 0>2", "1 C applies 1>2"}));
}

TEST(ReplayTallyTest, AMilderOneIsOfTheRulesThatNoLongerDecide) {
  ReplayTally tally(5);
  tally.Add(Recorded(DecisionKind::kBlock, {"A"}),
            Replayed(DecisionKind::kAllow, {"DEFAULT"}), {});
  tally.Add(Recorded(DecisionKind::kBlock, {"A"}),
            Replayed(DecisionKind::kReview, {"A"}), {});
  EXPECT_EQ(RulesOf(tally), (Rules{"1 A no longer 2>0", "1 A no longer 2>1"}));
}

TEST(ReplayTallyTest, OfOneKindRulesComeAndGo) {
  ReplayTally tally(5);
  tally.Add(Recorded(DecisionKind::kReview, {"A", "B"}),
            Replayed(DecisionKind::kReview, {"B", "C"}), {});
  EXPECT_EQ(RulesOf(tally), (Rules{"1 A no longer 1>1", "1 C applies 1>1"}));
}

TEST(ReplayTallyTest, DemandsRiskAndExpiryCountAsChanges) {
  ReplayTally tally(5);
  RecordedDecision recorded = Recorded(DecisionKind::kReview, {"A"});
  recorded.demands = {{.count = 1, .roles = {"owner"}}};
  recorded.risk = 2;
  recorded.within = absl::Hours(24);
  Decision same = Replayed(DecisionKind::kReview, {"A"});
  same.demands = recorded.demands;
  same.risk = 2;
  same.within = absl::Hours(24);
  tally.Add(recorded, same, {});
  EXPECT_EQ(tally.same(), 1);
  Decision count = same;
  count.demands[0].count = 2;
  Decision risk = same;
  risk.risk = 3;
  Decision within = same;
  within.within.reset();
  for (const Decision& other : {count, risk, within}) {
    tally.Add(recorded, other, {});
  }
  EXPECT_EQ(tally.same(), 1);
  EXPECT_EQ(RulesOf(tally), (Rules{"3 A demands other 1>1"}));
}

TEST(ReplayTallyTest, KeepsTheFirstExamplesAndCountsTheRest) {
  ReplayTally tally(2);
  for (int i = 0; i < 5; ++i) {
    tally.Add(Recorded(DecisionKind::kAllow, {}),
              Replayed(DecisionKind::kBlock, {"A"}),
              {.tenant_id = "t", .intent_id = absl::StrCat(i)});
  }
  const auto rules = tally.Rules();
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0].second.count, 5);
  ASSERT_EQ(rules[0].second.examples.size(), 2u);
  EXPECT_EQ(rules[0].second.examples[1].intent_id, "1");
  const auto changes = tally.Changes();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].second.count, 5);
}

TEST(ReplayTallyTest, RulesBeyondTheBoundAreSaidToBeMore) {
  ReplayTally tally(1);
  std::vector<std::string> codes;
  for (size_t i = 0; i <= ReplayTally::kRulesMax; ++i) {
    codes.push_back(absl::StrCat("R", i));
  }
  EXPECT_FALSE(tally.has_more_rules());
  for (const std::string& code : codes) {
    tally.Add(Recorded(DecisionKind::kAllow, {}),
              Replayed(DecisionKind::kBlock, {code}), {});
  }
  EXPECT_EQ(tally.Rules().size(), ReplayTally::kRulesMax);
  EXPECT_TRUE(tally.has_more_rules());
}

}  // namespace
}  // namespace sgl::engine
