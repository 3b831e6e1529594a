// Strings with their escapes and interpolations, and regexes.

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <string>
#include <utility>
#include <vector>

#include "policy/lex/lexer.h"
#include "policy/limits.h"

namespace sgl {
namespace {

void AppendUtf8(uint32_t code_point, std::string* out) {
  const auto byte = [out](uint32_t value) {
    out->push_back(static_cast<char>(value));
  };
  if (code_point < 0x80) {
    byte(code_point);
  } else if (code_point < 0x800) {
    byte(0xC0 | (code_point >> 6));
    byte(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    byte(0xE0 | (code_point >> 12));
    byte(0x80 | ((code_point >> 6) & 0x3F));
    byte(0x80 | (code_point & 0x3F));
  } else {
    byte(0xF0 | (code_point >> 18));
    byte(0x80 | ((code_point >> 12) & 0x3F));
    byte(0x80 | ((code_point >> 6) & 0x3F));
    byte(0x80 | (code_point & 0x3F));
  }
}

uint32_t HexValue(char digit) {
  if (digit <= '9') return static_cast<uint32_t>(digit - '0');
  return static_cast<uint32_t>(
             absl::ascii_tolower(static_cast<unsigned char>(digit))) -
         'a' + 10;
}

}  // namespace

void Lexer::LexString(Token& token) {
  const int32_t begin = pos_;
  token.kind = TokenKind::kString;
  ++pos_;
  std::string text;
  while (pos_ < end_ && Peek() != '\n' && Peek() != '"') {
    if (Peek() == '\\') {
      LexEscape(&text);
    } else if (Peek() == '$' && Peek(1) == '{') {
      if (!text.empty()) token.parts.push_back({std::move(text), false, {}});
      text.clear();
      if (!LexInterpolation(&token.parts)) {
        token.kind = TokenKind::kError;
        return;
      }
    } else {
      const char byte = Peek();
      ++pos_;
      if (static_cast<unsigned char>(byte) < 0x20 && byte != '\t' &&
          byte != '\r') {
        diagnostics_.Add(
            DiagnosticKind::kUnknownCharacter, From(pos_ - 1),
            absl::StrFormat("control character 0x%02X in a string", byte));
      }
      text.push_back(byte);
    }
  }
  if (Peek() != '"' || pos_ >= end_) {
    // The opening quote says where; the whole line would say nothing.
    diagnostics_.Add(DiagnosticKind::kUnterminatedString,
                     {file_, begin, begin + 1},
                     "the string is not closed on its line");
    token.kind = TokenKind::kError;
    return;
  }
  ++pos_;
  size_t bytes = text.size();
  for (const StringPart& part : token.parts) {
    if (!part.is_interpolation) bytes += part.text.size();
  }
  if (bytes > static_cast<size_t>(kStringBytesMax)) {
    diagnostics_.Add(
        DiagnosticKind::kStringTooLong, {file_, begin, begin + 1},
        absl::StrFormat("the string has more than %d bytes", kStringBytesMax));
  }
  if (token.parts.empty()) {
    token.text = std::move(text);
  } else if (!text.empty()) {
    token.parts.push_back({std::move(text), false, {}});
  }
}

// Reads one escape. An unknown one is reported and left out.
void Lexer::LexEscape(std::string* out) {
  const int32_t begin = pos_;
  ++pos_;
  if (pos_ >= end_ || Peek() == '\n') return;  // the string is unterminated
  const char letter = Peek();
  ++pos_;
  switch (letter) {
    case '"':
    case '\\':
    case '$':
      out->push_back(letter);
      return;
    case 'n':
      out->push_back('\n');
      return;
    case 't':
      out->push_back('\t');
      return;
    case 'u':
      return LexUnicodeEscape(begin, out);
    default:
      break;
  }
  while ((static_cast<unsigned char>(Peek()) & 0xC0) == 0x80) ++pos_;
  diagnostics_
      .Add(DiagnosticKind::kUnknownEscape, From(begin),
           absl::StrCat("`", TextFrom(begin), "` is not an escape"))
      .Help("escapes are `\\\"`, `\\\\`, `\\n`, `\\t`, `\\$` and `\\u{…}`");
}

// Reads `{hex}` after `\u`.
void Lexer::LexUnicodeEscape(int32_t begin, std::string* out) {
  uint32_t value = 0;
  int digits = 0;
  if (Peek() == '{') {
    ++pos_;
    while (absl::ascii_isxdigit(static_cast<unsigned char>(Peek()))) {
      value = digits < 6 ? value * 16 + HexValue(Peek()) : 0x110000;
      ++digits;
      ++pos_;
    }
  }
  if (digits == 0 || Peek() != '}') {
    diagnostics_
        .Add(DiagnosticKind::kUnknownEscape, From(begin),
             "`\\u` needs hex digits in braces")
        .Help("write it as `\\u{e9}`");
    return;
  }
  ++pos_;
  if (value == 0 || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    diagnostics_.Add(DiagnosticKind::kUnknownEscape, From(begin),
                     absl::StrCat("`", TextFrom(begin).substr(0, 40),
                                  "` is not a character that a text may hold"));
    return;
  }
  AppendUtf8(value, out);
}

// Reads `${…}`; strings inside may hold braces. Reports one that is not closed
// on its line, and returns false.
bool Lexer::LexInterpolation(std::vector<StringPart>* parts) {
  pos_ += 2;
  const int32_t begin = pos_;
  bool in_string = false;
  while (pos_ < end_ && Peek() != '\n') {
    const char byte = Peek();
    if (in_string && byte == '\\') {
      ++pos_;
      if (pos_ < end_ && Peek() != '\n') ++pos_;
      continue;
    }
    if (byte == '"') in_string = !in_string;
    if (byte == '}' && !in_string) {
      parts->push_back({"", true, From(begin)});
      ++pos_;
      return true;
    }
    ++pos_;
  }
  diagnostics_
      .Add(DiagnosticKind::kUnterminatedString, {file_, begin - 2, begin},
           "the interpolation is not closed on its line")
      .Help("write `\\$` for a `$` before a `{`");
  return false;
}

void Lexer::LexRegex(Token& token) {
  const int32_t begin = pos_;
  token.kind = TokenKind::kRegex;
  ++pos_;
  while (pos_ < end_ && Peek() != '\n' && Peek() != '/') {
    if (Peek() == '\\' && pos_ + 1 < end_ && Peek(1) != '\n') {
      if (Peek(1) != '/') token.text.push_back('\\');
      ++pos_;
    }
    token.text.push_back(Peek());
    ++pos_;
  }
  if (pos_ >= end_ || Peek() != '/') {
    token.kind = TokenKind::kError;
    diagnostics_
        .Add(DiagnosticKind::kUnterminatedRegex, {file_, begin, begin + 1},
             "the regex is not closed on its line")
        .Help("`/` starts a regex; there is no division");
    return;
  }
  ++pos_;
  const int32_t flags_begin = pos_;
  SkipWordChars();
  if (pos_ == flags_begin) return;
  token.flag = true;
  if (TextFrom(flags_begin) == "i") return;
  diagnostics_
      .Add(DiagnosticKind::kUnknownRegexFlag, From(flags_begin),
           absl::StrCat("`", TextFrom(flags_begin).substr(0, 40),
                        "` is not a regex flag"))
      .Help("the one flag is `i`, for ignoring case");
}

}  // namespace sgl
