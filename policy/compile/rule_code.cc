#include "policy/compile/rule_code.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "policy/check/checked_policy.h"

namespace sgl {
namespace {

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

// Builds one rule's code from its end to its beginning, so that a test's
// targets are known before it.
class CodeBuilder {
 public:
  CodeBuilder(const DecisionProgram& program, const std::string* type_or_null)
      : program_(program), type_or_null_(type_or_null) {}

  RuleCode Build(int32_t condition);

 private:
  // Where the code goes on: a test by its number from the end, or an end.
  struct Target {
    int32_t test = -1;  // negative: an end
    bool is_true = false;

    bool operator==(const Target&) const = default;
  };
  struct Draft {
    Test test;
    Target on_true;
    Target on_false;
  };

  // Puts code for the instruction in front; returns where it begins.
  Target Add(int32_t id, Target on_true, Target on_false);
  Target AddJunction(const Instruction& junction, bool is_and, Target on_true,
                     Target on_false);
  Target AddLeaf(int32_t id, Target on_true, Target on_false);
  Target Push(Test test, int32_t subject, Target on_true, Target on_false);
  // Fills in a test on a constant; false where the leaf is none.
  bool MakeTest(const Instruction& leaf, Test* test, int32_t* subject,
                bool* is_swapped) const;
  bool MakeNumberTest(Code code, int64_t bound, Test* test,
                      bool* is_swapped) const;
  bool MakeMatch(const Instruction& leaf, Test* test) const;
  void SetText(const std::string& text, Test* test) const;
  // What the leaf is for every request of the type, where that is known.
  std::optional<bool> Known(const Instruction& leaf) const;
  bool IsType(int32_t id) const {
    const Instruction& read = get(id);
    return read.code == Code::kFixed &&
           read.index == static_cast<int32_t>(RootField::kIntentType);
  }
  bool IsDear(int32_t id) const;

  const Instruction& get(int32_t id) const {
    return program_.instructions[static_cast<size_t>(id)];
  }
  int32_t child(const Instruction& instruction, int number) const {
    return program_
        .children[static_cast<size_t>(instruction.first_child + number)];
  }

  const DecisionProgram& program_;
  const std::string* const type_or_null_;
  std::vector<Draft> drafts_;
  bool is_too_large_ = false;
};

RuleCode CodeBuilder::Build(int32_t condition) {
  const Target start =
      Add(condition, {.test = -1, .is_true = true}, {.test = -1});
  RuleCode code;
  code.is_too_large = is_too_large_;
  if (is_too_large_) return code;
  if (start.test < 0) {
    code.value = start.is_true;
    return code;
  }
  // Only what the start leads to is left, in the order of running.
  const int32_t count = start.test + 1;
  const auto number = [count](Target target) {
    if (target.test < 0) return target.is_true ? kApplies : kFails;
    return static_cast<uint16_t>(count - 1 - target.test);
  };
  for (int32_t i = count - 1; i >= 0; --i) {
    const Draft& draft = drafts_[static_cast<size_t>(i)];
    Test test = draft.test;
    test.on_true = number(draft.on_true);
    test.on_false = number(draft.on_false);
    code.tests.push_back(test);
  }
  return code;
}

CodeBuilder::Target CodeBuilder::Add(int32_t id, Target on_true,
                                     Target on_false) {
  if (is_too_large_ || on_true == on_false) return on_true;
  const Instruction& instruction = get(id);
  switch (instruction.code) {
    case Code::kNot:
      return Add(child(instruction, 0), on_false, on_true);
    case Code::kAnd:
      return AddJunction(instruction, true, on_true, on_false);
    case Code::kOr:
      return AddJunction(instruction, false, on_true, on_false);
    default:
      return AddLeaf(id, on_true, on_false);
  }
}

CodeBuilder::Target CodeBuilder::AddJunction(const Instruction& junction,
                                             bool is_and, Target on_true,
                                             Target on_false) {
  std::vector<int32_t> operands;
  for (int i = 0; i < junction.child_count; ++i) {
    operands.push_back(child(junction, i));
  }
  // What is dear comes last. It stays behind its guards, which are not dear.
  std::stable_partition(operands.begin(), operands.end(),
                        [this](int32_t id) { return !IsDear(id); });
  Target at = is_and ? on_true : on_false;
  for (size_t i = operands.size(); i-- > 0;) {
    at =
        is_and ? Add(operands[i], at, on_false) : Add(operands[i], on_true, at);
  }
  return at;
}

bool CodeBuilder::IsDear(int32_t id) const {
  for (int32_t at = id;;) {
    const Instruction& instruction = get(at);
    switch (instruction.code) {
      case Code::kMatches:
      case Code::kScan:
      case Code::kAny:
      case Code::kAll:
      case Code::kCount:
        return true;
      case Code::kNot:
        at = child(instruction, 0);
        break;
      default:
        return false;
    }
  }
}

std::optional<bool> CodeBuilder::Known(const Instruction& leaf) const {
  const size_t index = static_cast<size_t>(leaf.index);
  if (leaf.code == Code::kNumber) return program_.numbers[index] != 0;
  if (type_or_null_ == nullptr || leaf.child_count == 0) return std::nullopt;
  if (leaf.code == Code::kInTexts && IsType(child(leaf, 0))) {
    const std::vector<std::string>& set = program_.text_sets[index];
    return std::binary_search(set.begin(), set.end(), *type_or_null_);
  }
  if (leaf.code != Code::kEqualText && leaf.code != Code::kNotEqualText) {
    return std::nullopt;
  }
  int32_t type = child(leaf, 0);
  int32_t text = child(leaf, 1);
  if (!IsType(type)) std::swap(type, text);
  if (!IsType(type) || get(text).code != Code::kText) return std::nullopt;
  const std::string& name =
      program_.texts[static_cast<size_t>(get(text).index)];
  return (name == *type_or_null_) == (leaf.code == Code::kEqualText);
}

CodeBuilder::Target CodeBuilder::AddLeaf(int32_t id, Target on_true,
                                         Target on_false) {
  const Instruction& leaf = get(id);
  const std::optional<bool> known = Known(leaf);
  if (known.has_value()) return *known ? on_true : on_false;
  Test test;
  int32_t subject = id;
  bool is_swapped = false;
  if (!MakeTest(leaf, &test, &subject, &is_swapped)) {
    test = Test();
    subject = id;
    is_swapped = false;
  }
  return is_swapped ? Push(test, subject, on_false, on_true)
                    : Push(test, subject, on_true, on_false);
}

bool CodeBuilder::MakeTest(const Instruction& leaf, Test* test,
                           int32_t* subject, bool* is_swapped) const {
  if (leaf.code == Code::kHasSlot) {
    test->op = TestOp::kIsPresent;
    return true;
  }
  if (leaf.child_count == 0) return false;
  *subject = child(leaf, 0);
  test->low = leaf.index;
  switch (leaf.code) {
    case Code::kInNumbers:
      test->op = TestOp::kInNumbers;
      return true;
    case Code::kInTexts:
      test->op = TestOp::kInTexts;
      return true;
    case Code::kInRange:
      test->op = TestOp::kInRange;
      test->low = program_.numbers[static_cast<size_t>(leaf.index)];
      test->high = program_.numbers[static_cast<size_t>(leaf.extra)];
      return true;
    case Code::kMatches:
      return MakeMatch(leaf, test);
    default:
      break;
  }
  if (leaf.child_count != 2) return false;
  Code code = leaf.code;
  int32_t other = child(leaf, 1);
  const bool is_symmetric =
      code == Code::kEqualNumber || code == Code::kNotEqualNumber ||
      code == Code::kEqualText || code == Code::kNotEqualText;
  const bool is_constant_first =
      get(*subject).code == Code::kNumber || get(*subject).code == Code::kText;
  if (is_constant_first && (is_symmetric || Mirror(code) != code)) {
    std::swap(*subject, other);
    code = Mirror(code);
  }
  const Instruction& constant = get(other);
  const size_t index = static_cast<size_t>(constant.index);
  if (constant.code == Code::kNumber) {
    return MakeNumberTest(code, program_.numbers[index], test, is_swapped);
  }
  if (constant.code != Code::kText) return false;
  switch (code) {
    case Code::kNotEqualText:
      *is_swapped = true;
      test->op = TestOp::kEqualText;
      break;
    case Code::kEqualText:
      test->op = TestOp::kEqualText;
      break;
    case Code::kStartsWith:
      test->op = TestOp::kStartsWith;
      break;
    case Code::kEndsWith:
      test->op = TestOp::kEndsWith;
      break;
    case Code::kContains:
      test->op = TestOp::kContains;
      break;
    default:
      return false;
  }
  SetText(program_.texts[index], test);
  return true;
}

bool CodeBuilder::MakeNumberTest(Code code, int64_t bound, Test* test,
                                 bool* is_swapped) const {
  test->low = bound;
  test->high = bound;
  switch (code) {
    case Code::kEqualNumber:
    case Code::kNotEqualNumber:
      test->op = TestOp::kEqual;
      *is_swapped = code == Code::kNotEqualNumber;
      return true;
    case Code::kLess:
    case Code::kLessEqual:
      // Nothing is less than the least number: no range says so.
      if (code == Code::kLess && bound == INT64_MIN) return false;
      test->op = TestOp::kAtMost;
      test->low = INT64_MIN;
      test->high = code == Code::kLess ? bound - 1 : bound;
      return true;
    case Code::kGreater:
    case Code::kGreaterEqual:
      if (code == Code::kGreater && bound == INT64_MAX) return false;
      test->op = TestOp::kAtLeast;
      test->low = code == Code::kGreater ? bound + 1 : bound;
      test->high = INT64_MAX;
      return true;
    default:
      return false;
  }
}

bool CodeBuilder::MakeMatch(const Instruction& leaf, Test* test) const {
  const size_t regex = static_cast<size_t>(leaf.index);
  const int32_t tail = program_.index.tail_of_regex[regex];
  if (tail >= 0) {
    test->op = TestOp::kMatchesPlain;
    SetText(program_.regexes[regex]->plain()->prefix, test);
    test->text_part.tail = static_cast<uint32_t>(tail);
    return true;
  }
  // Indexes leave in the memo what they found out.
  if (leaf.memo >= 0) return false;
  test->op = TestOp::kMatches;
  return true;
}

void CodeBuilder::SetText(const std::string& text, Test* test) const {
  test->low = 0;
  test->text_part = {static_cast<uint32_t>(text.size()), 0};
  if (text.size() <= kInlineTextMax) {
    std::memcpy(test->inline_text, text.data(), text.size());
  } else {
    test->text = text.data();
  }
}

CodeBuilder::Target CodeBuilder::Push(Test test, int32_t subject,
                                      Target on_true, Target on_false) {
  if (drafts_.size() >= kTestsMax) {
    is_too_large_ = true;
    return on_true;
  }
  test.instruction = subject;
  const Instruction& read = get(subject);
  switch (read.code) {
    case Code::kSlot:
    case Code::kHasSlot:
      // A bare `has` is a test of its own; as a value it is computed.
      test.source = ValueSource::kSlot;
      test.value = read.index;
      if (read.code == Code::kHasSlot && test.op != TestOp::kIsPresent) {
        test.source = ValueSource::kInstruction;
        test.value = subject;
      }
      break;
    case Code::kFixed:
      test.source = ValueSource::kSlot;
      test.value = read.extra;
      break;
    default:
      test.source = ValueSource::kInstruction;
      test.value = subject;
      break;
  }
  drafts_.push_back({test, on_true, on_false});
  return {.test = static_cast<int32_t>(drafts_.size()) - 1};
}

}  // namespace

RuleCode MakeRuleCode(const DecisionProgram& program, int32_t condition,
                      const std::string* type_or_null) {
  return CodeBuilder(program, type_or_null).Build(condition);
}

}  // namespace sgl
