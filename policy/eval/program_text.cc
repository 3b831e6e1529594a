#include "policy/eval/program_text.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "policy/compile/index_builder.h"
#include "policy/eval/explain_text.h"

namespace sgl {
namespace {

std::string Count(size_t count, absl::string_view what) {
  const bool hisses = what.back() == 'x';
  return absl::StrCat(count, " ", what,
                      count == 1 ? "" : (hisses ? "es" : "s"));
}

// Bounds are kept without saying whether `<` or `<=` was written: the shorter
// is what a person would have.
std::string Shorter(std::string loose, std::string strict) {
  return strict.size() < loose.size() ? strict : loose;
}

// Writes one program. Confined to one ProgramText call.
class ProgramWriter {
 public:
  explicit ProgramWriter(const DecisionProgram& program)
      : program_(program), index_(program.index) {}

  std::string Write();

 private:
  void WriteGroup(const NamedGroup& named, bool is_also_common);
  void WriteIndex(const ValueIndex& index);
  void WriteRule(const Cell* cell, absl::string_view how);
  void WriteTest(const Cell* rule, uint16_t number);
  std::string Operand(const Test& test) const;
  std::string Target(uint16_t target) const;
  std::string Reason(const RuleHead& head, size_t rules_of_group) const;
  std::string Expr(int32_t id) const { return ExprText(program_, id, {}); }
  // The end of a group's cells: groups stand one behind the other.
  const Cell* EndOf(size_t group) const {
    const size_t next = group + 1;
    return index_.cells.data() + (next < index_.groups.size()
                                      ? index_.groups[next].first_cell
                                      : index_.cells.size());
  }

  const DecisionProgram& program_;
  const DecisionIndex& index_;
  std::string out_;
};

std::string ProgramWriter::Write() {
  for (size_t i = 0; i < index_.layers.size(); ++i) {
    const LayerIndex& layer = index_.layers[i];
    absl::StrAppend(&out_, "layer ", program_.layers[i].name, "\n");
    for (const NamedGroup& named : GroupsOf(program_, layer)) {
      WriteGroup(named,
                 layer.common >= 0 && !layer.holds_common && named.type != "*");
    }
  }
  return std::move(out_);
}

void ProgramWriter::WriteGroup(const NamedGroup& named, bool is_also_common) {
  const RuleGroup& group = index_.groups[named.group];
  const Cell* const first = index_.cells.data() + group.first_cell;
  const Cell* const end = EndOf(named.group);
  size_t rules = 0;
  for (const Cell* at = first; at != end; at += 1 + at->head.test_count) {
    ++rules;
  }
  absl::StrAppend(&out_, "  type ", named.type, ": ", Count(rules, "rule"),
                  ", ", group.always_count, " always run, found by ",
                  Count(group.index_count, "index"),
                  is_also_common ? ", and those of `*`\n" : "\n");
  for (uint32_t i = 0; i < group.index_count; ++i) {
    WriteIndex(index_.indexes[group.first_index + i]);
  }
  uint32_t number = 0;
  for (const Cell* at = first; at != end; at += 1 + at->head.test_count) {
    WriteRule(at, number++ < group.always_count
                      ? absl::StrCat("always run, ", Reason(at->head, rules))
                      : "found by an index");
  }
}

void ProgramWriter::WriteIndex(const ValueIndex& index) {
  std::string what;
  switch (index.kind) {
    case IndexKind::kNumbers: {
      const auto keys = std::count_if(
          index.numbers.begin(), index.numbers.end(),
          [](const NumberKey& key) { return key.rules.count > 0; });
      what =
          absl::StrCat("by value, ", Count(static_cast<size_t>(keys), "key"));
      break;
    }
    case IndexKind::kTexts:
    case IndexKind::kPrefixes: {
      const auto keys =
          std::count_if(index.texts.begin(), index.texts.end(),
                        [](const TextKey& key) { return key.rules.count > 0; });
      what = absl::StrCat(
          index.kind == IndexKind::kTexts ? "by text, " : "by prefix, ",
          Count(static_cast<size_t>(keys), "key"));
      if (index.kind == IndexKind::kPrefixes) {
        absl::StrAppend(&what, " of ", absl::StrJoin(index.prefix_sizes, ", "),
                        " bytes");
      }
      break;
    }
    case IndexKind::kRanges:
      what = absl::StrCat("by range, ", Count(index.bounds.size(), "bound"),
                          " of closed ranges, ",
                          Count(index.lows.size(), "low end"), ", ",
                          Count(index.highs.size(), "high end"));
      break;
    case IndexKind::kRegexes:
      what = absl::StrCat("by one automaton of ",
                          Count(index.by_regex.size(), "regex"),
                          index.ignores_case ? ", any case" : "");
      break;
  }
  absl::StrAppend(&out_, "    index ", Expr(index.instruction), " ", what, ": ",
                  Count(index.all.count, "rule"));
  if (index.unguarded.count < index.all.count) {
    absl::StrAppend(&out_, ", of which ", index.unguarded.count,
                    " where it is missing");
  }
  out_ += "\n";
}

std::string ProgramWriter::Reason(const RuleHead& head,
                                  size_t rules_of_group) const {
  if (head.condition < 0) return "it applies to every request of the type";
  if (rules_of_group < kIndexedRulesMin) {
    return "an index of so few rules would cost as much";
  }
  return "too few rules test what it tests, or no constant rules it out";
}

void ProgramWriter::WriteRule(const Cell* cell, absl::string_view how) {
  const RuleHead& head = cell->head;
  const ProgramRule& rule = program_.rules[static_cast<size_t>(head.rule)];
  absl::StrAppend(&out_, "    ", head.is_limit ? "limit " : "", rule.code,
                  " at ", rule.at, ": ", how, "\n");
  if (head.condition >= 0 && head.test_count == 0) {
    absl::StrAppend(&out_, "      evaluate ", Expr(head.condition), "\n");
  }
  for (uint16_t i = 0; i < head.test_count; ++i) WriteTest(cell, i);
}

std::string ProgramWriter::Target(uint16_t target) const {
  if (target == kApplies) return "applies";
  if (target == kFails) return "no";
  return absl::StrCat(target + 1);
}

void ProgramWriter::WriteTest(const Cell* rule, uint16_t number) {
  const Test& test = rule[1 + number].test;
  const std::string value = test.op == TestOp::kIsPresent
                                ? SlotText(program_, test.value)
                                : Expr(test.instruction);
  absl::StrAppend(&out_, "      ", number + 1, "  ",
                  test.op == TestOp::kIsPresent ? "has " : "", value,
                  Operand(test), "  ? ", Target(test.on_true), " : ",
                  Target(test.on_false), "\n");
}

std::string ProgramWriter::Operand(const Test& test) const {
  const TypeId type =
      program_.instruction_types[static_cast<size_t>(test.instruction)];
  const auto number = [&](int64_t value) {
    return ValueText(program_, type, Value::Number(value));
  };
  const size_t index = static_cast<size_t>(test.low);
  switch (test.op) {
    case TestOp::kIsTrue:
    case TestOp::kIsPresent:
      return "";
    case TestOp::kEqual:
      return " == " + number(test.low);
    case TestOp::kAtMost:
      return test.high == INT64_MAX ? " <= " + number(test.high)
                                    : Shorter(" <= " + number(test.high),
                                              " < " + number(test.high + 1));
    case TestOp::kAtLeast:
      return test.low == INT64_MIN ? " >= " + number(test.low)
                                   : Shorter(" >= " + number(test.low),
                                             " > " + number(test.low - 1));
    case TestOp::kInRange:
      return absl::StrCat(" in ", number(test.low), "..", number(test.high));
    case TestOp::kInNumbers:
      return absl::StrCat(" in a set of ", program_.number_sets[index].size());
    case TestOp::kInTexts:
      return absl::StrCat(" in a set of ", program_.text_sets[index].size());
    case TestOp::kEqualText:
      return " == " + QuotedText(test.Text());
    case TestOp::kStartsWith:
      return " starts_with " + QuotedText(test.Text());
    case TestOp::kEndsWith:
      return " ends_with " + QuotedText(test.Text());
    case TestOp::kContains:
      return " contains " + QuotedText(test.Text());
    case TestOp::kMatchesPlain: {
      const PatternTail& tail = index_.tails[test.text_part.tail];
      return absl::StrCat(" matches ", QuotedText(test.Text()), " and ",
                          tail.classes.size(), " more of classes",
                          tail.is_end ? ", and the end" : "");
    }
    case TestOp::kMatches:
      return absl::StrCat(" matches /", program_.regexes[index]->pattern(),
                          program_.regexes[index]->ignores_case() ? "/i" : "/");
  }
  return "";
}

}  // namespace

std::vector<NamedGroup> GroupsOf(const DecisionProgram& program,
                                 const LayerIndex& layer) {
  std::vector<NamedGroup> groups;
  for (const auto& [name, number] : program.type_ids) {
    const size_t type = static_cast<size_t>(number);
    int32_t group = -1;
    if (type < layer.group_of_type.size()) group = layer.group_of_type[type];
    const auto typed = layer.typed_groups.find(number);
    if (typed != layer.typed_groups.end()) group = typed->second;
    if (group >= 0) groups.push_back({name, static_cast<size_t>(group)});
  }
  std::sort(groups.begin(), groups.end());
  if (layer.common >= 0) {
    groups.push_back({"*", static_cast<size_t>(layer.common)});
  }
  return groups;
}

std::string ProgramText(const DecisionProgram& program) {
  return ProgramWriter(program).Write();
}

}  // namespace sgl
