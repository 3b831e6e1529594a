#include "policy/eval/limits.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <limits>

namespace sgl {
namespace {

// A code is one word and the layer's size stands before it, so no two keys are
// alike.
std::string KeyOf(const LimitDraw& draw) {
  return absl::StrCat(draw.code, " ", draw.layer.size(), ":", draw.layer, " ",
                      draw.subject);
}

}  // namespace

absl::string_view LimitScopeName(LimitScope scope) {
  switch (scope) {
    case LimitScope::kAgent:
      return "agent";
    case LimitScope::kTenant:
      return "tenant";
    case LimitScope::kPlatform:
      break;
  }
  return "platform";
}

std::optional<int64_t> LimitLedger::Total(const LimitDraw& draw,
                                          absl::Time now) const {
  const auto found = entries_.find(KeyOf(draw));
  if (found == entries_.end()) return 0;
  const std::vector<Entry>& entries = found->second;
  const auto sum_up_to = [&entries](absl::Time time) -> absl::int128 {
    const auto after = std::upper_bound(
        entries.begin(), entries.end(), time,
        [](absl::Time at, const Entry& entry) { return at < entry.time; });
    return after == entries.begin() ? absl::int128(0) : (after - 1)->sum;
  };
  const absl::int128 total = sum_up_to(now) - sum_up_to(now - draw.window);
  if (total > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(total);
}

void LimitLedger::Count(const std::vector<LimitDraw>& draws, absl::Time now) {
  for (const LimitDraw& draw : draws) {
    if (draw.amount == 0) continue;
    std::vector<Entry>& entries = entries_[KeyOf(draw)];
    auto at = std::upper_bound(
        entries.begin(), entries.end(), now,
        [](absl::Time time, const Entry& entry) { return time < entry.time; });
    const absl::int128 before =
        at == entries.begin() ? absl::int128(0) : (at - 1)->sum;
    at = entries.insert(at, {now, before});
    for (; at != entries.end(); ++at) at->sum += draw.amount;
  }
}

}  // namespace sgl
