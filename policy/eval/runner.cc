#include "policy/eval/runner.h"

#include <absl/base/attributes.h>
#include <absl/strings/match.h>
#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace sgl {
namespace {

// So many cells stay in a processor's own cache: nothing of them is fetched
// ahead.
constexpr size_t kCachedCells = 1'024;

// Values noted of one rule that was computed in full.
constexpr int kValuesMax = static_cast<int>(kTestsMax);

bool IsEarlier(const Hit& left, const Hit& right) {
  return left.rule < right.rule;
}

re2::StringPiece Piece(absl::string_view text) {
  return re2::StringPiece(text.data(), text.size());
}

// A value of an index that a rule's `has` may rule out.
bool IsMissing(const Value& value) {
  return value.state == Value::State::kMissing ||
         (value.state == Value::State::kFault &&
          value.fault == Fault::kMissing);
}

bool Holds(const std::vector<std::string>& set, absl::string_view text) {
  const auto found =
      std::lower_bound(set.begin(), set.end(), text,
                       [](const std::string& left, absl::string_view right) {
                         return left < right;
                       });
  return found != set.end() && *found == text;
}

template <typename Word>
Word Load(const char* data) {
  Word word = 0;
  std::memcpy(&word, data, sizeof(word));
  return word;
}

// Returns whether the two are the same in `size` bytes. A call of memcmp costs
// more than most texts of a policy are long.
inline bool IsSame(const char* left, const char* right, size_t size) {
  if (size >= sizeof(uint64_t)) {
    const size_t last = size - sizeof(uint64_t);
    for (size_t at = 0; at < last; at += sizeof(uint64_t)) {
      if (Load<uint64_t>(left + at) != Load<uint64_t>(right + at)) return false;
    }
    return Load<uint64_t>(left + last) == Load<uint64_t>(right + last);
  }
  if (size >= sizeof(uint32_t)) {
    const size_t last = size - sizeof(uint32_t);
    return Load<uint32_t>(left) == Load<uint32_t>(right) &&
           Load<uint32_t>(left + last) == Load<uint32_t>(right + last);
  }
  if (size >= sizeof(uint16_t)) {
    return Load<uint16_t>(left) == Load<uint16_t>(right) &&
           left[size - 1] == right[size - 1];
  }
  return size == 0 || *left == *right;
}

inline bool BeginsWith(absl::string_view text, absl::string_view prefix) {
  return text.size() >= prefix.size() &&
         IsSame(text.data(), prefix.data(), prefix.size());
}

// Returns the rules under a text, whose hash is given; none where there is no
// such key.
inline CellList FindText(const ValueIndex& index, absl::string_view text,
                         uint64_t hash) {
  const size_t mask = index.texts.size() - 1;
  for (size_t at = hash & mask;; at = (at + 1) & mask) {
    const TextKey& key = index.texts[at];
    if (key.rules.count == 0) return {};
    if (key.hash == hash && key.size == text.size() &&
        (text.size() <= kExactHashMax ||
         IsSame(index.text.data() + key.offset, text.data(), text.size()))) {
      return key.rules;
    }
  }
}

// Returns how many of the ascending bounds are not above the value. Without a
// branch that the value decides.
size_t CountUpTo(const std::vector<int64_t>& bounds, int64_t value) {
  const int64_t* base = bounds.data();
  size_t size = bounds.size();
  if (size == 0) return 0;
  while (size > 1) {
    const size_t half = size / 2;
    base = base[half] <= value ? base + half : base;
    size -= half;
  }
  return static_cast<size_t>(base - bounds.data()) + (*base <= value ? 1 : 0);
}

}  // namespace

// What every rule runs through is in line: a call costs as much as a test.

bool Runner::IsTrueOfOthers(const Test& test, Value value) const {
  const size_t index = static_cast<size_t>(test.low);
  switch (test.op) {
    case TestOp::kEndsWith:
      return absl::EndsWith(value.text(), test.Text());
    case TestOp::kContains:
      return absl::StrContains(value.text(), test.Text());
    case TestOp::kInNumbers:
      return std::binary_search(program_.number_sets[index].begin(),
                                program_.number_sets[index].end(),
                                value.number);
    case TestOp::kInTexts:
      return Holds(program_.text_sets[index], value.text());
    case TestOp::kMatches:
      return program_.regexes[index]->Matches(value.text());
    default:
      return true;  // kIsPresent
  }
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool Runner::IsTrue(
    const Test& test, const Value& value) const {
  if (test.op <= TestOp::kInRange) {
    return static_cast<int>(test.low <= value.number) &
           static_cast<int>(value.number <= test.high);
  }
  switch (test.op) {
    case TestOp::kEqualText:
      return value.count == test.text_part.size &&
             IsSame(value.data, test.Text().data(), value.count);
    case TestOp::kStartsWith:
      return BeginsWith(value.text(), test.Text());
    case TestOp::kMatchesPlain:
      return BeginsWith(value.text(), test.Text()) &&
             index_.tails[test.text_part.tail].Matches(
                 value.text().substr(test.text_part.size));
    default:
      return IsTrueOfOthers(test, value);
  }
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline Runner::Result Runner::RunTests(
    const Test* tests, size_t* length) {
  // Targets lie ahead: no test is run twice.
  DecidingValue* const path = values_.data() + value_count_;
  size_t count = 0;
  uint32_t at = 0;
  do {
    const Test& test = tests[at];
    // A slot's value stays where it is: a copy that is written in halves and
    // read whole would be waited for.
    Value computed;
    const Value* value = &computed;
    if (ABSL_PREDICT_TRUE(test.source == ValueSource::kSlot)) {
      value = slots_ + test.value;
    } else {
      computed = evaluator_.Get(test.value);
    }
    bool is_true = false;
    if (ABSL_PREDICT_TRUE(value->is_present())) {
      is_true = IsTrue(test, *value);
      path[count].instruction = test.instruction;
      path[count++].value = *value;
    } else if (test.op != TestOp::kIsPresent) {
      return Result::kUnknown;
    }
    at = is_true ? test.on_true : test.on_false;
  } while (at < kApplies);
  *length = count;
  return at == kApplies ? Result::kTrue : Result::kFalse;
}

inline void Runner::AddHit(const RuleHead& head, Fault fault,
                           size_t value_count) {
  const bool is_fault = fault != Fault::kNone;
  Hit& hit = hits_.emplace_back();
  hit.rule = head.rule;
  hit.fault = fault;
  hit.kind = is_fault ? DecisionKind::kBlock : head.kind;
  hit.is_limit = head.is_limit && !is_fault;
  hit.first_value = static_cast<uint32_t>(value_count_);
  hit.value_count = static_cast<uint32_t>(value_count);
  severest_ = std::max(severest_, hit.kind);
  mildest_ = std::min(mildest_, hit.kind);
  is_ordered_ = is_ordered_ && hit.rule > last_rule_;
  last_rule_ = hit.rule;
  has_limit_hit_ = has_limit_hit_ || hit.is_limit;
  is_blocked_ =
      is_blocked_ || (hit.kind == DecisionKind::kBlock && !hit.is_limit);
  value_count_ += value_count;
  if (values_.size() - value_count_ < kTestsMax) MakeRoom();
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Runner::RunRule(const Cell* cell) {
  const RuleHead& head = cell->head;
  if (is_blocked_ && head.is_moot_if_blocked) return;
  if (ABSL_PREDICT_FALSE(head.test_count == 0)) {
    return head.condition < 0 ? AddHit(head, Fault::kNone, 0) : RunInFull(head);
  }
  size_t length = 0;
  const Result result = RunTests(&cell[1].test, &length);
  if (result == Result::kTrue) return AddHit(head, Fault::kNone, length);
  if (ABSL_PREDICT_FALSE(result == Result::kUnknown)) RunInFull(head);
}

Runner::Runner(const DecisionProgram& program)
    : program_(program),
      index_(program.index),
      is_large_(program.index.cells.size() > kCachedCells),
      evaluator_(program),
      values_(4 * kTestsMax) {}

const Verdict& Runner::Run(const Facts& facts) {
  facts_ = &facts;
  slots_ = facts.slots.data();
  evaluator_.Reset(facts);
  is_blocked_ = false;
  hits_.clear();
  is_mixed_ = false;
  value_count_ = 0;
  draw_count_ = 0;
  draw_places_.clear();
  DecisionKind kind = RunLayer(0);
  if (facts.tenant_layer >= 0) {
    kind = std::max(kind, RunLayer(static_cast<size_t>(facts.tenant_layer)));
  }
  FinishVerdict(kind);
  return verdict_;
}

void Runner::Prefetch(const Facts& facts, size_t step) const {
  constexpr size_t kLine = 64;
  const auto fetch = [](const void* from) {
    __builtin_prefetch(from);
    __builtin_prefetch(static_cast<const char*>(from) + kLine);
  };
  if (step == 0) return fetch(&facts);
  if (facts.type_id < 0) return;
  const int32_t number =
      index_.layers[0].group_of_type[static_cast<size_t>(facts.type_id)];
  if (number < 0) return;
  const RuleGroup& group = index_.groups[static_cast<size_t>(number)];
  if (step == 1 && group.always_count > 0) {
    fetch(index_.cells.data() + group.first_cell);
  }
  if (group.index_count == 0) return;
  // The first index only: most groups have no other.
  const ValueIndex& index = index_.indexes[group.first_index];
  const bool is_prefix = index.kind == IndexKind::kPrefixes;
  if (index.source != ValueSource::kSlot ||
      (!is_prefix && index.kind != IndexKind::kTexts)) {
    return;
  }
  const Value& value = facts.slots[static_cast<size_t>(index.value)];
  if (!value.is_present()) return;
  if (step == 1) return __builtin_prefetch(value.data);
  absl::string_view text = value.text();
  if (is_prefix) text = text.substr(0, index.prefix_sizes[0]);
  const uint64_t hash = HashText(text.data(), text.size());
  if (step == 2) {
    return __builtin_prefetch(&index.texts[hash & (index.texts.size() - 1)]);
  }
  const CellList rules = FindText(index, text, hash);
  if (rules.count == 1) fetch(index_.cells.data() + rules.first);
}

DecisionKind Runner::RunLayer(size_t number) {
  const LayerIndex& layer = index_.layers[number];
  const size_t first_hit = hits_.size();
  severest_ = DecisionKind::kAllow;
  mildest_ = DecisionKind::kBlock;
  last_rule_ = -1;
  is_ordered_ = true;
  has_limit_hit_ = false;
  int32_t group = -1;
  if (number == 0) {
    if (facts_->type_id >= 0) {
      group = layer.group_of_type[static_cast<size_t>(facts_->type_id)];
    }
  } else if (const auto found = layer.typed_groups.find(facts_->type_id);
             found != layer.typed_groups.end()) {
    group = found->second;
  }
  if (group >= 0) RunGroup(index_.groups[static_cast<size_t>(group)]);
  if (layer.common >= 0 && (group < 0 || !layer.holds_common)) {
    RunGroup(index_.groups[static_cast<size_t>(layer.common)]);
  }
  return FinishLayer(first_hit, program_.layers[number].default_decision);
}

void Runner::RunGroup(const RuleGroup& group) {
  const Cell* cell = index_.cells.data() + group.first_cell;
  for (uint32_t i = 0; i < group.always_count; ++i) {
    RunRule(cell);
    cell += 1 + cell->head.test_count;
  }
  const ValueIndex* const indexes = index_.indexes.data() + group.first_index;
  for (uint32_t i = 0; i < group.index_count; ++i) RunIndex(indexes[i]);
}

void Runner::RunIndex(const ValueIndex& index) {
  const Value value = index.source == ValueSource::kSlot
                          ? slots_[index.value]
                          : evaluator_.Get(index.value);
  if (!value.is_present()) {
    return RunList(IsMissing(value) ? index.unguarded : index.all);
  }
  switch (index.kind) {
    case IndexKind::kNumbers:
      return RunNumbers(index, value.number);
    case IndexKind::kTexts:
      return RunText(index, value.text());
    case IndexKind::kPrefixes:
      return RunPrefixes(index, value.text());
    case IndexKind::kRanges:
      return RunRanges(index, value.number);
    case IndexKind::kRegexes:
      return RunRegexes(index, value.text());
  }
}

void Runner::RunNumbers(const ValueIndex& index, int64_t number) {
  const size_t mask = index.numbers.size() - 1;
  for (size_t at = HashNumber(number) & mask;; at = (at + 1) & mask) {
    const NumberKey& key = index.numbers[at];
    if (key.rules.count == 0) return;
    if (key.number == number) return RunList(key.rules);
  }
}

void Runner::RunText(const ValueIndex& index, absl::string_view text) {
  RunList(FindText(index, text, HashText(text.data(), text.size())));
}

void Runner::RunPrefixes(const ValueIndex& index, absl::string_view text) {
  for (const uint32_t size : index.prefix_sizes) {
    if (size > text.size()) return;
    RunText(index, text.substr(0, size));
  }
}

void Runner::RunRanges(const ValueIndex& index, int64_t number) {
  const size_t segment = CountUpTo(index.bounds, number);
  if (segment > 0) RunList(index.between[segment - 1]);
  RunCells(index.by_low, CountUpTo(index.lows, number));
  if (index.highs.empty()) return;
  const auto end =
      std::partition_point(index.highs.begin(), index.highs.end(),
                           [number](int64_t high) { return high >= number; });
  RunCells(index.by_high, static_cast<size_t>(end - index.highs.begin()));
}

void Runner::RunRegexes(const ValueIndex& index, absl::string_view text) {
  RE2::Set::ErrorInfo error = {RE2::Set::kNoError};
  // Asking which ones match costs an allocation inside RE2: only where any do.
  bool matches = index.regexes->Match(Piece(text), nullptr, &error);
  if (matches && error.kind == RE2::Set::kNoError) {
    matches = index.regexes->Match(Piece(text), &matched_, &error);
  }
  if (error.kind != RE2::Set::kNoError) return RunList(index.all);
  if (!matches) return;
  for (const int regex : matched_) {
    const size_t number = static_cast<size_t>(regex);
    evaluator_.Remember(index.memo_of_regex[number], Value::Number(1));
  }
  for (const int regex : matched_) {
    RunList(index.by_regex[static_cast<size_t>(regex)]);
  }
}

void Runner::RunList(CellList list) {
  if (list.count == 1) return RunRule(index_.cells.data() + list.first);
  RunCells(list.first, list.count);
}

void Runner::RunCells(uint32_t first, size_t count) {
  const uint32_t* const cells = index_.lists.data() + first;
  for (size_t i = 0; i < count; ++i) {
    RunRule(index_.cells.data() + cells[i]);
  }
}

void Runner::RunInFull(const RuleHead& head) {
  const Value condition = evaluator_.Get(head.condition);
  if (!condition.is_present()) {
    return AddHit(head, HandOn(condition).fault, 0);
  }
  if (condition.number == 0) return;
  int left = kValuesMax;
  size_t count = 0;
  NoteTrue(head.condition, true, &left, &count);
  AddHit(head, Fault::kNone, count);
}

void Runner::NoteTrue(int32_t id, bool is_true, int* left, size_t* count) {
  if (--*left < 0) return;
  const Instruction& instruction =
      program_.instructions[static_cast<size_t>(id)];
  const int32_t* const operands =
      program_.children.data() + instruction.first_child;
  if (instruction.code == Code::kNot) {
    return NoteTrue(operands[0], !is_true, left, count);
  }
  const bool is_junction =
      instruction.code == Code::kAnd || instruction.code == Code::kOr;
  if (!is_junction) {
    values_[value_count_ + (*count)++] = {id, evaluator_.Get(id)};
    return;
  }
  const bool needs_all = (instruction.code == Code::kAnd) == is_true;
  for (int32_t i = 0; i < instruction.child_count; ++i) {
    if (needs_all) {
      NoteTrue(operands[i], is_true, left, count);
      continue;
    }
    const Value value = evaluator_.Get(operands[i]);
    if (!value.is_present() || (value.number != 0) != is_true) continue;
    return NoteTrue(operands[i], is_true, left, count);
  }
}

DecisionKind Runner::FinishLayer(size_t first_hit,
                                 DecisionKind default_decision) {
  if (!is_ordered_) SortLayer(first_hit);
  if (has_limit_hit_) HoldLimits(first_hit);
  if (hits_.size() == first_hit) return default_decision;
  is_mixed_ = is_mixed_ || mildest_ != severest_;
  return severest_;
}

void Runner::SortLayer(size_t first_hit) {
  const auto first = hits_.begin() + static_cast<std::ptrdiff_t>(first_hit);
  std::sort(first, hits_.end(), IsEarlier);
  // A rule that stands under two values of an index may be run twice.
  const auto same = [](const Hit& left, const Hit& right) {
    return left.rule == right.rule;
  };
  hits_.erase(std::unique(first, hits_.end(), same), hits_.end());
}

void Runner::HoldLimits(size_t first_hit) {
  const auto first = hits_.begin() + static_cast<std::ptrdiff_t>(first_hit);
  hits_.erase(std::remove_if(
                  first, hits_.end(),
                  [this](Hit& hit) { return hit.is_limit && !HoldLimit(hit); }),
              hits_.end());
  severest_ = DecisionKind::kAllow;
  mildest_ = DecisionKind::kBlock;
  for (size_t i = first_hit; i < hits_.size(); ++i) {
    severest_ = std::max(severest_, hits_[i].kind);
    mildest_ = std::min(mildest_, hits_[i].kind);
  }
}

bool Runner::HoldLimit(Hit& hit) {
  if (draw_count_ == draws_.size()) draws_.emplace_back();
  bool is_exceeded = false;
  const Fault fault =
      evaluator_.Draw(program_.rules[static_cast<size_t>(hit.rule)],
                      &draws_[draw_count_], &is_exceeded);
  // Draws stand by place; those of two layers may interleave.
  size_t at = draw_count_++;
  draw_places_.push_back(hit.rule);
  for (; at > 0 && draw_places_[at - 1] > draw_places_[at]; --at) {
    std::swap(draw_places_[at - 1], draw_places_[at]);
    std::swap(draws_[at - 1], draws_[at]);
  }
  if (fault != Fault::kNone) {
    hit.fault = fault;
    hit.kind = DecisionKind::kBlock;
    hit.value_count = 0;
  }
  return fault != Fault::kNone || is_exceeded;
}

void Runner::FinishVerdict(DecisionKind kind) {
  // Two layers may differ, or one have hits milder than the other's default.
  const bool has_two_layers = facts_->tenant_layer >= 0;
  if (is_mixed_ || has_two_layers) {
    const auto is_milder = [kind](const Hit& hit) { return hit.kind != kind; };
    hits_.erase(std::remove_if(hits_.begin(), hits_.end(), is_milder),
                hits_.end());
  }
  if (has_two_layers) std::sort(hits_.begin(), hits_.end(), IsEarlier);
  verdict_.kind = kind;
  verdict_.hits = hits_;
  verdict_.values = {values_.data(), value_count_};
  verdict_.limit_draws = {draws_.data(), draw_count_};
}

}  // namespace sgl
