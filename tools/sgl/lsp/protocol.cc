#include "tools/sgl/lsp/protocol.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sgl::tools {

const Json* JsonAt(const Json& value, std::initializer_list<const char*> keys) {
  const Json* at = &value;
  for (const char* const key : keys) {
    if (!at->is_object()) return nullptr;
    const auto found = at->find(key);
    if (found == at->end()) return nullptr;
    at = &*found;
  }
  return at;
}

std::optional<std::string> StringAt(const Json& value,
                                    std::initializer_list<const char*> keys) {
  const Json* const found = JsonAt(value, keys);
  if (found == nullptr || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::optional<int64_t> IntAt(const Json& value,
                             std::initializer_list<const char*> keys) {
  const Json* const found = JsonAt(value, keys);
  if (found == nullptr || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned()) {
    constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
    return static_cast<int64_t>(std::min(found->get<uint64_t>(), kMax));
  }
  return found->get<int64_t>();
}

std::optional<Position> PositionAt(const Json& value,
                                   std::initializer_list<const char*> keys) {
  const Json* const found = JsonAt(value, keys);
  if (found == nullptr) return std::nullopt;
  const std::optional<int64_t> line = IntAt(*found, {"line"});
  const std::optional<int64_t> character = IntAt(*found, {"character"});
  if (!line.has_value() || !character.has_value()) return std::nullopt;
  return Position{*line, *character};
}

Json PositionJson(Position position) {
  return {{"line", position.line}, {"character", position.character}};
}

Json RangeJson(const LineTable& lines, int32_t begin, int32_t end) {
  return {{"start", PositionJson(lines.PositionOf(begin))},
          {"end", PositionJson(lines.PositionOf(end))}};
}

Json MarkdownJson(std::string text) {
  return {{"kind", "markdown"}, {"value", std::move(text)}};
}

}  // namespace sgl::tools
