// Bounds on the text that callers send: counted in characters, storable.

#ifndef ENGINE_TEXT_H_
#define ENGINE_TEXT_H_

#include <absl/strings/string_view.h>

#include <cstddef>

namespace sgl::engine {

// Returns how many Unicode code points the UTF-8 text has.
size_t CharacterCount(absl::string_view utf8);

// Returns how much of the text there is room for: the most whole characters
// that take up to `bytes_max` bytes. A view into it.
absl::string_view Cut(absl::string_view utf8, size_t bytes_max);

// Returns whether the text holds a NUL, which PostgreSQL can't keep. (Text of
// a protobuf string field is UTF-8 already.)
bool HasNul(absl::string_view text);

// Returns whether the text is 64 lower-case hex digits.
bool IsSha256Hex(absl::string_view text);

}  // namespace sgl::engine

#endif  // ENGINE_TEXT_H_
