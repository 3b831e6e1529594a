#include "tools/sgl/lsp/positions.h"

#include <algorithm>

namespace sgl::tools {
namespace {

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// Returns how many bytes the code point at `at` has.
size_t PointBytes(absl::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  size_t wanted = 1;
  if (lead >= 0xC2) wanted = 2;
  if (lead >= 0xE0) wanted = 3;
  if (lead >= 0xF0) wanted = 4;
  if (lead >= 0xF5) wanted = 1;
  for (size_t i = 1; i < wanted; ++i) {
    if (at + i >= text.size() || !IsContinuation(text[at + i])) return 1;
  }
  return wanted;
}

// Code points beyond the first 65,536 take two units, and four bytes.
int64_t Units(size_t point_bytes) { return point_bytes == 4 ? 2 : 1; }

}  // namespace

LineTable::LineTable(absl::string_view text) : text_(text), begins_{0} {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_pair =
        text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (text[i] == '\n' || (text[i] == '\r' && !is_pair)) {
      begins_.push_back(i + 1);
    }
  }
}

size_t LineTable::EndOf(size_t line) const {
  if (line + 1 == begins_.size()) return text_.size();
  size_t end = begins_[line + 1] - 1;
  const bool is_pair =
      text_[end] == '\n' && end > begins_[line] && text_[end - 1] == '\r';
  return is_pair ? end - 1 : end;
}

Position LineTable::PositionOf(int32_t byte) const {
  const size_t wanted =
      std::min(static_cast<size_t>(std::max(byte, 0)), text_.size());
  const auto next = std::upper_bound(begins_.begin(), begins_.end(), wanted);
  const auto line = static_cast<size_t>(next - begins_.begin()) - 1;
  const size_t end = std::min(wanted, EndOf(line));
  Position position = {static_cast<int64_t>(line), 0};
  size_t at = begins_[line];
  while (at < end) {
    const size_t bytes = PointBytes(text_, at);
    if (at + bytes > end) break;
    position.character += Units(bytes);
    at += bytes;
  }
  return position;
}

int32_t LineTable::ByteOf(Position position) const {
  if (position.line < 0) return 0;
  if (position.line >= static_cast<int64_t>(begins_.size())) {
    return static_cast<int32_t>(text_.size());
  }
  const auto line = static_cast<size_t>(position.line);
  const size_t end = EndOf(line);
  size_t at = begins_[line];
  int64_t left = position.character;
  while (at < end && left > 0) {
    const size_t bytes = PointBytes(text_, at);
    left -= Units(bytes);
    if (left < 0) break;
    at += bytes;
  }
  return static_cast<int32_t>(at);
}

}  // namespace sgl::tools
