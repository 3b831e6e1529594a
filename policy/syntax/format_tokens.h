// What the formatter keeps of a file: its tokens as spelled, and the comments
// and blank lines between them. Internal to policy/syntax.
//
// A comment belongs to the token behind it. It either ends the line of the
// token before (`// so` after a field), or stands on a line of its own.

#ifndef POLICY_SYNTAX_FORMAT_TOKENS_H_
#define POLICY_SYNTAX_FORMAT_TOKENS_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <vector>

#include "policy/lex/lexer.h"
#include "policy/source/source.h"

namespace sgl {

struct Comment {
  absl::string_view text;  // from `//`, without blanks at its end
  bool is_own_line = false;
  bool has_blank_before = false;
};

struct FormatToken {
  TokenKind kind = TokenKind::kEnd;
  absl::string_view text;         // views the source, or a literal
  bool has_blank_before = false;  // a blank line, behind its comments
  bool has_space = true;          // before it, where no line breaks
  bool is_field_comma = false;    // left out where the line breaks behind it
  int32_t first_comment = 0;      // into the comments of the file
  int32_t comment_count = 0;
};

// Tokens in their order, kEnd last. Only the first comment of a token may
// share a line with the token before. A comma has no comments: those before
// it are handed on to the token behind it.
struct FormatTokens {
  std::vector<FormatToken> tokens;
  std::vector<Comment> comments;
};

// Reads a file that parses without errors. The result views the sources.
FormatTokens ReadFormatTokens(const SourceSet& sources, FileId file);

}  // namespace sgl

#endif  // POLICY_SYNTAX_FORMAT_TOKENS_H_
