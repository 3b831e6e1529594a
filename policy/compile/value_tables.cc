#include "policy/compile/value_tables.h"

#include <absl/strings/string_view.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/check.h"

namespace sgl {
namespace {

// What one automaton of many regexes may spend, on compiling and matching.
constexpr int64_t kSetMemoryMax = 64 << 20;

// Where prefixes have more sizes than this, they are cut to a few: each size
// costs a look-up.
constexpr size_t kPrefixSizesMax = 6;
constexpr uint32_t kCutSizes[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128};

// Entries of all segments for each range.
constexpr size_t kSegmentsPerRange = 16;

using Cells = std::vector<uint32_t>;

// Returns where in `lists` the cells stand.
uint32_t AddCells(const Cells& cells, std::vector<uint32_t>& lists) {
  const uint32_t first = static_cast<uint32_t>(lists.size());
  lists.insert(lists.end(), cells.begin(), cells.end());
  return first;
}

CellList AddList(const Cells& cells, std::vector<uint32_t>& lists) {
  if (cells.size() == 1) return {.first = cells[0], .count = 1};
  return {.first = AddCells(cells, lists),
          .count = static_cast<uint32_t>(cells.size())};
}

void Append(uint32_t cell, Cells& cells) {
  if (cells.empty() || cells.back() != cell) cells.push_back(cell);
}

size_t TableSize(size_t keys) {
  size_t size = 4;
  while (size < 2 * keys) size *= 2;
  return size;
}

void FillNumbers(const std::vector<TableEntry>& entries, ValueIndex& index,
                 std::vector<uint32_t>& lists) {
  std::map<int64_t, Cells> by_number;
  for (const TableEntry& entry : entries) {
    for (const int64_t number : entry.atom->numbers) {
      Append(entry.cell, by_number[number]);
    }
  }
  index.numbers.resize(TableSize(by_number.size()));
  const size_t mask = index.numbers.size() - 1;
  for (const auto& [number, cells] : by_number) {
    size_t at = HashNumber(number) & mask;
    while (index.numbers[at].rules.count > 0) at = (at + 1) & mask;
    index.numbers[at] = {number, AddList(cells, lists)};
  }
}

void FillTexts(const std::map<std::string, Cells>& by_text, ValueIndex& index,
               std::vector<uint32_t>& lists) {
  index.texts.resize(TableSize(by_text.size()));
  const size_t mask = index.texts.size() - 1;
  for (const auto& [text, cells] : by_text) {
    TextKey key;
    key.hash = HashText(text.data(), text.size());
    key.offset = static_cast<uint32_t>(index.text.size());
    key.size = static_cast<uint32_t>(text.size());
    key.rules = AddList(cells, lists);
    index.text.append(text);
    size_t at = key.hash & mask;
    while (index.texts[at].rules.count > 0) at = (at + 1) & mask;
    index.texts[at] = key;
  }
}

void FillEqualTexts(const std::vector<TableEntry>& entries, ValueIndex& index,
                    std::vector<uint32_t>& lists) {
  std::map<std::string, Cells> by_text;
  for (const TableEntry& entry : entries) {
    for (const std::string& text : entry.atom->texts) {
      Append(entry.cell, by_text[text]);
    }
  }
  FillTexts(by_text, index, lists);
}

// Returns the size that a prefix is cut to.
size_t CutSize(size_t size) {
  size_t cut = 0;
  for (const uint32_t known : kCutSizes) {
    if (known <= size) cut = known;
  }
  return cut;
}

void FillPrefixes(const std::vector<TableEntry>& entries, ValueIndex& index,
                  std::vector<uint32_t>& lists) {
  std::vector<uint32_t> sizes;
  const auto note = [&sizes](size_t size) {
    const uint32_t bytes = static_cast<uint32_t>(size);
    const auto at = std::lower_bound(sizes.begin(), sizes.end(), bytes);
    if (at == sizes.end() || *at != bytes) sizes.insert(at, bytes);
  };
  for (const TableEntry& entry : entries) note(entry.atom->texts[0].size());
  const bool is_cut = sizes.size() > kPrefixSizesMax;
  if (is_cut) sizes.clear();
  std::map<std::string, Cells> by_prefix;
  for (const TableEntry& entry : entries) {
    std::string prefix = entry.atom->texts[0];
    if (is_cut) {
      prefix.resize(CutSize(prefix.size()));
      note(prefix.size());
    }
    Append(entry.cell, by_prefix[prefix]);
  }
  index.prefix_sizes = std::move(sizes);
  FillTexts(by_prefix, index, lists);
}

// Sorts the entries by one end of their ranges and keeps ends and rules.
template <typename Before>
uint32_t FillEnds(std::vector<const TableEntry*> entries, int64_t Atom::*end,
                  Before before, std::vector<int64_t>& ends,
                  std::vector<uint32_t>& lists) {
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const TableEntry* left, const TableEntry* right) {
                     return before(left->atom->*end, right->atom->*end);
                   });
  Cells cells;
  for (const TableEntry* entry : entries) {
    ends.push_back(entry->atom->*end);
    cells.push_back(entry->cell);
  }
  return AddCells(cells, lists);
}

// Where in `bounds` a range begins and ends.
std::pair<size_t, size_t> SegmentsOf(const Atom& atom,
                                     const std::vector<int64_t>& bounds) {
  const auto place = [&bounds](int64_t bound) {
    return static_cast<size_t>(
        std::lower_bound(bounds.begin(), bounds.end(), bound) - bounds.begin());
  };
  return {place(atom.low), place(atom.high + 1)};
}

void FillSegments(std::vector<const TableEntry*> ranges,
                  std::vector<const TableEntry*>* too_wide, ValueIndex& index,
                  std::vector<uint32_t>& lists) {
  std::vector<int64_t>& bounds = index.bounds;
  for (const TableEntry* range : ranges) {
    bounds.push_back(range->atom->low);
    bounds.push_back(range->atom->high + 1);
  }
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  // The narrow ones first, until there is no room.
  std::vector<size_t> order(ranges.size());
  std::vector<size_t> widths(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    order[i] = i;
    const auto [first, end] = SegmentsOf(*ranges[i]->atom, bounds);
    widths[i] = end - first;
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t left, size_t right) {
    return widths[left] < widths[right];
  });
  size_t room = kSegmentsPerRange * ranges.size() + 64;
  std::vector<bool> is_placed(ranges.size());
  for (const size_t number : order) {
    if (widths[number] > room) {
      too_wide->push_back(ranges[number]);
      continue;
    }
    room -= widths[number];
    is_placed[number] = true;
  }
  std::vector<Cells> between(bounds.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (!is_placed[i]) continue;
    const auto [first, end] = SegmentsOf(*ranges[i]->atom, bounds);
    for (size_t k = first; k < end; ++k) Append(ranges[i]->cell, between[k]);
  }
  for (const Cells& cells : between) {
    index.between.push_back(AddList(cells, lists));
  }
}

void FillRanges(const std::vector<TableEntry>& entries, ValueIndex& index,
                std::vector<uint32_t>& lists) {
  std::vector<const TableEntry*> ranges;
  std::vector<const TableEntry*> with_low;
  std::vector<const TableEntry*> with_high;
  for (const TableEntry& entry : entries) {
    if (entry.atom->high == INT64_MAX) {
      with_low.push_back(&entry);
    } else if (entry.atom->low == INT64_MIN) {
      with_high.push_back(&entry);
    } else {
      ranges.push_back(&entry);
    }
  }
  FillSegments(ranges, &with_low, index, lists);
  index.by_low =
      FillEnds(with_low, &Atom::low, std::less<int64_t>(), index.lows, lists);
  index.by_high = FillEnds(with_high, &Atom::high, std::greater<int64_t>(),
                           index.highs, lists);
}

bool FillRegexes(const DecisionProgram& program,
                 const std::vector<TableEntry>& entries, ValueIndex& index,
                 std::vector<uint32_t>& lists) {
  std::map<int32_t, Cells> by_match;
  std::map<int32_t, int32_t> regex_of_match;
  for (const TableEntry& entry : entries) {
    Append(entry.cell, by_match[entry.atom->matches]);
    regex_of_match[entry.atom->matches] = entry.atom->regex;
  }
  std::vector<int32_t> regexes;
  for (const auto& [match, cells] : by_match) {
    regexes.push_back(regex_of_match[match]);
    index.by_regex.push_back(AddList(cells, lists));
    const int32_t memo = program.instructions[static_cast<size_t>(match)].memo;
    SGL_CHECK_GE(memo, 0) << match;
    index.memo_of_regex.push_back(memo);
  }
  index.regexes = MakeRegexSet(program, regexes, index.ignores_case);
  return index.regexes != nullptr;
}

}  // namespace

bool FillTables(const DecisionProgram& program,
                const std::vector<TableEntry>& entries, ValueIndex& index,
                std::vector<uint32_t>& lists) {
  Cells all;
  Cells unguarded;
  for (const TableEntry& entry : entries) {
    Append(entry.cell, all);
    if (!entry.atom->is_guarded) Append(entry.cell, unguarded);
  }
  index.all = AddList(all, lists);
  index.unguarded = AddList(unguarded, lists);
  switch (index.kind) {
    case IndexKind::kNumbers:
      FillNumbers(entries, index, lists);
      return true;
    case IndexKind::kTexts:
      FillEqualTexts(entries, index, lists);
      return true;
    case IndexKind::kPrefixes:
      FillPrefixes(entries, index, lists);
      return true;
    case IndexKind::kRanges:
      FillRanges(entries, index, lists);
      return true;
    case IndexKind::kRegexes:
      return FillRegexes(program, entries, index, lists);
  }
  return false;
}

std::unique_ptr<const RE2::Set> MakeRegexSet(
    const DecisionProgram& program, const std::vector<int32_t>& regexes,
    bool ignores_case) {
  RE2::Options options;
  options.set_max_mem(kSetMemoryMax);
  options.set_case_sensitive(!ignores_case);
  options.set_log_errors(false);
  auto set = std::make_unique<RE2::Set>(options, RE2::UNANCHORED);
  for (const int32_t regex : regexes) {
    const std::string& pattern =
        program.regexes[static_cast<size_t>(regex)]->pattern();
    if (set->Add(pattern, nullptr) < 0) return nullptr;
  }
  if (!set->Compile()) return nullptr;
  return set;
}

}  // namespace sgl
