#include "policy/check/condition_ranges.h"

#include <absl/container/inlined_vector.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

#include "base/check.h"

namespace sgl {
namespace {

// A list of sanctioned accounts has thousands of members, and says nothing
// that a warning would need.
constexpr size_t kValuesMax = 1'000;
constexpr size_t kThingsMax = 64;

// Outcomes remembered at a time: about ten megabytes.
constexpr size_t kFoundMax = 20'000;

// Steps, each a member looked at: a second or so in all.
constexpr int64_t kWorkMax = 50'000'000;

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
constexpr int64_t kDecimalUnit = 1'000'000'000;

bool IsFaulty(const Node& node) {
  return node.op == Op::kDomain || node.op == Op::kAdd ||
         node.op == Op::kSubtract || node.op == Op::kMultiply ||
         node.op == Op::kNegate || node.op == Op::kSum;
}

bool IsReading(const Node& node) {
  return node.op == Op::kPath || node.op == Op::kHas || node.op == Op::kScan ||
         node.op == Op::kConnected;
}

bool IsTextOp(Op op) {
  return op == Op::kStartsWith || op == Op::kEndsWith || op == Op::kContains;
}

bool HasCapital(absl::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char byte) { return 'A' <= byte && byte <= 'Z'; });
}

bool Fits(Op op, absl::string_view text, absl::string_view part) {
  if (op == Op::kStartsWith) return absl::StartsWith(text, part);
  if (op == Op::kEndsWith) return absl::EndsWith(text, part);
  return absl::StrContains(text, part);
}

// Returns the operator that says the same with its sides changed over.
Op Mirrored(Op op) {
  if (op == Op::kLess) return Op::kGreater;
  if (op == Op::kLessEqual) return Op::kGreaterEqual;
  if (op == Op::kGreater) return Op::kLess;
  if (op == Op::kGreaterEqual) return Op::kLessEqual;
  return op;
}

// Returns the numbers that compare so with a constant.
ValueSet Compared(Op op, int64_t with) {
  switch (op) {
    case Op::kLess:
      return with == kLowest ? ValueSet()
                             : ValueSet::Between(kLowest, with - 1);
    case Op::kLessEqual:
      return ValueSet::Between(kLowest, with);
    case Op::kGreater:
      return with == kHighest ? ValueSet()
                              : ValueSet::Between(with + 1, kHighest);
    case Op::kGreaterEqual:
      return ValueSet::Between(with, kHighest);
    case Op::kNotEqual:
      return ValueSet::Number(with).Complement();
    default:
      return ValueSet::Number(with);
  }
}

bool IsComparison(Op op) {
  return op == Op::kEqual || op == Op::kNotEqual || op == Op::kLess ||
         op == Op::kLessEqual || op == Op::kGreater || op == Op::kGreaterEqual;
}

// Returns whether the outcomes are found as fast as they are remembered. Most
// conditions of this form stand in one rule only.
bool IsCheap(Op op) {
  return IsComparison(op) || IsTextOp(op) || op == Op::kMatches;
}

// Returns what is known of a condition by its values; nothing where both can
// be.
std::optional<bool> TruthOf(const ValueSet& values) {
  if (values == ValueSet::Number(1)) return true;
  if (values == ValueSet::Number(0)) return false;
  return std::nullopt;
}

// Returns the outcomes of what is the same in every request.
Outcomes Always(bool value) {
  Outcomes outcomes;
  (value ? outcomes.if_false : outcomes.if_true) = KnownValues::Impossible();
  return outcomes;
}

}  // namespace

KnownValues KnownValues::Impossible() {
  KnownValues none;
  none.is_possible_ = false;
  return none;
}

KnownValues KnownValues::Of(NodeId thing, ValueSet values) {
  if (values.is_empty()) return Impossible();
  KnownValues known;
  known.known_.emplace_back(thing, std::move(values));
  return known;
}

const ValueSet* KnownValues::Find(NodeId thing) const {
  const auto found = std::lower_bound(
      known_.begin(), known_.end(), thing,
      [](const Known& known, NodeId id) { return known.first < id; });
  if (found == known_.end() || found->first != thing) return nullptr;
  return &found->second;
}

void KnownValues::And(const KnownValues& other) {
  if (!other.is_possible_) *this = Impossible();
  if (!is_possible_ || other.known_.empty()) return;
  if (known_.empty()) {
    known_ = other.known_;
    return;
  }
  KnownList met;
  size_t i = 0;
  for (const auto& [thing, values] : other.known_) {
    while (i < known_.size() && known_[i].first < thing) {
      met.push_back(std::move(known_[i++]));
    }
    if (i < known_.size() && known_[i].first == thing) {
      met.emplace_back(thing, known_[i++].second.Meet(values));
      if (met.back().second.is_empty()) {
        *this = Impossible();
        return;
      }
    } else {
      met.emplace_back(thing, values);
    }
  }
  for (; i < known_.size(); ++i) met.push_back(std::move(known_[i]));
  if (met.size() > kThingsMax) {
    met.erase(met.begin() + static_cast<std::ptrdiff_t>(kThingsMax), met.end());
  }
  known_ = std::move(met);
}

void KnownValues::Or(const KnownValues& other) {
  if (!other.is_possible_) return;
  if (!is_possible_) {
    *this = other;
    return;
  }
  KnownList joined;
  for (const auto& [thing, values] : known_) {
    const ValueSet* const others = other.Find(thing);
    if (others == nullptr) continue;
    ValueSet either = values.Join(*others);
    if (either.size() <= kValuesMax) {
      joined.emplace_back(thing, std::move(either));
    }
  }
  known_ = std::move(joined);
}

std::shared_ptr<const Outcomes> ConditionRanges::Of(NodeId id) {
  if (IsCheap(policy_.node(id).op)) {
    return std::make_shared<const Outcomes>(Atom(id));
  }
  const auto known = found_.find(id);
  if (known != found_.end()) return known->second;
  auto outcomes = std::make_shared<const Outcomes>(
      ++work_ > kWorkMax ? Outcomes{} : Find(id));
  for (const auto& [thing, values] : outcomes->if_true.all()) {
    work_ += static_cast<int64_t>(values.size());
  }
  if (found_.size() >= kFoundMax) found_.clear();
  found_.emplace(id, outcomes);
  return outcomes;
}

Outcomes ConditionRanges::Find(NodeId id) {
  const Node& node = policy_.node(id);
  switch (node.op) {
    case Op::kAnd:
    case Op::kOr:
      return AndOr(node);
    case Op::kNot: {
      const auto operand = Of(policy_.child(node, 0));
      return {operand->if_false, operand->if_true};
    }
    case Op::kAny:
      if (Of(policy_.child(node, 1))->is_never_true()) return Always(false);
      return Atom(id);
    case Op::kAll:
      if (Of(policy_.child(node, 1))->is_never_false()) return Always(true);
      return Atom(id);
    default:
      return Atom(id);
  }
}

Outcomes ConditionRanges::AndOr(const Node& node) {
  const bool is_and = node.op == Op::kAnd;
  Outcomes outcomes;
  KnownValues& strong = is_and ? outcomes.if_true : outcomes.if_false;
  KnownValues& weak = is_and ? outcomes.if_false : outcomes.if_true;
  weak = KnownValues::Impossible();
  for (int i = 0; i < node.child_count; ++i) {
    const auto operand = Of(policy_.child(node, i));
    strong.And(is_and ? operand->if_true : operand->if_false);
    Settle(strong);
    weak.Or(is_and ? operand->if_false : operand->if_true);
    const size_t things = strong.all().size();
    work_ += static_cast<int64_t>(things * things + weak.all().size());
    for (const auto& [thing, values] : weak.all()) {
      work_ += static_cast<int64_t>(values.size());
    }
    if (work_ > kWorkMax) return {};
  }
  return outcomes;
}

// Returns the outcomes of what is no connective.
Outcomes ConditionRanges::Atom(NodeId id) {
  const Node& node = policy_.node(id);
  if (const std::optional<bool> like = CompareLike(id)) return Always(*like);
  if (IsTextOp(node.op)) {
    if (const std::optional<bool> fits = CompareTexts(node)) {
      return Always(*fits);
    }
  }
  if (const std::optional<KnownValues::Known> compared = Comparison(id)) {
    const auto& [thing, values] = *compared;
    return {Bounded(thing, values), Bounded(thing, values.Complement())};
  }
  return {Bounded(id, ValueSet::Number(1)), Bounded(id, ValueSet::Number(0))};
}

std::optional<KnownValues::Known> ConditionRanges::Comparison(NodeId id) const {
  const Node& node = policy_.node(id);
  if (node.child_count == 0) return std::nullopt;
  const NodeId left = policy_.child(node, 0);
  if (node.op == Op::kInRange) {
    const ConstantRange& range =
        policy_.ranges[static_cast<size_t>(node.index)];
    return KnownValues::Known(left, ValueSet::Between(range.low, range.high));
  }
  if (node.op == Op::kInSet) {
    const ConstantSet& set = policy_.sets[static_cast<size_t>(node.index)];
    if (set.numbers.size() + set.texts.size() > kValuesMax) {
      return std::nullopt;
    }
    if (set.texts.empty()) {
      return KnownValues::Known(left, ValueSet::Numbers(set.numbers));
    }
    return KnownValues::Known(
        left, ValueSet::Texts({set.texts.begin(), set.texts.end()}));
  }
  if (!IsComparison(node.op)) return std::nullopt;
  const NodeId right = policy_.child(node, 1);
  const bool is_right = policy_.node(right).op == Op::kLiteral;
  const NodeId constant = is_right ? right : left;
  if (policy_.node(constant).op != Op::kLiteral) return std::nullopt;
  const NodeId thing = is_right ? left : right;
  const Literal& literal =
      policy_.literals[static_cast<size_t>(policy_.node(constant).index)];
  const TypeKind kind = policy_.types.kind(literal.type);
  if (kind == TypeKind::kString || kind == TypeKind::kSymbol) {
    ValueSet values = ValueSet::Text(literal.text);
    if (node.op == Op::kNotEqual) values = values.Complement();
    return KnownValues::Known(thing, std::move(values));
  }
  const Op op = is_right ? node.op : Mirrored(node.op);
  return KnownValues::Known(thing, Compared(op, literal.number));
}

// Returns what comparing a thing with itself gives, where it gives anything.
std::optional<bool> ConditionRanges::CompareLike(NodeId id) const {
  const Node& node = policy_.node(id);
  if (!IsComparison(node.op)) return std::nullopt;
  if (policy_.child(node, 0) != policy_.child(node, 1)) return std::nullopt;
  return node.op == Op::kEqual || node.op == Op::kLessEqual ||
         node.op == Op::kGreaterEqual;
}

// Returns what a text operator gives, where its constants alone say it.
std::optional<bool> ConditionRanges::CompareTexts(const Node& node) const {
  const Node& subject = policy_.node(policy_.child(node, 0));
  const NodeId part_id = policy_.child(node, 1);
  if (policy_.node(part_id).op != Op::kLiteral) return std::nullopt;
  const absl::string_view part = TextOf(part_id);
  if (part.empty()) return true;
  if (subject.op == Op::kLiteral) {
    return Fits(node.op, TextOf(policy_.child(node, 0)), part);
  }
  if ((subject.op == Op::kLower || subject.op == Op::kDomain) &&
      HasCapital(part)) {
    return false;
  }
  return std::nullopt;
}

absl::string_view ConditionRanges::TextOf(NodeId literal) const {
  return policy_.literals[static_cast<size_t>(policy_.node(literal).index)]
      .text;
}

// Returns what is known of a thing whose value is one of these.
KnownValues ConditionRanges::Bounded(NodeId thing, ValueSet values) const {
  const std::optional<ValueSet> bounds = BoundsOf(thing);
  if (bounds.has_value() && bounds->is_text() == values.is_text()) {
    values = values.Meet(*bounds);
  }
  const Op op = policy_.node(thing).op;
  if ((op == Op::kLower || op == Op::kDomain) && values.is_listed()) {
    values.Keep([](absl::string_view text) { return !HasCapital(text); });
  }
  return KnownValues::Of(thing, std::move(values));
}

// Returns the values that a thing can have in any request at all.
std::optional<ValueSet> ConditionRanges::BoundsOf(NodeId thing) const {
  const Node& node = policy_.node(thing);
  const Type& type = policy_.types[node.type];
  if (node.op == Op::kLiteral) {
    const Literal& literal = policy_.literals[static_cast<size_t>(node.index)];
    const bool is_text =
        type.kind == TypeKind::kString || type.kind == TypeKind::kSymbol;
    return is_text ? ValueSet::Text(literal.text)
                   : ValueSet::Number(literal.number);
  }
  if (type.kind == TypeKind::kBool) return ValueSet::Between(0, 1);
  if (type.kind == TypeKind::kEnum) {
    return ValueSet::Between(0, static_cast<int64_t>(type.members.size()) - 1);
  }
  switch (node.op) {
    case Op::kSize:
    case Op::kCount:
      return ValueSet::Between(0, kHighest);
    case Op::kHour:
      return ValueSet::Between(0, 23);
    case Op::kWeekday:
      return ValueSet::Between(1, 7);
    case Op::kPath:
      break;
    default:
      return std::nullopt;
  }
  const Path& path = policy_.paths[static_cast<size_t>(node.index)];
  if (path.root != PathRoot::kFixed) return std::nullopt;
  const auto field = static_cast<RootField>(path.index);
  // A negative spend is INVALID_PAYLOAD: no rule sees it.
  if (field == RootField::kIntentSpend) return ValueSet::Between(0, kHighest);
  if (field == RootField::kBudgetUsed) {
    return ValueSet::Between(0, kDecimalUnit);
  }
  return std::nullopt;
}

// Applies what is known of the beginnings, ends and parts of a text to the
// texts that it can still be.
void ConditionRanges::Settle(KnownValues& values) const {
  if (!values.is_possible_) return;
  for (const auto& [id, truth] : values.known_) {
    const Node& node = policy_.node(id);
    if (!IsTextOp(node.op) || node.child_count != 2) continue;
    const NodeId part = policy_.child(node, 1);
    const std::optional<bool> wanted = TruthOf(truth);
    if (policy_.node(part).op != Op::kLiteral || !wanted.has_value()) continue;
    for (auto& [thing, texts] : values.known_) {
      if (thing != policy_.child(node, 0) || !texts.is_listed()) continue;
      texts.Keep([&](absl::string_view text) {
        return Fits(node.op, text, TextOf(part)) == *wanted;
      });
      if (texts.is_empty()) {
        values = KnownValues::Impossible();
        return;
      }
    }
  }
  if (PrefixesClash(values)) values = KnownValues::Impossible();
}

// Returns whether one text would begin with two different prefixes, or with a
// prefix of it that it does not begin with.
bool ConditionRanges::PrefixesClash(const KnownValues& values) const {
  struct Prefix {
    NodeId thing;
    absl::string_view text;
    bool is_wanted;
  };
  absl::InlinedVector<Prefix, 2> prefixes;
  for (const auto& [id, truth] : values.known_) {
    const Node& node = policy_.node(id);
    if (node.op != Op::kStartsWith) continue;
    const NodeId part = policy_.child(node, 1);
    const std::optional<bool> wanted = TruthOf(truth);
    if (policy_.node(part).op != Op::kLiteral || !wanted.has_value()) continue;
    prefixes.push_back({policy_.child(node, 0), TextOf(part), *wanted});
  }
  for (const Prefix& one : prefixes) {
    if (!one.is_wanted) continue;
    for (const Prefix& two : prefixes) {
      if (one.thing != two.thing) continue;
      const bool agree = absl::StartsWith(one.text, two.text);
      if (two.is_wanted ? !agree && !absl::StartsWith(two.text, one.text)
                        : agree) {
        return true;
      }
    }
  }
  return false;
}

bool ConditionRanges::Exclude(const KnownValues& one,
                              const KnownValues& two) const {
  // Of a single outcome all is settled that can be.
  if (two.is_possible() && two.all().empty()) return !one.is_possible();
  KnownValues both = one;
  both.And(two);
  Settle(both);
  return !both.is_possible();
}

bool ConditionRanges::MayFault(NodeId id) {
  return Any(id, IsFaulty, may_fault_);
}

bool ConditionRanges::IsConstant(NodeId id) {
  return !Any(id, IsReading, reads_);
}

// Returns whether a node is wanted, or one below it.
bool ConditionRanges::Any(NodeId id, bool (*is_wanted)(const Node&),
                          absl::flat_hash_map<NodeId, bool>& memo) {
  const auto known = memo.find(id);
  if (known != memo.end()) return known->second;
  const Node& node = policy_.node(id);
  bool found = is_wanted(node);
  for (int i = 0; i < node.child_count && !found; ++i) {
    found = Any(policy_.child(node, i), is_wanted, memo);
  }
  memo.emplace(id, found);
  return found;
}

}  // namespace sgl
