#include "engine/text.h"

namespace sgl::engine {

size_t CharacterCount(absl::string_view utf8) {
  size_t count = 0;
  // Continuation bytes are 10xxxxxx.
  for (const char byte : utf8) count += (byte & 0xc0) != 0x80;
  return count;
}

absl::string_view Cut(absl::string_view utf8, size_t bytes_max) {
  if (utf8.size() <= bytes_max) return utf8;
  size_t end = bytes_max;
  while (end > 0 && (utf8[end] & 0xc0) == 0x80) --end;
  return utf8.substr(0, end);
}

bool HasNul(absl::string_view text) {
  return text.find('\0') != absl::string_view::npos;
}

bool IsSha256Hex(absl::string_view text) {
  return text.size() == 64 &&
         text.find_first_not_of("0123456789abcdef") == absl::string_view::npos;
}

}  // namespace sgl::engine
