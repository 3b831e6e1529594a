#include "policy/lex/lexer.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <algorithm>
#include <utility>

#include "policy/limits.h"

namespace sgl {
namespace {

bool IsWordStart(char byte) {
  return absl::ascii_isalpha(static_cast<unsigned char>(byte)) || byte == '_';
}

bool IsWordChar(char byte) {
  return absl::ascii_isalnum(static_cast<unsigned char>(byte)) || byte == '_';
}

bool IsDigit(char byte) {
  return absl::ascii_isdigit(static_cast<unsigned char>(byte));
}

bool IsContinuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

// Returns the bytes of the well-formed code point at the front, or 0.
size_t WellFormedLength(absl::string_view text) {
  const auto at = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i])
                           : static_cast<unsigned char>(0);
  };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (!IsContinuation(at(1))) return 0;
  if (first < 0xE0) return 2;
  if (first == 0xE0 && at(1) < 0xA0) return 0;  // overlong
  if (first == 0xED && at(1) > 0x9F) return 0;  // a surrogate
  if (!IsContinuation(at(2))) return 0;
  if (first < 0xF0) return 3;
  if (first == 0xF0 && at(1) < 0x90) return 0;  // overlong
  if (first == 0xF4 && at(1) > 0x8F) return 0;  // past U+10FFFF
  return IsContinuation(at(3)) ? 4 : 0;
}

}  // namespace

absl::string_view TokenKindName(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEnd:
      return "end of file";
    case TokenKind::kError:
      return "unreadable text";
    case TokenKind::kWord:
      return "identifier";
    case TokenKind::kInt:
      return "int";
    case TokenKind::kDecimal:
      return "decimal";
    case TokenKind::kUsd:
      return "usd amount";
    case TokenKind::kDuration:
      return "duration";
    case TokenKind::kTimestamp:
      return "timestamp";
    case TokenKind::kString:
      return "string";
    case TokenKind::kRegex:
      return "regex";
    case TokenKind::kLeftBrace:
      return "`{`";
    case TokenKind::kRightBrace:
      return "`}`";
    case TokenKind::kLeftParen:
      return "`(`";
    case TokenKind::kRightParen:
      return "`)`";
    case TokenKind::kLeftBracket:
      return "`[`";
    case TokenKind::kRightBracket:
      return "`]`";
    case TokenKind::kLess:
      return "`<`";
    case TokenKind::kLessEqual:
      return "`<=`";
    case TokenKind::kGreater:
      return "`>`";
    case TokenKind::kGreaterEqual:
      return "`>=`";
    case TokenKind::kEqual:
      return "`==`";
    case TokenKind::kNotEqual:
      return "`!=`";
    case TokenKind::kAssign:
      return "`=`";
    case TokenKind::kComma:
      return "`,`";
    case TokenKind::kColon:
      return "`:`";
    case TokenKind::kDot:
      return "`.`";
    case TokenKind::kDotDot:
      return "`..`";
    case TokenKind::kPlus:
      return "`+`";
    case TokenKind::kMinus:
      return "`-`";
    case TokenKind::kStar:
      return "`*`";
    case TokenKind::kQuestion:
      return "`?`";
    case TokenKind::kCoalesce:
      return "`??`";
  }
  return "";
}

bool IsWord(absl::string_view text) {
  if (text.empty() || !IsWordStart(text[0])) return false;
  for (char byte : text) {
    if (!IsWordChar(byte)) return false;
  }
  return true;
}

Lexer::Lexer(const SourceSet& sources, FileId file, Diagnostics& diagnostics)
    : sources_(sources),
      file_(file),
      text_(sources.text(file)),
      diagnostics_(diagnostics) {
  if (text_.size() > static_cast<size_t>(kSourceBytesMax)) {
    diagnostics_.Add(DiagnosticKind::kSourceTooLong, {file_, 0, 0},
                     absl::StrFormat("the file has %d bytes, more than %d",
                                     text_.size(), kSourceBytesMax));
    return;  // end_ stays 0: nothing is read
  }
  end_ = static_cast<int32_t>(text_.size());
  CheckUtf8();
  if (text_.substr(0, 3) == "\xEF\xBB\xBF") pos_ = 3;  // a byte order mark
}

Lexer::Lexer(const SourceSet& sources, Span part, Diagnostics& diagnostics)
    : sources_(sources),
      file_(part.file),
      text_(sources.text(part.file)),
      pos_(part.begin),
      end_(part.end),
      starts_line_(false),
      diagnostics_(diagnostics) {}

void Lexer::CheckUtf8() {
  size_t at = 0;
  while (at < text_.size()) {
    if (static_cast<unsigned char>(text_[at]) < 0x80) {
      ++at;
      continue;
    }
    const size_t length = WellFormedLength(text_.substr(at, 4));
    if (length == 0) {
      const auto begin = static_cast<int32_t>(at);
      diagnostics_.Add(DiagnosticKind::kSourceNotUtf8,
                       {file_, begin, begin + 1},
                       absl::StrFormat("byte 0x%02X is not UTF-8",
                                       static_cast<unsigned char>(text_[at])));
      return;
    }
    at += length;
  }
}

Token Lexer::Next() {
  Token token;
  if (SkipBlanks()) starts_line_ = true;
  token.starts_line = starts_line_;
  starts_line_ = false;
  const int32_t begin = pos_;
  token.span = From(begin);
  if (pos_ == end_) return token;

  const char first = Peek();
  if (IsWordStart(first)) {
    LexWord(token);
  } else if (IsDigit(first)) {
    LexNumber(token);
  } else if (first == '$') {
    LexUsd(token);
  } else if (first == '"') {
    LexString(token);
  } else if (first == '/' && Peek(1) != '*') {
    LexRegex(token);
  } else {
    LexSymbol(token);
  }
  token.span = From(begin);
  return token;
}

// Skips blanks and comments. Returns whether a line break was among them.
bool Lexer::SkipBlanks() {
  bool breaks_line = false;
  while (pos_ < end_) {
    const char byte = Peek();
    if (byte == '\n') {
      breaks_line = true;
      ++pos_;
    } else if (byte == ' ' || byte == '\t' || byte == '\r') {
      ++pos_;
    } else if (byte == '/' && Peek(1) == '/') {
      while (pos_ < end_ && Peek() != '\n') ++pos_;
    } else {
      break;
    }
  }
  return breaks_line;
}

void Lexer::SkipWordChars() {
  while (IsWordChar(Peek())) ++pos_;
}

void Lexer::LexWord(Token& token) {
  const int32_t begin = pos_;
  SkipWordChars();
  token.kind = TokenKind::kWord;
  token.word = TextFrom(begin);
  if (pos_ - begin > kNameBytesMax) {
    diagnostics_.Add(DiagnosticKind::kNameTooLong, From(begin),
                     absl::StrFormat("the name has %d bytes, more than %d",
                                     pos_ - begin, kNameBytesMax));
    token.word = token.word.substr(0, kNameBytesMax);
  }
}

void Lexer::TakeAs(Token& token, int32_t length, TokenKind kind) {
  pos_ += length;
  token.kind = kind;
}

void Lexer::LexSymbol(Token& token) {
  const char next = Peek(1);
  switch (Peek()) {
    case '{':
      return TakeAs(token, 1, TokenKind::kLeftBrace);
    case '}':
      return TakeAs(token, 1, TokenKind::kRightBrace);
    case '(':
      return TakeAs(token, 1, TokenKind::kLeftParen);
    case ')':
      return TakeAs(token, 1, TokenKind::kRightParen);
    case '[':
      return TakeAs(token, 1, TokenKind::kLeftBracket);
    case ']':
      return TakeAs(token, 1, TokenKind::kRightBracket);
    case ',':
      return TakeAs(token, 1, TokenKind::kComma);
    case ':':
      return TakeAs(token, 1, TokenKind::kColon);
    case '+':
      return TakeAs(token, 1, TokenKind::kPlus);
    case '-':
      return TakeAs(token, 1, TokenKind::kMinus);
    case '*':
      return TakeAs(token, 1, TokenKind::kStar);
    case '.':
      if (next == '.') return TakeAs(token, 2, TokenKind::kDotDot);
      return TakeAs(token, 1, TokenKind::kDot);
    case '?':
      if (next == '?') return TakeAs(token, 2, TokenKind::kCoalesce);
      return TakeAs(token, 1, TokenKind::kQuestion);
    case '<':
      if (next == '=') return TakeAs(token, 2, TokenKind::kLessEqual);
      return TakeAs(token, 1, TokenKind::kLess);
    case '>':
      if (next == '=') return TakeAs(token, 2, TokenKind::kGreaterEqual);
      return TakeAs(token, 1, TokenKind::kGreater);
    case '=':
      if (next == '=') return TakeAs(token, 2, TokenKind::kEqual);
      return TakeAs(token, 1, TokenKind::kAssign);
    case '!':
      if (next == '=') return TakeAs(token, 2, TokenKind::kNotEqual);
      return TakeAsWord(token, 1, "not");
    case '&':
      return TakeAsWord(token, next == '&' ? 2 : 1, "and");
    case '|':
      return TakeAsWord(token, next == '|' ? 2 : 1, "or");
    default:
      return LexUnknown(token);
  }
}

// Reports an operator of other languages and goes on with SGL's word for it.
void Lexer::TakeAsWord(Token& token, int32_t length, absl::string_view word) {
  const int32_t begin = pos_;
  pos_ += length;
  token.kind = TokenKind::kWord;
  token.word = word;
  diagnostics_
      .Add(DiagnosticKind::kUnknownCharacter, From(begin),
           absl::StrCat("`", TextFrom(begin), "` is not an operator"))
      .Help(absl::StrCat("write `", word, "`"));
}

// Reports text that begins no token. Takes all that surely belongs to it, so
// that it is one error.
void Lexer::LexUnknown(Token& token) {
  const int32_t begin = pos_;
  token.kind = TokenKind::kError;
  const char first = Peek();
  std::string help;
  if (first == '#') {
    help = "comments start with `//`";
    while (pos_ < end_ && Peek() != '\n') ++pos_;
  } else if (first == '/') {
    help = "comments start with `//` and end with the line";
    const size_t close = text_.find("*/", static_cast<size_t>(pos_) + 2);
    pos_ = close == absl::string_view::npos
               ? end_
               : std::min(end_, static_cast<int32_t>(close) + 2);
    diagnostics_
        .Add(DiagnosticKind::kUnknownCharacter, {file_, begin, begin + 2},
             "`/*` starts no comment")
        .Help(help);
    return;
  } else if (first == '\'') {
    help = "strings stand in double quotes";
    ++pos_;
    while (pos_ < end_ && Peek() != '\n' && Peek() != '\'') ++pos_;
    if (Peek() == '\'') ++pos_;
  } else if (static_cast<unsigned char>(first) >= 0x80) {
    while (static_cast<unsigned char>(Peek()) >= 0x80) ++pos_;
    if (TextFrom(begin).substr(0, 2) == "\xE2\x80") {
      help = "strings stand in plain double quotes";
    } else {
      help = "names are of ASCII letters, digits and `_`; others are quoted";
    }
    // INVARIANT: what is no UTF-8 is reported already, once for the file.
    for (int32_t at = begin; at < pos_;) {
      const size_t length =
          WellFormedLength(text_.substr(static_cast<size_t>(at), 4));
      if (length == 0) return;
      at += static_cast<int32_t>(length);
    }
  } else {
    ++pos_;
    if (first == ';') help = "nothing stands between items";
    if (first == '%') help = "there is no division";
  }
  auto report = diagnostics_.Add(
      DiagnosticKind::kUnknownCharacter, From(begin),
      absl::ascii_isprint(static_cast<unsigned char>(first)) ||
              static_cast<unsigned char>(first) >= 0x80
          ? absl::StrCat("`", TextFrom(begin).substr(0, 40),
                         "` is not part of the language")
          : absl::StrFormat("control character 0x%02X", first));
  if (!help.empty()) report.Help(std::move(help));
}

}  // namespace sgl
