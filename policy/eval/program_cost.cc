#include "policy/eval/program_cost.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <vector>

#include "policy/compile/access.h"
#include "policy/eval/payload_bounds.h"
#include "policy/eval/program_text.h"
#include "policy/limits.h"

namespace sgl {
namespace {

// An item takes two bytes at least. So many a loop inside a loop walks in all.
constexpr int64_t kItemsMax = static_cast<int64_t>(kPayloadBytesMax / 2);

struct Work {
  int64_t rules = 0;  // whose conditions are run
  int64_t comparisons = 0;
  int64_t passes = 0;
  int64_t walks = 0;

  Work& operator+=(const Work& other) {
    rules += other.rules;
    comparisons += other.comparisons;
    passes += other.passes;
    walks += other.walks;
    return *this;
  }
  bool operator<(const Work& other) const {
    return std::tie(walks, passes, comparisons) <
           std::tie(other.walks, other.passes, other.comparisons);
  }
};

int64_t Log2(size_t size) {
  int64_t steps = 1;
  for (; size > 1; size /= 2) ++steps;
  return steps;
}

std::string Text(const Work& work) {
  return absl::StrCat("at most ", work.rules, " rules, ", work.comparisons,
                      " comparisons, ", work.passes, " regex passes, ",
                      work.walks, " list walks");
}

// Reads one program. Confined to one CostText call.
class CostReader {
 public:
  explicit CostReader(const DecisionProgram& program)
      : program_(program), index_(program.index) {}

  std::string Read();

 private:
  Work GroupWork(const NamedGroup& named, size_t layer);
  Work IndexWork(const ValueIndex& index, const NamedGroup& named,
                 size_t layer);
  Work ListWork(CellList list);
  // Of `count` cells that stand in `lists` from `first` on.
  Work CellsWork(uint32_t first, size_t count);
  Work CellWork(uint32_t cell);
  Work LargestKey(const std::vector<TextKey>& keys, uint32_t size);
  void AddWork(int32_t id, int64_t times, int depth, Work* work);
  bool MayFaultBelow(int32_t id) const;
  // Whether a request of the type may leave the value out.
  bool MayMiss(const ValueIndex& index, const NamedGroup& named,
               size_t layer) const;
  bool IsRequired(int32_t slot, const ProgramShape& shape) const;

  const DecisionProgram& program_;
  const DecisionIndex& index_;
  absl::flat_hash_set<int32_t> visited_;
};

void CostReader::AddWork(int32_t id, int64_t times, int depth, Work* work) {
  const Instruction& instruction =
      program_.instructions[static_cast<size_t>(id)];
  // What stands twice in a condition and has one value is computed once.
  if (instruction.is_constant && !visited_.insert(id).second) return;
  int64_t own = instruction.child_count > 0 ? times : 0;
  int64_t times_of_body = times;
  switch (instruction.code) {
    case Code::kInNumbers:
    case Code::kInTexts: {
      const size_t index = static_cast<size_t>(instruction.index);
      own *= Log2(std::max(program_.number_sets[index].size(),
                           program_.text_sets[index].size()));
      break;
    }
    case Code::kMatches:
    case Code::kScan:
      work->passes += times;
      break;
    case Code::kAny:
    case Code::kAll:
    case Code::kCount:
      work->walks += times;
      times_of_body = depth == 0 ? int64_t{kListItemsMax} : kItemsMax;
      break;
    case Code::kSum:
    case Code::kInNumberList:
    case Code::kInTextList:
      work->walks += times;
      break;
    default:
      break;
  }
  work->comparisons += own;
  for (int32_t i = 0; i < instruction.child_count; ++i) {
    const int32_t child =
        program_.children[static_cast<size_t>(instruction.first_child + i)];
    const bool is_body = times_of_body != times && i > 0;
    AddWork(child, is_body ? times_of_body : times, depth + (is_body ? 1 : 0),
            work);
  }
}

Work CostReader::CellWork(uint32_t cell) {
  const RuleHead& head = index_.cells[cell].head;
  Work work;
  work.rules = 1;
  visited_.clear();
  if (head.condition >= 0) AddWork(head.condition, 1, 0, &work);
  return work;
}

Work CostReader::ListWork(CellList list) {
  return list.count == 1 ? CellWork(list.first)
                         : CellsWork(list.first, list.count);
}

Work CostReader::CellsWork(uint32_t first, size_t count) {
  Work work;
  for (size_t i = 0; i < count; ++i) work += CellWork(index_.lists[first + i]);
  return work;
}

bool CostReader::MayFaultBelow(int32_t id) const {
  const Instruction& instruction =
      program_.instructions[static_cast<size_t>(id)];
  if (MayFault(instruction.code)) return true;
  for (int32_t i = 0; i < instruction.child_count; ++i) {
    if (MayFaultBelow(program_.children[static_cast<size_t>(
            instruction.first_child + i)])) {
      return true;
    }
  }
  return false;
}

bool CostReader::IsRequired(int32_t slot, const ProgramShape& shape) const {
  for (const SlotSource& source : shape.slots) {
    if (source.slot != slot) continue;
    TypeId at = shape.fields;
    for (const int32_t step : source.steps) {
      at = program_.types[program_.types.Required(at)]
               .fields[static_cast<size_t>(step)]
               .type;
      if (program_.types.is_optional(at)) return false;
    }
    return true;
  }
  return false;
}

bool CostReader::MayMiss(const ValueIndex& index, const NamedGroup& named,
                         size_t layer) const {
  if (index.source != ValueSource::kSlot) return true;
  if (index.value >= program_.slot_count) return false;  // outside the payload
  if (IsRequired(index.value, program_.star)) return false;
  const auto platform = program_.platform_types.find(named.type);
  if (platform != program_.platform_types.end() &&
      IsRequired(index.value, platform->second)) {
    return false;
  }
  const auto& own = program_.layers[layer].types;
  const auto tenant = own.find(named.type);
  return tenant == own.end() || !IsRequired(index.value, tenant->second);
}

Work CostReader::LargestKey(const std::vector<TextKey>& keys, uint32_t size) {
  Work most;
  for (const TextKey& key : keys) {
    if (size > 0 && key.size != size) continue;
    most = std::max(most, ListWork(key.rules));
  }
  most.comparisons += 2;
  return most;
}

Work CostReader::IndexWork(const ValueIndex& index, const NamedGroup& named,
                           size_t layer) {
  Work found;
  switch (index.kind) {
    case IndexKind::kNumbers:
      for (const NumberKey& key : index.numbers) {
        found = std::max(found, ListWork(key.rules));
      }
      found.comparisons += 2;
      break;
    case IndexKind::kTexts:
      found = LargestKey(index.texts, 0);
      break;
    case IndexKind::kPrefixes:
      for (const uint32_t size : index.prefix_sizes) {
        found += LargestKey(index.texts, size);
      }
      break;
    case IndexKind::kRanges:
      for (const CellList& list : index.between) {
        found = std::max(found, ListWork(list));
      }
      found += CellsWork(index.by_low, index.lows.size());
      found += CellsWork(index.by_high, index.highs.size());
      found.comparisons += Log2(index.bounds.size()) + Log2(index.lows.size()) +
                           Log2(index.highs.size());
      break;
    case IndexKind::kRegexes:
      found = ListWork(index.all);
      found.passes += 2;
      break;
  }
  visited_.clear();
  Work subject;
  AddWork(index.instruction, 1, 0, &subject);
  if (MayFaultBelow(index.instruction)) {
    found = std::max(found, ListWork(index.all));
  } else if (MayMiss(index, named, layer)) {
    found = std::max(found, ListWork(index.unguarded));
  }
  found += subject;
  return found;
}

Work CostReader::GroupWork(const NamedGroup& named, size_t layer) {
  const RuleGroup& group = index_.groups[named.group];
  Work work;
  uint32_t cell = group.first_cell;
  for (uint32_t i = 0; i < group.always_count; ++i) {
    work += CellWork(cell);
    cell += 1 + index_.cells[cell].head.test_count;
  }
  for (uint32_t i = 0; i < group.index_count; ++i) {
    work += IndexWork(index_.indexes[group.first_index + i], named, layer);
  }
  return work;
}

std::string CostReader::Read() {
  std::string out;
  Work platform;
  Work tenants;
  for (size_t i = 0; i < index_.layers.size(); ++i) {
    const LayerIndex& layer = index_.layers[i];
    Work common;
    if (layer.common >= 0) {
      common = GroupWork({"*", static_cast<size_t>(layer.common)}, i);
    }
    Work most = common;
    absl::StrAppend(&out, "layer ", program_.layers[i].name, "\n");
    for (const NamedGroup& named : GroupsOf(program_, layer)) {
      Work work = named.type == "*" ? common : GroupWork(named, i);
      if (named.type != "*" && !layer.holds_common) work += common;
      absl::StrAppend(&out, "  type ", named.type, ": ", Text(work), "\n");
      most = std::max(most, work);
    }
    Work& of_kind = i == 0 ? platform : tenants;
    of_kind = std::max(of_kind, most);
  }
  platform += tenants;
  absl::StrAppend(&out, "any decision: ", Text(platform), "\n");
  return out;
}

}  // namespace

std::string CostText(const DecisionProgram& program) {
  return CostReader(program).Read();
}

}  // namespace sgl
