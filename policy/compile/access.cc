#include "policy/compile/access.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <utility>

#include "policy/check/checked_policy.h"

namespace sgl {
namespace {

// Nodes of one condition that are looked at. Conditions written by people have
// some tens.
constexpr int kNodesMax = 512;

// Enough that one atom more costs more than the rule itself.
constexpr size_t kAtomsMax = 64;
constexpr size_t kSetAtomsMax = 4'096;

// What share of requests is expected to fall where nothing is counted: into a
// range with two ends or one, into the texts of a regex. Guesses, which only
// have to put the kinds in order.
constexpr double kRangeWeight = 0.2;
constexpr double kHalfRangeWeight = 0.5;
constexpr double kRegexWeight = 0.1;
// A prefix is met more often than a whole text.
constexpr double kPrefixFactor = 1.5;
// For values that cost more to compute than to test.
constexpr double kDearSubject = 0.15;

// Turns a comparison with the constant on the left into one on the right.
Code Mirror(Code code) {
  switch (code) {
    case Code::kLess:
      return Code::kGreater;
    case Code::kLessEqual:
      return Code::kGreaterEqual;
    case Code::kGreater:
      return Code::kLess;
    case Code::kGreaterEqual:
      return Code::kLessEqual;
    default:
      return code;
  }
}

Code Negate(Code code) {
  switch (code) {
    case Code::kLess:
      return Code::kGreaterEqual;
    case Code::kLessEqual:
      return Code::kGreater;
    case Code::kGreater:
      return Code::kLessEqual;
    default:
      return Code::kLess;
  }
}

bool IsOrder(Code code) {
  return code == Code::kLess || code == Code::kLessEqual ||
         code == Code::kGreater || code == Code::kGreaterEqual;
}

}  // namespace

void AccessFinder::Count(int32_t condition) {
  budget_ = kNodesMax;
  is_counting_ = true;
  Walk(condition, false);
  is_counting_ = false;
}

AccessSet AccessFinder::Find(int32_t condition) {
  budget_ = kNodesMax;
  return Walk(condition, false);
}

std::optional<std::vector<std::string>> AccessFinder::Types(int32_t condition) {
  budget_ = kNodesMax;
  wants_types_ = true;
  const AccessSet set = Walk(condition, false);
  wants_types_ = false;
  if (!set.has_value()) return std::nullopt;
  std::vector<std::string> types;
  for (const Atom& atom : *set) {
    types.insert(types.end(), atom.texts.begin(), atom.texts.end());
  }
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return types;
}

AccessSet AccessFinder::Walk(int32_t id, bool is_negated) {
  if (--budget_ < 0) return std::nullopt;
  const Instruction& instruction = get(id);
  switch (instruction.code) {
    case Code::kNot:
      return Walk(child(instruction, 0), !is_negated);
    case Code::kAnd:
      return is_negated ? WalkAll(instruction, true)
                        : WalkBest(instruction, false);
    case Code::kOr:
      return is_negated ? WalkBest(instruction, true)
                        : WalkAll(instruction, false);
    default:
      break;
  }
  AccessSet set = Settle(Leaf(id, is_negated));
  if (set.has_value() && is_counting_) {
    for (const Atom& atom : *set) Note(atom);
  }
  return set;
}

AccessSet AccessFinder::Settle(AccessSet set) {
  if (!set.has_value() || set->empty()) return set;
  // A leaf gives one atom.
  const Atom& atom = set->front();
  if (wants_types_) return IsTypeAtom(atom) ? set : std::nullopt;
  if (banned_.contains({atom.subject, atom.kind})) return std::nullopt;
  if (type_or_null_ == nullptr || !IsTypeAtom(atom)) return set;
  if (std::count(atom.texts.begin(), atom.texts.end(), *type_or_null_) > 0) {
    return std::nullopt;
  }
  return std::vector<Atom>();
}

AccessSet AccessFinder::WalkBest(const Instruction& junction, bool is_negated) {
  AccessSet best;
  std::vector<int32_t> guards;
  for (int i = 0; i < junction.child_count; ++i) {
    int32_t id = child(junction, i);
    AccessSet set = Walk(id, is_negated);
    if (set.has_value() &&
        (!best.has_value() || Weight(*set) < Weight(*best))) {
      best = std::move(set);
    }
    bool is_guard_negated = is_negated;
    while (get(id).code == Code::kNot) {
      id = child(get(id), 0);
      is_guard_negated = !is_guard_negated;
    }
    if (get(id).code == Code::kHasSlot && !is_guard_negated) {
      guards.push_back(get(id).index);
    }
  }
  if (!best.has_value()) return best;
  for (Atom& atom : *best) {
    const int32_t slot = SlotOf(atom.subject);
    if (slot >= 0 && std::count(guards.begin(), guards.end(), slot) > 0) {
      atom.is_guarded = true;
    }
  }
  return best;
}

AccessSet AccessFinder::WalkAll(const Instruction& junction, bool is_negated) {
  std::vector<Atom> all;
  bool is_complete = true;
  for (int i = 0; i < junction.child_count; ++i) {
    AccessSet set = Walk(child(junction, i), is_negated);
    is_complete = is_complete && set.has_value();
    if (!is_complete && !is_counting_) return std::nullopt;
    if (!set.has_value()) continue;
    all.insert(all.end(), std::make_move_iterator(set->begin()),
               std::make_move_iterator(set->end()));
  }
  if (!is_complete || all.size() > kAtomsMax) return std::nullopt;
  return all;
}

AccessSet AccessFinder::Leaf(int32_t id, bool is_negated) const {
  const Instruction& instruction = get(id);
  const size_t index = static_cast<size_t>(instruction.index);
  if (instruction.code == Code::kNumber) {
    const bool is_true = (program_.numbers[index] != 0) != is_negated;
    if (is_true) return std::nullopt;
    return std::vector<Atom>();
  }
  if (!instruction.is_constant) return std::nullopt;
  if (instruction.code == Code::kMatches && !is_negated) {
    return Regex(id, instruction);
  }
  AccessSet set = Comparison(instruction, is_negated);
  if (set.has_value()) return set;
  // Any other condition is a value of two.
  if (!IsSubject(id)) return std::nullopt;
  Atom atom;
  atom.subject = id;
  atom.numbers = {is_negated ? 0 : 1};
  return std::vector<Atom>{std::move(atom)};
}

AccessSet AccessFinder::Comparison(const Instruction& instruction,
                                   bool is_negated) const {
  const size_t index = static_cast<size_t>(instruction.index);
  if (instruction.child_count == 0) return std::nullopt;
  Atom atom;
  atom.subject = child(instruction, 0);
  Code code = instruction.code;
  if (instruction.child_count == 1) {
    if (is_negated || !IsSubject(atom.subject)) return std::nullopt;
    if (code == Code::kInNumbers) {
      atom.numbers = program_.number_sets[index];
    } else if (code == Code::kInTexts) {
      atom.kind = IndexKind::kTexts;
      atom.texts = program_.text_sets[index];
    } else if (code == Code::kInRange) {
      atom.kind = IndexKind::kRanges;
      atom.low = program_.numbers[index];
      atom.high = program_.numbers[static_cast<size_t>(instruction.extra)];
    } else {
      return std::nullopt;
    }
    if (atom.numbers.size() + atom.texts.size() > kSetAtomsMax) {
      return std::nullopt;
    }
    return std::vector<Atom>{std::move(atom)};
  }
  int32_t other = child(instruction, 1);
  if (get(atom.subject).code == Code::kNumber ||
      get(atom.subject).code == Code::kText) {
    if (code == Code::kStartsWith) return std::nullopt;
    std::swap(atom.subject, other);
    code = Mirror(code);
  }
  if (!IsSubject(atom.subject)) return std::nullopt;
  const Instruction& constant = get(other);
  const size_t number = static_cast<size_t>(constant.index);
  if (constant.code == Code::kNumber) {
    const int64_t bound = program_.numbers[number];
    const bool is_equal = (code == Code::kEqualNumber && !is_negated) ||
                          (code == Code::kNotEqualNumber && is_negated);
    if (is_equal) {
      atom.numbers = {bound};
      return std::vector<Atom>{std::move(atom)};
    }
    if (!IsOrder(code)) return std::nullopt;
    return Ordered(is_negated ? Negate(code) : code, atom.subject, bound);
  }
  if (constant.code != Code::kText) return std::nullopt;
  const bool is_equal = (code == Code::kEqualText && !is_negated) ||
                        (code == Code::kNotEqualText && is_negated);
  if (!is_equal && (code != Code::kStartsWith || is_negated)) {
    return std::nullopt;
  }
  atom.kind = is_equal ? IndexKind::kTexts : IndexKind::kPrefixes;
  atom.texts = {program_.texts[number]};
  return std::vector<Atom>{std::move(atom)};
}

AccessSet AccessFinder::Ordered(Code code, int32_t subject,
                                int64_t bound) const {
  Atom atom;
  atom.kind = IndexKind::kRanges;
  atom.subject = subject;
  const bool is_strict = code == Code::kLess || code == Code::kGreater;
  const bool is_upper = code == Code::kLess || code == Code::kLessEqual;
  if (is_strict && bound == (is_upper ? INT64_MIN : INT64_MAX)) {
    // No number fits. A value that is a fault still makes the rule one.
    atom.kind = IndexKind::kNumbers;
  } else if (is_upper) {
    atom.high = bound - (is_strict ? 1 : 0);
  } else {
    atom.low = bound + (is_strict ? 1 : 0);
  }
  return std::vector<Atom>{std::move(atom)};
}

AccessSet AccessFinder::Regex(int32_t id,
                              const Instruction& instruction) const {
  Atom atom;
  atom.subject = child(instruction, 0);
  if (!IsSubject(atom.subject)) return std::nullopt;
  const CompiledRegex& regex =
      *program_.regexes[static_cast<size_t>(instruction.index)];
  const std::string prefix =
      regex.ignores_case() ? std::string() : RequiredPrefix(regex.pattern());
  if (!prefix.empty()) {
    atom.kind = IndexKind::kPrefixes;
    atom.texts = {prefix};
  } else {
    atom.kind = IndexKind::kRegexes;
    atom.regex = instruction.index;
    atom.matches = id;
  }
  return std::vector<Atom>{std::move(atom)};
}

bool AccessFinder::IsSubject(int32_t id) const {
  const Instruction& instruction = get(id);
  if (!instruction.is_constant) return false;
  switch (instruction.code) {
    case Code::kNumber:
    case Code::kText:
    case Code::kAnd:
    case Code::kOr:
    case Code::kNot:
    // As dear as the rule itself: only where the rule asks for them.
    case Code::kAny:
    case Code::kAll:
    case Code::kCount:
    case Code::kSum:
    case Code::kScan:
    case Code::kMatches:
    case Code::kInNumberList:
    case Code::kInTextList:
      return false;
    default:
      return true;
  }
}

int32_t AccessFinder::SlotOf(int32_t id) const {
  for (;;) {
    const Instruction& instruction = get(id);
    switch (instruction.code) {
      case Code::kSlot:
        return instruction.index;
      case Code::kLower:
      case Code::kDomain:
      case Code::kSizeText:
      case Code::kSizeList:
      case Code::kHour:
      case Code::kWeekday:
      case Code::kNegate:
        id = child(instruction, 0);
        break;
      case Code::kAdd:
      case Code::kSubtract:
      case Code::kMultiply:
      case Code::kMultiplyDecimal:
        if (get(child(instruction, 1)).code == Code::kNumber) {
          id = child(instruction, 0);
        } else if (get(child(instruction, 0)).code == Code::kNumber) {
          id = child(instruction, 1);
        } else {
          return -1;
        }
        break;
      default:
        return -1;
    }
  }
}

bool AccessFinder::IsTypeAtom(const Atom& atom) const {
  const Instruction& subject = get(atom.subject);
  return atom.kind == IndexKind::kTexts && subject.code == Code::kFixed &&
         subject.index == static_cast<int32_t>(RootField::kIntentType);
}

void AccessFinder::Note(const Atom& atom) {
  auto& hashes = constants_[{atom.subject, atom.kind}].hashes;
  for (const int64_t number : atom.numbers) hashes.insert(HashNumber(number));
  for (const std::string& text : atom.texts) {
    hashes.insert(HashText(text.data(), text.size()));
  }
}

double AccessFinder::Weight(const std::vector<Atom>& atoms) const {
  double weight = 0;
  for (const Atom& atom : atoms) weight += WeightOf(atom);
  return weight;
}

double AccessFinder::WeightOf(const Atom& atom) const {
  double weight = 0;
  const auto found = constants_.find({atom.subject, atom.kind});
  const double known = found == constants_.end()
                           ? 1
                           : static_cast<double>(found->second.hashes.size());
  switch (atom.kind) {
    case IndexKind::kNumbers:
      weight = static_cast<double>(atom.numbers.size()) / (known + 1);
      break;
    case IndexKind::kTexts:
      weight = static_cast<double>(atom.texts.size()) / (known + 1);
      break;
    case IndexKind::kPrefixes:
      weight = kPrefixFactor / (known + 1);
      break;
    case IndexKind::kRanges:
      weight = atom.low == INT64_MIN || atom.high == INT64_MAX
                   ? kHalfRangeWeight
                   : kRangeWeight;
      break;
    case IndexKind::kRegexes:
      weight = kRegexWeight;
      break;
  }
  const Code code = get(atom.subject).code;
  const bool is_dear =
      code == Code::kHour || code == Code::kWeekday || code == Code::kDomain;
  return weight + (is_dear ? kDearSubject : 0);
}

bool MayFault(Code code) {
  switch (code) {
    case Code::kAdd:
    case Code::kSubtract:
    case Code::kMultiply:
    case Code::kMultiplyDecimal:
    case Code::kNegate:
    case Code::kSum:
    case Code::kDomain:
      return true;
    default:
      return false;
  }
}

std::string RequiredPrefix(const std::string& pattern) {
  if (pattern.empty() || pattern[0] != '^') return "";
  // An alternative need not begin as the first one does.
  if (pattern.find('|') != std::string::npos) return "";
  std::string prefix;
  size_t at = 1;
  while (at < pattern.size()) {
    char c = pattern[at];
    size_t next = at + 1;
    if (c == '\\') {
      if (next >= pattern.size() || !absl::ascii_ispunct(pattern[next])) break;
      c = pattern[next++];
    } else if (!absl::ascii_isalnum(c) && c != ' ' && c != '-' && c != '_' &&
               c != '/' && c != ':' && c != ',' && c != '@' && c != '#' &&
               c != '%' && c != '&' && c != '=' && c != '<' && c != '>' &&
               c != '!' && c != '~' && c != ';' && c != '"' && c != '\'' &&
               c != '`') {
      break;
    }
    // What a quantifier follows need not be there, and one behind `(?i)` or
    // `\Q\E` reaches back over it.
    const absl::string_view rest = absl::string_view(pattern).substr(next);
    if (!rest.empty() && absl::StrContains("*?+{", rest.substr(0, 1))) break;
    if (absl::StartsWith(rest, "(?") || absl::StartsWith(rest, "\\Q")) break;
    prefix.push_back(c);
    at = next;
  }
  return prefix;
}

}  // namespace sgl
