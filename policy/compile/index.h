// The index of a decision program: which rules a request can make apply, and
// their conditions as flat code. Made by index_builder, run by eval/runner.
//
// Rules stand in groups, one for each layer and type that rules are on. A
// group's rules are found in one of two ways: through an index over a value
// that their conditions test against constants (a rule stands in it under
// those constants), or always. A rule may be left out only where its condition
// is certainly false; where the value itself is a fault, all rules of its
// index are run, and where it is missing, all that don't guard it.
//
// Everything here is flat, built once, and read by many threads. Cells hold
// what a rule needs in one piece, so that running it costs few cache misses.
//
// Internal to the policy layer.

#ifndef POLICY_COMPILE_INDEX_H_
#define POLICY_COMPILE_INDEX_H_

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>
#include <re2/set.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "policy/compile/plain_pattern.h"
#include "policy/decision_kind.h"

namespace sgl {

// Where a test finds the value that it looks at.
enum class ValueSource : uint8_t { kSlot, kInstruction };

enum class TestOp : uint8_t {
  // These hold where low <= number <= high, however they were written: one
  // code runs them all, without a branch that the number decides.
  kIsTrue,
  kEqual,    // low == high
  kAtMost,   // low is the least number
  kAtLeast,  // high is the greatest
  kInRange,
  // All others.
  kIsPresent,     // the slot's value is there; never a fault
  kInNumbers,     // number_sets[low]
  kEqualText,     // the test's text, likewise the next three
  kStartsWith,    //
  kEndsWith,      //
  kContains,      //
  kInTexts,       // text_sets[low]
  kMatches,       // regexes[low]
  kMatchesPlain,  // the test's text and behind it `tails[text_part.tail]`
};

// Tests of one rule. More is left to the evaluator, which computes what stands
// twice in a condition once.
inline constexpr size_t kTestsMax = 48;

// Targets of a test that end the code.
inline constexpr uint16_t kApplies = 0xfffe;
inline constexpr uint16_t kFails = 0xffff;

// Texts up to this size stand in the test itself.
inline constexpr uint32_t kInlineTextMax = 8;

// The rest of a test on a text.
struct TextPart {
  uint32_t size;
  uint32_t tail;  // kMatchesPlain
};

// One comparison and where to go on: `on_true` and `on_false` are numbers of
// tests of the same rule, always later ones, or one of the two ends. A value
// that is not there ends the code too, without a result.
struct Test {
  TestOp op = TestOp::kIsTrue;
  ValueSource source = ValueSource::kInstruction;
  uint16_t on_true = kApplies;
  uint16_t on_false = kFails;
  // A slot or an instruction.
  int32_t value = 0;
  // The instruction whose value it is, for who asks what decided.
  int32_t instruction = 0;
  union {
    int64_t low = 1;   // kIsTrue's
    const char* text;  // the program's
    char inline_text[kInlineTextMax];
  };
  union {
    int64_t high = 1;
    TextPart text_part;
  };

  absl::string_view Text() const {
    const uint32_t size = text_part.size;
    return {size <= kInlineTextMax ? inline_text : text, size};
  }
};

// Stands before a rule's tests.
struct RuleHead {
  int32_t rule = 0;
  // The instruction to compute where the code gives no result; negative: the
  // rule always applies.
  int32_t condition = -1;
  uint16_t test_count = 0;  // none: only `condition` can tell
  DecisionKind kind = DecisionKind::kBlock;
  // Changes no output once another rule blocks.
  bool is_moot_if_blocked = false;
  bool is_limit = false;
};

union Cell {
  RuleHead head;
  Test test;

  Cell() : test() {}
};
static_assert(sizeof(Cell) == 32);

// Cells of rule heads, blocking rules first: a part of DecisionIndex::lists, or
// where there is but one, that cell itself, so that it is found at once.
struct CellList {
  uint32_t first = 0;
  uint32_t count = 0;
};

enum class IndexKind : uint8_t {
  kNumbers,
  kTexts,
  kPrefixes,
  kRanges,
  kRegexes
};

struct NumberKey {
  int64_t number = 0;
  CellList rules;  // none: the place is free
};

struct TextKey {
  uint64_t hash = 0;
  uint32_t offset = 0;  // into ValueIndex::text
  uint32_t size = 0;
  CellList rules;  // none: the place is free
};

// The rules of one group by one value. Which fields are used is up to `kind`.
struct ValueIndex {
  IndexKind kind = IndexKind::kNumbers;
  ValueSource source = ValueSource::kInstruction;
  int32_t value = 0;        // as in Test
  int32_t instruction = 0;  // whose value it is
  // All rules of the index, and those that a missing value does not rule out.
  CellList all;
  CellList unguarded;

  // kNumbers, kTexts, kPrefixes: open addressing, of a power of two in size.
  std::vector<NumberKey> numbers;
  std::vector<TextKey> texts;
  std::string text;                    // of all keys
  std::vector<uint32_t> prefix_sizes;  // that occur, ascending

  // kRanges: `between[i]` holds from bounds[i] up to before bounds[i + 1].
  // Ranges that would fill too many of them are found by their low end alone:
  // the rules of the first `n` of `lows` where n lows are not above the value.
  // Those without a low end are found by their high end, likewise from above.
  std::vector<int64_t> bounds;
  std::vector<CellList> between;
  // The rules of all of them stand in DecisionIndex::lists from `by_low` and
  // `by_high` on.
  std::vector<int64_t> lows;  // ascending, their rules likewise
  uint32_t by_low = 0;
  std::vector<int64_t> highs;  // descending, their rules likewise
  uint32_t by_high = 0;

  // kRegexes: all of one case flag in one automaton.
  std::unique_ptr<const RE2::Set> regexes;
  bool ignores_case = false;
  std::vector<CellList> by_regex;
  // The memo of each regex's instruction, which then needs no second match.
  std::vector<int32_t> memo_of_regex;
};

// The rules of one layer that are on one type.
struct RuleGroup {
  uint32_t first_index = 0;
  uint32_t index_count = 0;
  // The rules that are always run, one behind the other.
  uint32_t first_cell = 0;
  uint32_t always_count = 0;
};

struct LayerIndex {
  // By type number; the groups hold the rules on all types too where
  // `holds_common`, else those stand in `common` alone.
  std::vector<int32_t> group_of_type;                  // the platform
  absl::flat_hash_map<int32_t, int32_t> typed_groups;  // a tenant
  bool holds_common = false;
  // Of types that no rule is on; negative where there is none.
  int32_t common = -1;
};

struct DecisionIndex {
  // Of each regex that is a plain pattern what stands behind the prefix, in
  // `tails`; -1 for all others.
  std::vector<int32_t> tail_of_regex;
  std::vector<PatternTail> tails;
  std::vector<Cell> cells;
  std::vector<uint32_t> lists;
  std::vector<ValueIndex> indexes;
  std::vector<RuleGroup> groups;
  std::vector<LayerIndex> layers;
};

// Texts of one size up to this are the same where their hashes are: each step
// of HashText can be undone.
inline constexpr size_t kExactHashMax = 8;

// Returns a hash for the tables of texts.
inline uint64_t HashText(const char* data, size_t size) {
  constexpr uint64_t kMix = 0x9e3779b97f4a7c15;
  uint64_t hash = size * kMix;
  while (size > 8) {
    uint64_t word = 0;
    __builtin_memcpy(&word, data, 8);
    hash = (hash ^ word) * kMix;
    hash ^= hash >> 32;
    data += 8;
    size -= 8;
  }
  uint64_t word = 0;
  if (size == 8) {
    __builtin_memcpy(&word, data, 8);
  } else if (size >= 4) {
    uint32_t front = 0;
    uint32_t back = 0;
    __builtin_memcpy(&front, data, 4);
    __builtin_memcpy(&back, data + size - 4, 4);
    word = (uint64_t{front} << 32) | back;
  } else {
    for (size_t i = 0; i < size; ++i) {
      word = (word << 8) | static_cast<unsigned char>(data[i]);
    }
  }
  hash = (hash ^ word) * kMix;
  hash ^= hash >> 32;
  hash *= kMix;
  return hash ^ (hash >> 29);
}

inline uint64_t HashNumber(int64_t number) {
  uint64_t hash = static_cast<uint64_t>(number) * 0x9e3779b97f4a7c15;
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 29);
}

}  // namespace sgl

#endif  // POLICY_COMPILE_INDEX_H_
