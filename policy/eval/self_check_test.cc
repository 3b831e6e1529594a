// Proves that the self-check finds an index that is wrong, by breaking sound
// ones in the ways that a builder or a runner might, and names the rule.

#include "policy/eval/self_check.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "policy/compile/program.h"
#include "policy/policy.h"

namespace sgl {
namespace {

std::string Policy() {
  std::string text = R"(policy test.check version 1
default allow
intent PAY { amount: usd, count: int, vendor: string, note: string? }
)";
  for (int i = 0; i < 9; ++i) {
    absl::StrAppend(
        &text, "review EQ", i, " on PAY when payload.vendor == \"v", i, "\"\n",
        "review GT", i, " on PAY when payload.amount > $", 10 * i, "\n",
        "review RANGE", i, " on PAY when payload.count in ", i * 3, "..",
        i * 3 + 4, "\n", "review PRE", i,
        " on PAY when payload.vendor starts_with \"w", i * i * i * i, "-\"\n",
        "review RE", i, " on PAY when payload.vendor matches /z", i, "x/\n",
        "review NOTE", i, " on PAY when (payload.note ?? \"n", i, "\") == \"n",
        i, "\"\n", "review HAS", i,
        " on PAY when not has payload.note or payload.note == \"n", i, "\"\n",
        "review SUM", i, " on PAY when payload.count + ", i, " == 50\n");
  }
  return text;
}

std::shared_ptr<const Program> MakeProgram(absl::string_view more_rules = "") {
  const std::vector<SourceFile> sources = {
      {"check.sgl", absl::StrCat(Policy(), more_rules)}};
  const Compilation compilation = Compile(sources, Zones());
  EXPECT_NE(compilation.program, nullptr) << compilation.Render();
  return compilation.program;
}

// Breaks the first index of a kind and returns what the check says.
std::optional<IndexFault> Break(IndexKind kind,
                                const std::function<void(ValueIndex&)>& damage,
                                int64_t rule_runs_max = INT64_MAX) {
  const std::shared_ptr<const Program> program = MakeProgram();
  auto& compiled = const_cast<DecisionProgram&>(program->compiled());
  for (ValueIndex& index : compiled.index.indexes) {
    if (index.kind != kind) continue;
    damage(index);
    return CheckIndex(compiled, {.rule_runs_max = rule_runs_max},
                      [](int64_t, int64_t) {});
  }
  ADD_FAILURE() << "no such index";
  return std::nullopt;
}

TEST(SelfCheckTest, SoundIndexPasses) {
  const std::shared_ptr<const Program> program = MakeProgram();
  EXPECT_FALSE(
      CheckIndex(program->compiled(), {}, [](int64_t, int64_t) {}).has_value());
}

TEST(SelfCheckTest, FindsABoundThatIsOneOff) {
  const auto fault = Break(IndexKind::kRanges, [](ValueIndex& index) {
    for (int64_t& low : index.lows) ++low;
    for (int64_t& bound : index.bounds) ++bound;
  });
  ASSERT_TRUE(fault.has_value());
  EXPECT_NE(fault->request.find("PAY with"), std::string::npos)
      << fault->request;
}

TEST(SelfCheckTest, FindsAPrefixSizeThatIsForgotten) {
  EXPECT_TRUE(Break(IndexKind::kPrefixes, [](ValueIndex& index) {
                index.prefix_sizes.pop_back();
              }).has_value());
}

TEST(SelfCheckTest, FindsAKeyThatIsLost) {
  EXPECT_TRUE(Break(IndexKind::kTexts, [](ValueIndex& index) {
                for (TextKey& key : index.texts) key.hash ^= 1;
              }).has_value());
}

TEST(SelfCheckTest, FindsRulesThatAFaultSkips) {
  // An overflow of `count + i` must be heard.
  const std::shared_ptr<const Program> program = MakeProgram();
  auto& compiled = const_cast<DecisionProgram&>(program->compiled());
  bool is_found = false;
  for (Cell* cell = compiled.index.cells.data();
       cell != compiled.index.cells.data() + compiled.index.cells.size();
       cell += 1 + cell->head.test_count) {
    const ProgramRule& rule =
        compiled.rules[static_cast<size_t>(cell->head.rule)];
    if (rule.code != "SUM7") continue;
    cell->head.condition = compiled.rules[0].condition;
    is_found = true;
  }
  ASSERT_TRUE(is_found);
  const auto fault = CheckIndex(compiled, {}, [](int64_t, int64_t) {});
  ASSERT_TRUE(fault.has_value());
  EXPECT_EQ(compiled.rules[static_cast<size_t>(fault->rule)].code, "SUM7");
  EXPECT_NE(IndexFaultText(compiled, *fault).find("disagree on `SUM7`"),
            std::string::npos);
}

TEST(SelfCheckTest, FindsFaultsThatABlockHides) {
  // A block ends the search for milder rules, but not for those that may
  // fault.
  const std::shared_ptr<const Program> program =
      MakeProgram("block ALWAYS on PAY when payload.vendor != \"never\"\n");
  auto& compiled = const_cast<DecisionProgram&>(program->compiled());
  ASSERT_FALSE(CheckIndex(compiled, {}, [](int64_t, int64_t) {}).has_value());
  for (Cell* cell = compiled.index.cells.data();
       cell != compiled.index.cells.data() + compiled.index.cells.size();
       cell += 1 + cell->head.test_count) {
    cell->head.is_moot_if_blocked = true;
  }
  const auto fault = CheckIndex(compiled, {}, [](int64_t, int64_t) {});
  ASSERT_TRUE(fault.has_value());
  const std::string& code =
      compiled.rules[static_cast<size_t>(fault->rule)].code;
  EXPECT_EQ(code.substr(0, 3), "SUM") << code;
}

TEST(SelfCheckTest, FindsRegexesThatNeverMatch) {
  EXPECT_TRUE(Break(IndexKind::kRegexes, [](ValueIndex& index) {
                for (CellList& rules : index.by_regex) rules.count = 0;
              }).has_value());
}

TEST(SelfCheckTest, BoundedRunFindsWhatIsWrongEverywhere) {
  EXPECT_TRUE(Break(
                  IndexKind::kTexts,
                  [](ValueIndex& index) {
                    for (TextKey& key : index.texts) key.hash ^= 1;
                  },
                  kSelfCheckRuleRunsMax)
                  .has_value());
}

}  // namespace
}  // namespace sgl
