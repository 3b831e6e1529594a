#include "policy/eval/self_check.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "policy/compile/access.h"
#include "policy/eval/evaluator.h"
#include "policy/eval/runner.h"
#include "policy/eval/sample_request.h"
#include "policy/eval/sample_text.h"

namespace sgl {
namespace {

// What making and comparing one request costs, in rules looked at.
constexpr int64_t kRequestCost = 8;

// Constants of one set that are tried.
constexpr size_t kSetItemsMax = 4;

// One way to change a request: a value that is set, or taken away.
struct Change {
  enum class Kind : uint8_t { kNumber, kText, kMissing };

  Kind kind = Kind::kNumber;
  int32_t place = 0;  // the instruction; for kMissing the slot
  int64_t number = 0;
  std::string text;
};

// A group with the request that its rules are tried on.
struct GroupPlace {
  int32_t group = 0;
  int32_t layer = 0;
  int32_t type = -1;
  int64_t rules = 0;  // that one request looks at
};

// Checks one program. Confined to one CheckIndex call.
class SelfCheck {
 public:
  SelfCheck(const DecisionProgram& program, const SelfCheckOptions& options)
      : program_(program),
        options_(options),
        random_(options.seed),
        runner_(program),
        plain_(program),
        sample_(program) {}

  std::optional<IndexFault> Run(
      absl::FunctionRef<void(int64_t, int64_t)> progress);

 private:
  std::vector<GroupPlace> FindGroups() const;
  // Checks a group's rules, as many as fit the runs.
  bool CheckGroup(const GroupPlace& place, int64_t runs);
  // Each returns whether both decide alike.
  bool CheckRule(const GroupPlace& place, const Cell* cell);
  bool Try(const GroupPlace& place, const std::vector<Change>& changes,
           const Change* last_or_null);
  bool Compare();

  // Returns what makes the rule's tests true, and what nearly does.
  std::vector<Change> Satisfy(const Cell* cell) const;
  void AddNeighbours(const Cell* cell, std::vector<Change>& changes) const;
  void AddSlotChanges(int32_t instruction, std::vector<Change>& changes) const;
  void AddTexts(const Test& test, absl::string_view text,
                std::vector<Change>& changes) const;
  // Returns a text that the test holds of.
  std::string TextOf(const Test& test) const;
  // Returns the pattern that the test is about; null where it is none.
  const std::string* PatternOf(const Test& test) const;
  // Returns the slot or fixed fact that the value is made of, as the
  // instruction that reads it; -1 where there is none.
  int32_t SourceOf(int32_t instruction) const;
  void Apply(const Change& change);

  std::vector<const Cell*> CellsOf(int32_t group) const;

  const DecisionProgram& program_;
  const SelfCheckOptions options_;
  std::mt19937_64 random_;
  Runner runner_;
  Evaluator plain_;
  SampleRequest sample_;
  int64_t checked_ = 0;
  IndexFault fault_;
};

std::vector<const Cell*> SelfCheck::CellsOf(int32_t group) const {
  const DecisionIndex& index = program_.index;
  const size_t number = static_cast<size_t>(group);
  const size_t end = number + 1 < index.groups.size()
                         ? index.groups[number + 1].first_cell
                         : index.cells.size();
  std::vector<const Cell*> cells;
  for (size_t at = index.groups[number].first_cell; at < end;
       at += 1 + index.cells[at].head.test_count) {
    cells.push_back(&index.cells[at]);
  }
  return cells;
}

std::vector<GroupPlace> SelfCheck::FindGroups() const {
  std::vector<GroupPlace> places;
  const DecisionIndex& index = program_.index;
  const auto rules_of = [this](const ProgramLayer& layer, int32_t type) {
    size_t count = layer.rules_on_all.size() + layer.limits_on_all.size();
    for (const auto* rules : {&layer.rules_on_type, &layer.limits_on_type}) {
      const auto found = rules->find(type);
      if (found != rules->end()) count += found->second.size();
    }
    return static_cast<int64_t>(count);
  };
  for (size_t i = 0; i < index.layers.size(); ++i) {
    const LayerIndex& layer = index.layers[i];
    const int32_t number = static_cast<int32_t>(i);
    const auto add = [&](int32_t group, int32_t type) {
      int64_t rules = rules_of(program_.layers[i], type);
      if (i > 0) rules += rules_of(program_.layers[0], type);
      places.push_back({group, number, type, rules});
    };
    for (size_t type = 0; type < layer.group_of_type.size(); ++type) {
      if (layer.group_of_type[type] < 0) continue;
      add(layer.group_of_type[type], static_cast<int32_t>(type));
    }
    std::vector<std::pair<int32_t, int32_t>> typed(layer.typed_groups.begin(),
                                                   layer.typed_groups.end());
    std::sort(typed.begin(), typed.end());
    for (const auto& [type, group] : typed) add(group, type);
    if (layer.common >= 0) add(layer.common, -1);
  }
  return places;
}

std::optional<IndexFault> SelfCheck::Run(
    absl::FunctionRef<void(int64_t, int64_t)> progress) {
  std::vector<GroupPlace> places = FindGroups();
  std::shuffle(places.begin(), places.end(), random_);
  int64_t rules = 0;
  for (const GroupPlace& place : places) {
    rules += static_cast<int64_t>(CellsOf(place.group).size());
  }
  int64_t left = options_.rule_runs_max;
  int64_t places_left = static_cast<int64_t>(places.size());
  for (const GroupPlace& place : places) {
    if (left <= 0) break;
    progress(checked_, rules);
    const int64_t before = left;
    // An even share; what one group leaves, the next ones have.
    const int64_t share = std::max(left / places_left--, kRequestCost);
    int64_t runs = share;
    if (!CheckGroup(place, runs)) return fault_;
    left = before - std::min(share, before);
  }
  progress(checked_, rules);
  return std::nullopt;
}

bool SelfCheck::CheckGroup(const GroupPlace& place, int64_t runs) {
  std::vector<const Cell*> cells = CellsOf(place.group);
  std::shuffle(cells.begin(), cells.end(), random_);
  const int64_t cost = place.rules + kRequestCost;
  // A request in which nothing is set.
  if (!Try(place, {}, nullptr)) return false;
  runs -= cost;
  for (const Cell* cell : cells) {
    // Unbounded, or enough for a rule's first request.
    if (runs < cost) break;
    const std::vector<Change> satisfied = Satisfy(cell);
    ++checked_;
    if (!Try(place, satisfied, nullptr)) return false;
    runs -= cost;
    if (runs < cost) continue;
    std::vector<Change> neighbours;
    AddNeighbours(cell, neighbours);
    // In random order, as many as there is room for.
    for (size_t left = neighbours.size(); left > 0 && runs >= cost; --left) {
      Change& change = neighbours[random_() % left];
      if (!Try(place, satisfied, &change)) return false;
      runs -= cost;
      std::swap(change, neighbours[left - 1]);
    }
  }
  return true;
}

int32_t SelfCheck::SourceOf(int32_t instruction) const {
  for (;;) {
    const Instruction& at =
        program_.instructions[static_cast<size_t>(instruction)];
    if (at.code == Code::kSlot || at.code == Code::kFixed) return instruction;
    if (at.child_count == 0 || !at.is_constant) return -1;
    instruction = program_.children[static_cast<size_t>(at.first_child)];
  }
}

std::string SelfCheck::TextOf(const Test& test) const {
  std::string text(test.Text());
  if (test.op != TestOp::kMatchesPlain) return text;
  for (const auto& members :
       program_.index.tails[test.text_part.tail].classes) {
    text.push_back(FirstByte(members));
  }
  return text;
}

const std::string* SelfCheck::PatternOf(const Test& test) const {
  const Instruction& instruction =
      program_.instructions[static_cast<size_t>(test.instruction)];
  if (test.op == TestOp::kMatches) {
    return &program_.regexes[static_cast<size_t>(test.low)]->pattern();
  }
  if (instruction.code != Code::kMatches) return nullptr;
  return &program_.regexes[static_cast<size_t>(instruction.index)]->pattern();
}

void SelfCheck::AddTexts(const Test& test, absl::string_view text,
                         std::vector<Change>& changes) const {
  const int32_t place = SourceOf(test.instruction);
  if (place < 0) return;
  const auto add = [&](std::string value) {
    changes.push_back({Change::Kind::kText, place, 0, std::move(value)});
  };
  const std::string exact(text);
  // A value that `domain` or `lower` makes is one of these texts, of a URL.
  for (const std::string& base : {exact, "https://" + exact}) {
    add(base);
    add(base + "x");
    add("x" + base);
    if (!base.empty()) add(base.substr(0, base.size() - 1));
  }
  add("");
}

void SelfCheck::AddSlotChanges(int32_t instruction,
                               std::vector<Change>& changes) const {
  const int32_t place = SourceOf(instruction);
  if (place < 0) return;
  const Instruction& read = program_.instructions[static_cast<size_t>(place)];
  if (read.code != Code::kSlot) return;
  changes.push_back({Change::Kind::kMissing, read.index, 0, ""});
}

void SelfCheck::AddNeighbours(const Cell* cell,
                              std::vector<Change>& changes) const {
  for (uint16_t i = 0; i < cell->head.test_count; ++i) {
    const Test& test = cell[1 + i].test;
    if (test.op == TestOp::kIsPresent) {
      changes.push_back({Change::Kind::kMissing, test.value, 0, ""});
      continue;
    }
    AddSlotChanges(test.instruction, changes);
    if (const std::string* const pattern = PatternOf(test)) {
      AddTexts(test, RequiredPrefix(*pattern), changes);
      AddTexts(test, SampleText(*pattern), changes);
      continue;
    }
    const int32_t place = SourceOf(test.instruction);
    if (place < 0) continue;
    const auto around = [&](int64_t number) {
      for (const int64_t value :
           {number, number == INT64_MIN ? number : number - 1,
            number == INT64_MAX ? number : number + 1}) {
        changes.push_back({Change::Kind::kNumber, place, value, ""});
      }
    };
    const size_t index = static_cast<size_t>(test.low);
    switch (test.op) {
      case TestOp::kIsTrue:
        around(0);
        break;
      case TestOp::kInRange:
        around(test.high);
        around(test.low);
        break;
      case TestOp::kEqual:
      case TestOp::kAtMost:
      case TestOp::kAtLeast:
        around(test.op == TestOp::kAtMost ? test.high : test.low);
        // Overflows whatever is computed of it.
        around(INT64_MAX);
        around(INT64_MIN);
        break;
      case TestOp::kInNumbers: {
        const std::vector<int64_t>& set = program_.number_sets[index];
        for (size_t k = 0; k < set.size() && k < kSetItemsMax; ++k) {
          around(set[k]);
        }
        break;
      }
      case TestOp::kInTexts: {
        const std::vector<std::string>& set = program_.text_sets[index];
        for (size_t k = 0; k < set.size() && k < kSetItemsMax; ++k) {
          AddTexts(test, set[k], changes);
        }
        break;
      }
      default:
        AddTexts(test, TextOf(test), changes);
        break;
    }
  }
}

std::vector<Change> SelfCheck::Satisfy(const Cell* cell) const {
  std::vector<Change> changes;
  const auto number = [&](const Test& test, int64_t value) {
    const int32_t place = SourceOf(test.instruction);
    if (place < 0) return;
    changes.push_back({Change::Kind::kNumber, place, value, ""});
  };
  const auto text = [&](const Test& test, absl::string_view value) {
    const int32_t place = SourceOf(test.instruction);
    if (place < 0) return;
    changes.push_back({Change::Kind::kText, place, 0, std::string(value)});
  };
  for (uint16_t i = 0; i < cell->head.test_count; ++i) {
    const Test& test = cell[1 + i].test;
    // Which way leads to the end that applies, as far as it shows here.
    const bool wants_true = test.on_false == kFails || test.on_true == kApplies;
    const size_t index = static_cast<size_t>(test.low);
    if (const std::string* const pattern = PatternOf(test)) {
      text(test, SampleText(*pattern));
      continue;
    }
    switch (test.op) {
      case TestOp::kIsTrue:
        number(test, wants_true ? 1 : 0);
        break;
      case TestOp::kEqual:
      case TestOp::kInRange:
        number(test, test.low);
        break;
      case TestOp::kAtMost:
        number(test, wants_true || test.high == INT64_MAX ? test.high
                                                          : test.high + 1);
        break;
      case TestOp::kAtLeast:
        number(test,
               wants_true || test.low == INT64_MIN ? test.low : test.low - 1);
        break;
      case TestOp::kInNumbers:
        if (!program_.number_sets[index].empty()) {
          number(test, program_.number_sets[index].front());
        }
        break;
      case TestOp::kInTexts:
        if (!program_.text_sets[index].empty()) {
          text(test, program_.text_sets[index].front());
        }
        break;
      case TestOp::kIsPresent:
        break;
      default:
        text(test, TextOf(test));
        break;
    }
  }
  return changes;
}

void SelfCheck::Apply(const Change& change) {
  switch (change.kind) {
    case Change::Kind::kNumber:
      sample_.SetNumber(change.place, change.number);
      return;
    case Change::Kind::kText:
      sample_.SetText(change.place, change.text);
      return;
    case Change::Kind::kMissing:
      sample_.SetMissing(change.place);
      return;
  }
}

bool SelfCheck::Try(const GroupPlace& place, const std::vector<Change>& changes,
                    const Change* last_or_null) {
  sample_.Start(place.type, place.layer);
  for (const Change& change : changes) Apply(change);
  if (last_or_null != nullptr) Apply(*last_or_null);
  return Compare();
}

bool SelfCheck::Compare() {
  const Verdict& indexed = runner_.Run(sample_.facts());
  plain_.Reset(sample_.facts());
  const Outcome plain = plain_.Run();
  const auto same = [](const Hit& left, const Hit& right) {
    return left.rule == right.rule && left.fault == right.fault;
  };
  const auto [left, right] =
      std::mismatch(indexed.hits.begin(), indexed.hits.end(),
                    plain.hits.begin(), plain.hits.end(), same);
  if (left == indexed.hits.end() && right == plain.hits.end() &&
      indexed.kind == plain.kind &&
      std::equal(indexed.limit_draws.begin(), indexed.limit_draws.end(),
                 plain.limit_draws.begin(), plain.limit_draws.end())) {
    return true;
  }
  if (right != plain.hits.end()) {
    fault_.rule = right->rule;
  } else if (left != indexed.hits.end()) {
    fault_.rule = left->rule;
  }
  fault_.request = sample_.Describe();
  return false;
}

}  // namespace

std::optional<IndexFault> CheckIndex(
    const DecisionProgram& program, const SelfCheckOptions& options,
    absl::FunctionRef<void(int64_t, int64_t)> progress) {
  if (program.rules.empty()) return std::nullopt;
  return SelfCheck(program, options).Run(progress);
}

std::string IndexFaultText(const DecisionProgram& program,
                           const IndexFault& fault) {
  const ProgramRule& rule = program.rules[static_cast<size_t>(fault.rule)];
  return absl::StrCat(
      rule.at, ": error: the index and a scan of all rules disagree on `",
      rule.code, "` for the request ", fault.request,
      " [IndexDisagreement]\n  note: the compiler is wrong here, and not the "
      "policy; it refuses the policy rather than decide wrongly\n");
}

}  // namespace sgl
