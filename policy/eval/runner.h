// Decides by the index: finds the rules that a request can make apply, and
// runs their flat code. Whatever the code can't settle, a fault above all, it
// leaves to the evaluator, so that the two always agree.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_RUNNER_H_
#define POLICY_EVAL_RUNNER_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "policy/compile/index.h"
#include "policy/compile/program.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/facts.h"
#include "policy/eval/verdict.h"

namespace sgl {

// One thread's. Views the program; its verdict is valid until the next Run.
class Runner {
 public:
  explicit Runner(const DecisionProgram& program);

  // REQUIRES: the type is known and nothing was found not to fit.
  const Verdict& Run(const Facts& facts);

  // Fetches what a run on these facts will read, ahead of it: in steps, each of
  // which uses what the one before has fetched. A program that the processor's
  // caches hold wants none of them.
  static constexpr size_t kPrefetchStepsMax = 4;
  size_t prefetch_steps() const { return is_large_ ? kPrefetchStepsMax : 0; }
  void Prefetch(const Facts& facts, size_t step) const;

  // Knows the values of the last run.
  Evaluator& evaluator() { return evaluator_; }

 private:
  enum class Result : uint8_t { kFalse, kTrue, kUnknown };

  // Returns what the layer says.
  DecisionKind RunLayer(size_t number);
  void RunGroup(const RuleGroup& group);
  void RunIndex(const ValueIndex& index);
  void RunNumbers(const ValueIndex& index, int64_t number);
  void RunText(const ValueIndex& index, absl::string_view text);
  void RunPrefixes(const ValueIndex& index, absl::string_view text);
  void RunRanges(const ValueIndex& index, int64_t number);
  void RunRegexes(const ValueIndex& index, absl::string_view text);
  void RunList(CellList list);
  void RunCells(uint32_t first, size_t count);
  // Runs the rule whose head stands at `cell`.
  void RunRule(const Cell* cell);
  // Leaves the values that the tests looked at behind those of the verdict, and
  // their number in `length` where the rule applies.
  Result RunTests(const Test* tests, size_t* length);
  bool IsTrue(const Test& test, const Value& value) const;
  bool IsTrueOfOthers(const Test& test, Value value) const;
  // Computes a condition in full; adds a hit unless it is false.
  void RunInFull(const RuleHead& head);
  // Adds a hit that takes the `value_count` values behind the verdict's, and
  // sees to it that the next rule has room for its own.
  void AddHit(const RuleHead& head, Fault fault, size_t value_count);
  void MakeRoom() { values_.resize(2 * values_.size()); }
  // Notes the values that made a condition true, of `left` nodes at most.
  void NoteTrue(int32_t id, bool is_true, int* left, size_t* count);
  // Puts a layer's hits in order, once each, and holds its limits. Returns
  // what they say.
  DecisionKind FinishLayer(size_t first_hit, DecisionKind default_decision);
  void SortLayer(size_t first_hit);
  void HoldLimits(size_t first_hit);
  // Draws the limit of a hit. Returns whether the hit stays.
  bool HoldLimit(Hit& hit);
  void FinishVerdict(DecisionKind kind);

  const DecisionProgram& program_;
  const DecisionIndex& index_;
  const bool is_large_;  // the program, for the processor's caches
  Evaluator evaluator_;
  const Facts* facts_ = nullptr;
  const Value* slots_ = nullptr;  // the facts'
  bool is_blocked_ = false;

  Verdict verdict_;
  std::vector<Hit> hits_;
  // Of the layer at hand: the severest and mildest of its hits, and whether
  // they came in the order of rules.
  DecisionKind severest_ = DecisionKind::kAllow;
  DecisionKind mildest_ = DecisionKind::kBlock;
  int32_t last_rule_ = -1;
  bool is_ordered_ = true;
  bool has_limit_hit_ = false;
  bool is_mixed_ = false;  // the hits of all layers are of two severities
  // The first `value_count_` are the verdict's. Those of a rule are written
  // behind them before it is known to apply.
  std::vector<DecidingValue> values_;
  size_t value_count_ = 0;
  // Texts in them are kept for the next draws.
  std::vector<LimitDraw> draws_;
  std::vector<int32_t> draw_places_;
  size_t draw_count_ = 0;
  std::vector<int> matched_;  // regexes of one set
};

}  // namespace sgl

#endif  // POLICY_EVAL_RUNNER_H_
