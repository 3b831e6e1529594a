#include "engine/limit_book.h"

#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>

#include <limits>
#include <utility>

#include "base/check.h"

namespace sgl::engine {
namespace {

// A code is one word and the layer's size stands before it, so no two are
// alike.
std::string KeyText(const LimitDraw& draw) {
  return absl::StrCat(
      draw.layer.size(), ":", draw.layer, " ", draw.code, " ",
      LimitScopeName(draw.scope), " ", draw.is_spend ? "spend" : "count", " ",
      absl::ToInt64Microseconds(draw.window), " ", draw.subject);
}

}  // namespace

storage::LimitKey LimitKeyOf(const LimitDraw& draw,
                             const std::string& tenant_id) {
  return {
      .key = KeyText(draw),
      .tenant_id = draw.scope == LimitScope::kPlatform ? "" : tenant_id,
      .window = draw.window,
  };
}

bool LimitBook::Add(const std::vector<LimitDraw>& draws,
                    const std::string& tenant_id) {
  bool were_read = true;
  for (const LimitDraw& draw : draws) {
    storage::LimitKey key = LimitKeyOf(draw, tenant_id);
    were_read &= reading_.by_key.contains(key.key);
    std::string text = key.key;
    keys_.emplace(std::move(text), std::move(key));
  }
  return were_read;
}

std::vector<storage::LimitKey> LimitBook::Keys() const {
  std::vector<storage::LimitKey> keys;
  keys.reserve(keys_.size());
  for (const auto& [text, key] : keys_) keys.push_back(key);
  return keys;
}

void LimitBook::Note(storage::LimitReading reading) {
  reading_ = std::move(reading);
  added_.clear();
}

absl::Status LimitBook::Lock(storage::Transaction& tx) {
  absl::StatusOr<storage::LimitReading> reading =
      storage::LockLimits(tx, Keys());
  if (reading.ok()) Note(*std::move(reading));
  return reading.status();
}

absl::Status LimitBook::Read(storage::Transaction& tx) {
  absl::StatusOr<storage::LimitReading> reading =
      storage::ReadLimits(tx, Keys());
  if (reading.ok()) Note(*std::move(reading));
  return reading.status();
}

std::optional<int64_t> LimitBook::Total(const LimitDraw& draw,
                                        absl::Time now) const {
  SGL_CHECK(now == reading_.now) << draw.code;
  const std::string key = KeyText(draw);
  const auto read = reading_.by_key.find(key);
  if (read == reading_.by_key.end() || !read->second.has_value()) {
    return std::nullopt;
  }
  const auto added = added_.find(key);
  const absl::int128 total =
      absl::int128(*read->second) +
      (added == added_.end() ? absl::int128(0) : added->second);
  if (total > std::numeric_limits<int64_t>::max()) return std::nullopt;
  return static_cast<int64_t>(total);
}

std::vector<storage::LimitCount> LimitBook::Count(
    const std::vector<LimitDraw>& draws, const std::string& tenant_id) {
  std::vector<storage::LimitCount> counts;
  for (const LimitDraw& draw : draws) {
    if (draw.amount == 0) continue;
    storage::LimitKey key = LimitKeyOf(draw, tenant_id);
    added_[key.key] += draw.amount;
    counts.push_back(
        {.key = std::move(key), .at = reading_.now, .amount = draw.amount});
  }
  return counts;
}

}  // namespace sgl::engine
