#include "policy/syntax/format_tokens.h"

#include <absl/strings/ascii.h>

#include <utility>

#include "policy/diagnostics/diagnostic.h"

namespace sgl {
namespace {

bool IsOpening(TokenKind kind) {
  return kind == TokenKind::kLeftBrace || kind == TokenKind::kLeftParen ||
         kind == TokenKind::kLeftBracket;
}

bool IsClosing(TokenKind kind) {
  return kind == TokenKind::kRightBrace || kind == TokenKind::kRightParen ||
         kind == TokenKind::kRightBracket;
}

class Reader {
 public:
  Reader(const SourceSet& sources, FileId file)
      : sources_(sources), text_(sources.text(file)), file_(file) {}

  FormatTokens Read() {
    Diagnostics unused;  // the file is known to lex
    Lexer lexer(sources_, file_, unused);
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") previous_end_ = 3;
    do {
      const Token token = lexer.Next();
      Add(token.kind, token.span);
    } while (result_.tokens.back().kind != TokenKind::kEnd);
    return std::move(result_);
  }

 private:
  void Add(TokenKind kind, Span span) {
    FormatToken token;
    token.kind = kind;
    token.text = sources_.TextAt(span);
    token.first_comment = static_cast<int32_t>(result_.comments.size());
    const auto gap_begin = static_cast<size_t>(previous_end_);
    token.has_blank_before = ReadGap(
        text_.substr(gap_begin, static_cast<size_t>(span.begin) - gap_begin));
    previous_end_ = span.end;
    TakeCommentsOfComma(token);
    token.comment_count =
        static_cast<int32_t>(result_.comments.size()) - token.first_comment;
    DropBlanksAtBrackets(token);
    result_.tokens.push_back(token);
  }

  // Reads the comments between two tokens. Returns whether a blank line stands
  // behind the last of them.
  bool ReadGap(absl::string_view gap) {
    int line_breaks = result_.tokens.empty() ? 1 : 0;
    for (size_t at = 0; at < gap.size();) {
      if (gap[at] != '/') {
        if (gap[at] == '\n') ++line_breaks;
        ++at;
        continue;
      }
      size_t end = gap.find('\n', at);
      if (end == absl::string_view::npos) end = gap.size();
      Comment comment;
      comment.text =
          absl::StripTrailingAsciiWhitespace(gap.substr(at, end - at));
      comment.is_own_line = line_breaks > 0;
      comment.has_blank_before = line_breaks > 1;
      result_.comments.push_back(comment);
      line_breaks = 0;
      at = end;
    }
    return line_breaks > 1;
  }

  void TakeCommentsOfComma(FormatToken& token) {
    if (result_.tokens.empty()) return;
    FormatToken& comma = result_.tokens.back();
    if (comma.kind != TokenKind::kComma || comma.comment_count == 0) return;
    for (size_t i = static_cast<size_t>(token.first_comment);
         i < result_.comments.size(); ++i) {
      result_.comments[i].is_own_line = true;
    }
    token.first_comment = comma.first_comment;
    comma.comment_count = 0;
  }

  // A blank line right inside a bracket, or at an end of the file, separates
  // nothing.
  void DropBlanksAtBrackets(FormatToken& token) {
    const bool is_first =
        result_.tokens.empty() || IsOpening(result_.tokens.back().kind);
    if (is_first && token.comment_count > 0) {
      Comment& first =
          result_.comments[static_cast<size_t>(token.first_comment)];
      first.has_blank_before = false;
    }
    if ((is_first && token.comment_count == 0) || IsClosing(token.kind) ||
        token.kind == TokenKind::kEnd) {
      token.has_blank_before = false;
    }
  }

  const SourceSet& sources_;
  const absl::string_view text_;
  const FileId file_;
  int32_t previous_end_ = 0;
  FormatTokens result_;
};

}  // namespace

FormatTokens ReadFormatTokens(const SourceSet& sources, FileId file) {
  return Reader(sources, file).Read();
}

}  // namespace sgl
