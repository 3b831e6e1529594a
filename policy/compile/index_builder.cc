#include "policy/compile/index_builder.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "policy/compile/access.h"
#include "policy/compile/plain_pattern.h"
#include "policy/compile/rule_code.h"
#include "policy/compile/value_tables.h"

namespace sgl {
namespace {

// An index of fewer rules costs more than running them.
constexpr size_t kIndexRulesMin = 4;
constexpr size_t kRegexRulesMin = 8;

// How often rules that lost their index look for another.
constexpr int kRounds = 3;

// Types that one rule without `on` is put on, because its condition is about
// them alone.
constexpr size_t kTypesOfRuleMax = 256;

// The rules on all types are put into every type's group while they are few
// and the copies stay in proportion.
constexpr size_t kCommonRulesMax = 16;
constexpr size_t kCopiesMin = 4'096;

using IndexKey = std::pair<int32_t, int>;  // subject; kind and case flag

// One rule on its way into a group.
struct Candidate {
  int32_t rule = 0;
  AccessSet access;
  bool is_always = true;
  uint32_t cell = 0;
};

// Builds the index of one program. Confined to one BuildIndex call.
class IndexBuilder {
 public:
  explicit IndexBuilder(DecisionProgram& program) : program_(program) {}

  void Run();

 private:
  using Rules = std::vector<int32_t>;

  // Gives patterns with equal tails one of them.
  void ShareTails();
  void BuildLayer(const ProgramLayer& layer);
  int32_t BuildGroup(Rules rules, const std::string* type_or_null);
  void FindAccess(const std::string* type_or_null,
                  std::vector<Candidate>& candidates);
  // Takes the access sets away that no index of enough rules serves.
  void DropSmall(AccessFinder& finder, std::vector<Candidate>& candidates);
  void PlaceCell(Candidate& candidate, const std::string* type_or_null);
  bool AddIndexes(const std::vector<Candidate>& candidates);
  ValueIndex MakeIndex(const Atom& atom) const;
  void RememberMatches(const std::vector<Candidate>& candidates);

  IndexKey KeyOf(const Atom& atom) const {
    const bool ignores_case = atom.regex >= 0 && IgnoresCase(atom.regex);
    return {atom.subject,
            2 * static_cast<int>(atom.kind) + (ignores_case ? 1 : 0)};
  }
  bool IgnoresCase(int32_t regex) const {
    return program_.regexes[static_cast<size_t>(regex)]->ignores_case();
  }
  const ProgramRule& rule(int32_t id) const {
    return program_.rules[static_cast<size_t>(id)];
  }
  int32_t TypeNumber(const std::string& name) {
    const int32_t next = static_cast<int32_t>(program_.type_ids.size());
    const auto [found, is_new] = program_.type_ids.emplace(name, next);
    if (is_new) type_names_.push_back(name);
    return found->second;
  }

  DecisionProgram& program_;
  std::vector<bool> may_fault_;  // by instruction
  std::vector<std::string> type_names_;
};

void IndexBuilder::Run() {
  type_names_.resize(program_.type_ids.size());
  for (const auto& [name, number] : program_.type_ids) {
    type_names_[static_cast<size_t>(number)] = name;
  }
  may_fault_.resize(program_.instructions.size());
  for (size_t i = 0; i < program_.instructions.size(); ++i) {
    const Instruction& instruction = program_.instructions[i];
    bool may_fault = MayFault(instruction.code);
    for (int32_t k = 0; k < instruction.child_count; ++k) {
      may_fault |= may_fault_[static_cast<size_t>(
          program_.children[static_cast<size_t>(instruction.first_child + k)])];
    }
    may_fault_[i] = may_fault;
  }
  ShareTails();
  for (const ProgramLayer& layer : program_.layers) BuildLayer(layer);
  // Tenants' rules may have named more types.
  program_.index.layers[0].group_of_type.resize(program_.type_ids.size(), -1);
}

void IndexBuilder::ShareTails() {
  DecisionIndex& index = program_.index;
  absl::flat_hash_map<PatternTail, int32_t> known;
  for (const auto& regex : program_.regexes) {
    index.tail_of_regex.push_back(-1);
    if (!regex->plain().has_value()) continue;
    const PatternTail& tail = regex->plain()->tail;
    const int32_t next = static_cast<int32_t>(index.tails.size());
    const auto [found, is_new] = known.try_emplace(tail, next);
    if (is_new) index.tails.push_back(tail);
    index.tail_of_regex.back() = found->second;
  }
}

void IndexBuilder::BuildLayer(const ProgramLayer& layer) {
  std::map<int32_t, Rules> by_type;
  Rules common;
  AccessFinder finder(program_, nullptr);
  for (const Rules* rules : {&layer.rules_on_all, &layer.limits_on_all}) {
    for (const int32_t id : *rules) {
      const int32_t condition = rule(id).condition;
      const auto types = condition < 0 ? std::nullopt : finder.Types(condition);
      if (!types.has_value() || types->size() > kTypesOfRuleMax) {
        common.push_back(id);
        continue;
      }
      for (const std::string& type : *types) {
        by_type[TypeNumber(type)].push_back(id);
      }
    }
  }
  size_t rule_count = common.size();
  for (const auto* rules : {&layer.rules_on_type, &layer.limits_on_type}) {
    for (const auto& [type, ids] : *rules) {
      by_type[type].insert(by_type[type].end(), ids.begin(), ids.end());
    }
  }
  for (const auto& [type, ids] : by_type) rule_count += ids.size();

  LayerIndex index;
  index.holds_common =
      common.size() <= kCommonRulesMax &&
      common.size() * by_type.size() <= kCopiesMin + 4 * rule_count;
  const bool is_platform = program_.index.layers.empty();
  if (is_platform) index.group_of_type.resize(program_.type_ids.size(), -1);
  for (auto& [type, ids] : by_type) {
    if (index.holds_common) {
      ids.insert(ids.end(), common.begin(), common.end());
    }
    const std::string name = type_names_[static_cast<size_t>(type)];
    const int32_t group = BuildGroup(std::move(ids), &name);
    if (is_platform) {
      index.group_of_type[static_cast<size_t>(type)] = group;
    } else {
      index.typed_groups.emplace(type, group);
    }
  }
  if (!common.empty()) index.common = BuildGroup(std::move(common), nullptr);
  program_.index.layers.push_back(std::move(index));
}

int32_t IndexBuilder::BuildGroup(Rules rules, const std::string* type_or_null) {
  // What may end the search comes first.
  std::sort(rules.begin(), rules.end(), [this](int32_t left, int32_t right) {
    return std::pair(rule(right).kind, left) <
           std::pair(rule(left).kind, right);
  });
  std::vector<Candidate> candidates;
  for (const int32_t id : rules) candidates.push_back({.rule = id});
  if (candidates.size() >= kIndexedRulesMin) {
    FindAccess(type_or_null, candidates);
    RememberMatches(candidates);
  }
  DecisionIndex& index = program_.index;
  RuleGroup group;
  group.first_cell = static_cast<uint32_t>(index.cells.size());
  group.first_index = static_cast<uint32_t>(index.indexes.size());
  for (Candidate& candidate : candidates) {
    // One that is never true has no atoms, and no place.
    if (!candidate.is_always) continue;
    const size_t before = index.cells.size();
    PlaceCell(candidate, type_or_null);
    if (index.cells.size() > before) ++group.always_count;
  }
  for (Candidate& candidate : candidates) {
    if (!candidate.is_always) PlaceCell(candidate, type_or_null);
  }
  if (!AddIndexes(candidates)) {
    // Too large for an automaton: all are run.
    index.indexes.resize(group.first_index);
    index.cells.resize(group.first_cell);
    group.always_count = 0;
    for (Candidate& candidate : candidates) {
      const size_t before = index.cells.size();
      PlaceCell(candidate, type_or_null);
      if (index.cells.size() > before) ++group.always_count;
    }
  }
  group.index_count =
      static_cast<uint32_t>(index.indexes.size()) - group.first_index;
  index.groups.push_back(group);
  return static_cast<int32_t>(index.groups.size()) - 1;
}

void IndexBuilder::FindAccess(const std::string* type_or_null,
                              std::vector<Candidate>& candidates) {
  AccessFinder finder(program_, type_or_null);
  for (const Candidate& candidate : candidates) {
    const int32_t condition = rule(candidate.rule).condition;
    if (condition >= 0) finder.Count(condition);
  }
  for (int round = 0; round < kRounds; ++round) {
    for (Candidate& candidate : candidates) {
      const int32_t condition = rule(candidate.rule).condition;
      if (!candidate.is_always || condition < 0) continue;
      candidate.access = finder.Find(condition);
      candidate.is_always = !candidate.access.has_value();
    }
    DropSmall(finder, candidates);
  }
}

void IndexBuilder::DropSmall(AccessFinder& finder,
                             std::vector<Candidate>& candidates) {
  bool is_stable = false;
  while (!is_stable) {
    is_stable = true;
    std::map<IndexKey, size_t> counts;
    for (const Candidate& candidate : candidates) {
      if (candidate.is_always) continue;
      for (const Atom& atom : *candidate.access) ++counts[KeyOf(atom)];
    }
    for (Candidate& candidate : candidates) {
      if (candidate.is_always) continue;
      for (const Atom& atom : *candidate.access) {
        const size_t least =
            atom.kind == IndexKind::kRegexes ? kRegexRulesMin : kIndexRulesMin;
        if (counts[KeyOf(atom)] >= least) continue;
        finder.Ban(atom.subject, atom.kind);
        candidate.is_always = true;
      }
      if (!candidate.is_always) continue;
      candidate.access.reset();
      is_stable = false;
    }
  }
}

void IndexBuilder::RememberMatches(const std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) {
    if (candidate.is_always) continue;
    for (const Atom& atom : *candidate.access) {
      if (atom.matches < 0) continue;
      Instruction& matches =
          program_.instructions[static_cast<size_t>(atom.matches)];
      if (matches.memo < 0) matches.memo = program_.memo_count++;
    }
  }
}

void IndexBuilder::PlaceCell(Candidate& candidate,
                             const std::string* type_or_null) {
  const ProgramRule& from = rule(candidate.rule);
  std::vector<Cell>& cells = program_.index.cells;
  Cell head;
  head.head = RuleHead();
  head.head.rule = candidate.rule;
  head.head.condition = from.condition;
  head.head.kind = from.kind;
  head.head.is_limit = from.limit >= 0;
  head.head.is_moot_if_blocked =
      from.limit < 0 && from.kind != DecisionKind::kBlock &&
      (from.condition < 0 || !may_fault_[static_cast<size_t>(from.condition)]);
  RuleCode code;
  if (from.condition >= 0) {
    code = MakeRuleCode(program_, from.condition, type_or_null);
  }
  if (code.value.has_value()) {
    if (!*code.value) {
      candidate.is_always = true;
      return;
    }
    head.head.condition = -1;
  }
  head.head.test_count = static_cast<uint16_t>(code.tests.size());
  candidate.cell = static_cast<uint32_t>(cells.size());
  cells.push_back(head);
  for (const Test& test : code.tests) {
    Cell cell;
    cell.test = test;
    cells.push_back(cell);
  }
}

ValueIndex IndexBuilder::MakeIndex(const Atom& atom) const {
  ValueIndex index;
  index.kind = atom.kind;
  index.instruction = atom.subject;
  index.ignores_case = atom.regex >= 0 && IgnoresCase(atom.regex);
  const Instruction& read =
      program_.instructions[static_cast<size_t>(atom.subject)];
  index.value = atom.subject;
  if (read.code == Code::kSlot || read.code == Code::kFixed) {
    index.source = ValueSource::kSlot;
    index.value = read.code == Code::kSlot ? read.index : read.extra;
  }
  return index;
}

bool IndexBuilder::AddIndexes(const std::vector<Candidate>& candidates) {
  std::map<IndexKey, std::vector<TableEntry>> entries;
  for (const Candidate& candidate : candidates) {
    if (candidate.is_always) continue;
    for (const Atom& atom : *candidate.access) {
      entries[KeyOf(atom)].push_back({&atom, candidate.cell});
    }
  }
  for (const auto& [key, of_key] : entries) {
    ValueIndex index = MakeIndex(*of_key.front().atom);
    if (!FillTables(program_, of_key, index, program_.index.lists)) {
      return false;
    }
    program_.index.indexes.push_back(std::move(index));
  }
  return true;
}

}  // namespace

void BuildIndex(DecisionProgram& program) { IndexBuilder(program).Run(); }

}  // namespace sgl
