// What the fields that a condition reads can hold when it is true, and when it
// is false. Where that is nothing at all, the condition is never true, or
// never false. Internal to policy/check: the ground of its warnings.
//
//   agent.tier > 5 and agent.tier < 3
//     true:  agent.tier in {}             never
//     false: nothing known                may be
//
// Why it can be trusted. For each node two outcomes are kept, "true" and
// "false", each a list of (what is read, which values it then has). A list
// always says less than the truth, never more:
//   - A comparison of one thing with a constant is true exactly for a set of
//     its values, and false exactly for the others. Neither holds where the
//     thing is missing or a fault: then the comparison is neither.
//   - `and` is true only if all its operands are, so what each of them says
//     holds together; it is false only if some operand is, so what holds is
//     what all of them say, each of its own. `or` is the mirror of that, `not`
//     swaps.
//   - Things are nodes, and equal nodes have equal values in one request. A
//     loop's variable differs from turn to turn, so what is known of a body
//     stays inside it, apart from whether it can be true at all.
//   - Any other condition is a thing of its own, true or false.
//   - A few things have bounds of their own: `size` is not negative, an enum
//     has its members, `hour` is 0 to 23, `lower` holds no capital.
// "Never false" does not yet say "always true": a fault is neither. MayFault
// tells. (A missing field is neither too, but its guards were verified, so a
// whole condition is not missing.)
//
// Bounds. Sets of more than kValuesMax members and more than kThingsMax things
// are not followed, and after kWorkMax steps no more is known than what one
// comparison says: all of these lose warnings and invent none.

#ifndef POLICY_CHECK_CONDITION_RANGES_H_
#define POLICY_CHECK_CONDITION_RANGES_H_

#include <absl/container/flat_hash_map.h>
#include <absl/container/inlined_vector.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "policy/check/checked_policy.h"
#include "policy/check/value_set.h"

namespace sgl {

// What things hold in one outcome. Empty and possible: nothing is known.
class KnownValues {
 public:
  using Known = std::pair<NodeId, ValueSet>;
  // A comparison tells of one thing, and most conditions are comparisons.
  using KnownList = absl::InlinedVector<Known, 1>;

  static KnownValues Impossible();
  static KnownValues Of(NodeId thing, ValueSet values);

  bool is_possible() const { return is_possible_; }
  const KnownList& all() const { return known_; }
  // Null where nothing is known of the thing.
  const ValueSet* Find(NodeId thing) const;

  // Adds what another list says of the same outcome.
  void And(const KnownValues& other);
  // Keeps what holds in either of two outcomes.
  void Or(const KnownValues& other);

 private:
  friend class ConditionRanges;

  bool is_possible_ = true;
  KnownList known_;  // ascending by thing; no set is empty
};

// The two outcomes of a condition. Both may be impossible: a constant fault.
struct Outcomes {
  KnownValues if_true;
  KnownValues if_false;

  bool is_never_true() const { return !if_true.is_possible(); }
  bool is_never_false() const { return !if_false.is_possible(); }
};

// Borrows the policy, which must not change while this is used. Confined to
// one thread.
class ConditionRanges {
 public:
  explicit ConditionRanges(const CheckedPolicy& policy) : policy_(policy) {}

  // Returns the outcomes of a node of type bool. They live as long as the
  // shared pointer; those that are dear to find are remembered for a while.
  std::shared_ptr<const Outcomes> Of(NodeId id);

  // Returns whether two outcomes cannot come together.
  bool Exclude(const KnownValues& one, const KnownValues& two) const;

  // Returns whether the node, or one below it, can be a fault.
  bool MayFault(NodeId id);

  // Returns whether nothing of a request is read below the node.
  bool IsConstant(NodeId id);

  // Returns for a comparison with a constant the thing, and the values for
  // which it is true.
  std::optional<KnownValues::Known> Comparison(NodeId id) const;

 private:
  Outcomes Find(NodeId id);
  Outcomes AndOr(const Node& node);
  Outcomes Atom(NodeId id);
  KnownValues Bounded(NodeId thing, ValueSet values) const;
  std::optional<ValueSet> BoundsOf(NodeId thing) const;
  std::optional<bool> CompareLike(NodeId id) const;
  std::optional<bool> CompareTexts(const Node& node) const;
  void Settle(KnownValues& values) const;
  bool PrefixesClash(const KnownValues& values) const;
  absl::string_view TextOf(NodeId literal) const;
  bool Any(NodeId id, bool (*is_wanted)(const Node&),
           absl::flat_hash_map<NodeId, bool>& memo);

  const CheckedPolicy& policy_;
  absl::flat_hash_map<NodeId, std::shared_ptr<const Outcomes>> found_;
  absl::flat_hash_map<NodeId, bool> may_fault_;
  absl::flat_hash_map<NodeId, bool> reads_;
  int64_t work_ = 0;
};

}  // namespace sgl

#endif  // POLICY_CHECK_CONDITION_RANGES_H_
