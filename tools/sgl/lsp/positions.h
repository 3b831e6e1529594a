// Places as the protocol counts them: lines from 0, ended by `\n`, `\r\n` or
// `\r`; characters from 0 in UTF-16 code units.
//
//   const LineTable lines(text);
//   lines.PositionOf(byte);            // {line, character}
//   lines.ByteOf({.line = 3, .character = 7});

#ifndef TOOLS_SGL_LSP_POSITIONS_H_
#define TOOLS_SGL_LSP_POSITIONS_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <vector>

namespace sgl::tools {

struct Position {
  int64_t line = 0;
  int64_t character = 0;

  bool operator==(const Position&) const = default;
};

// The lines of a text, which it views. A byte that belongs to no code point
// counts as one unit.
class LineTable {
 public:
  explicit LineTable(absl::string_view text);

  // Returns where a byte stands; inside a code point, where that begins.
  // Bytes past the end stand at the end.
  Position PositionOf(int32_t byte) const;

  // Returns the byte at a place. Past the end of a line it is the line's end,
  // past the last line the end of the text.
  int32_t ByteOf(Position position) const;

 private:
  // Returns where a line ends, without its line break.
  size_t EndOf(size_t line) const;

  absl::string_view text_;
  std::vector<size_t> begins_;  // never empty
};

}  // namespace sgl::tools

#endif  // TOOLS_SGL_LSP_POSITIONS_H_
