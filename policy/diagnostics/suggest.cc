#include "policy/diagnostics/suggest.h"

#include <absl/strings/match.h>

#include <algorithm>
#include <cstddef>

namespace sgl {
namespace {

constexpr size_t kEditsMax = 2;

// Names longer than this get no suggestion: the table below is quadratic.
constexpr size_t kLengthMax = 64;

// Returns the number of edits between two names: insertions, deletions,
// changes and swaps of neighbours. REQUIRES: both at most kLengthMax long.
size_t EditDistance(absl::string_view from, absl::string_view to) {
  size_t rows[3][kLengthMax + 1];
  size_t* before = rows[0];
  size_t* last = rows[1];
  size_t* row = rows[2];
  for (size_t j = 0; j <= to.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= from.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const size_t change = from[i - 1] == to[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] &&
          from[i - 2] == to[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    size_t* freed = before;
    before = last;
    last = row;
    row = freed;
  }
  return last[to.size()];
}

}  // namespace

std::string Suggest(absl::string_view name,
                    const std::vector<std::string>& candidates) {
  for (const std::string& candidate : candidates) {
    if (absl::EqualsIgnoreCase(candidate, name)) return candidate;
  }
  if (name.size() > kLengthMax) return "";
  const size_t limit = std::min(kEditsMax, name.size() / 3);
  size_t best = limit + 1;
  const std::string* found = nullptr;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLengthMax) continue;
    if (candidate.size() + limit < name.size()) continue;
    if (name.size() + limit < candidate.size()) continue;
    const size_t distance = EditDistance(name, candidate);
    if (distance < best) {
      best = distance;
      found = &candidate;
    }
  }
  return found == nullptr ? "" : *found;
}

}  // namespace sgl
