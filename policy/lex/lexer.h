// The lexer: text to tokens, one at a time. Words are never keywords here:
// which word is a keyword depends on where it stands, so the parser decides.
//
//   Lexer lexer(sources, file, diagnostics);
//   for (Token token = lexer.Next(); token.kind != TokenKind::kEnd;
//        token = lexer.Next()) ...
//
// What cannot be read is reported and becomes a kError token over the text in
// question, or the token that was surely meant (`&&` becomes the word `and`).

#ifndef POLICY_LEX_LEXER_H_
#define POLICY_LEX_LEXER_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/diagnostics/diagnostic.h"
#include "policy/source/source.h"

namespace sgl {

enum class TokenKind : uint8_t {
  kEnd,
  kError,  // reported
  kWord,
  kInt,
  kDecimal,   // number of 1e-9
  kUsd,       // number of 1e-6 dollars
  kDuration,  // number of microseconds
  kTimestamp,
  kString,
  kRegex,
  kLeftBrace,
  kRightBrace,
  kLeftParen,
  kRightParen,
  kLeftBracket,
  kRightBracket,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kAssign,
  kComma,
  kColon,
  kDot,
  kDotDot,
  kPlus,
  kMinus,
  kStar,
  kQuestion,
  kCoalesce,
};

// Returns how a message names the kind: `identifier`, `` `)` ``.
absl::string_view TokenKindName(TokenKind kind);

// A piece of a string that interpolates: text, or the source between `${` and
// `}`.
struct StringPart {
  std::string text;
  bool is_interpolation = false;
  Span span;  // of the source between the braces
};

// Magnitudes go to 2^63, which only a negation can bring into range.
inline constexpr uint64_t kMagnitudeMax = uint64_t{1} << 63;

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Span span;
  bool starts_line = false;       // nothing but blanks stands before it
  bool flag = false;              // of a regex: `i`
  absl::string_view word;         // kWord; views the source
  uint64_t number = 0;            // magnitude of numbers
  int64_t time = 0;               // kTimestamp
  std::string text;               // kString, kRegex: unescaped
  std::vector<StringPart> parts;  // kString that interpolates; else empty
};

// Returns whether a text can be written as a word.
bool IsWord(absl::string_view text);

// Reads one file, or a part of one. Borrows the sources and the sink.
class Lexer {
 public:
  Lexer(const SourceSet& sources, FileId file, Diagnostics& diagnostics);

  // Reads only what the span covers (the inside of an interpolation).
  Lexer(const SourceSet& sources, Span part, Diagnostics& diagnostics);

  // Returns the next token; kEnd for ever after the last.
  Token Next();

 private:
  char Peek(int32_t ahead = 0) const {
    const int32_t at = pos_ + ahead;
    return at < end_ ? text_[static_cast<size_t>(at)] : '\0';
  }
  Span From(int32_t begin) const { return {file_, begin, pos_}; }
  absl::string_view TextFrom(int32_t begin) const {
    return text_.substr(static_cast<size_t>(begin),
                        static_cast<size_t>(pos_ - begin));
  }

  void CheckUtf8();
  bool SkipBlanks();
  void SkipWordChars();
  void LexWord(Token& token);
  void LexSymbol(Token& token);
  void LexUnknown(Token& token);
  void TakeAs(Token& token, int32_t length, TokenKind kind);
  void TakeAsWord(Token& token, int32_t length, absl::string_view word);

  // number_lexer.cc
  void LexNumber(Token& token);
  void LexUsd(Token& token);
  bool LexTimestamp(Token& token);
  bool LexDigits(Token& token, int fraction_digits);
  void LexUnit(Token& token, int32_t begin, bool has_fraction);
  void MalformNumber(Token& token, int32_t begin, std::string message,
                     std::string help);

  // string_lexer.cc
  void LexString(Token& token);
  void LexEscape(std::string* out);
  void LexUnicodeEscape(int32_t begin, std::string* out);
  bool LexInterpolation(std::vector<StringPart>* parts);
  void LexRegex(Token& token);

  const SourceSet& sources_;
  const FileId file_;
  absl::string_view text_;
  int32_t pos_ = 0;
  int32_t end_ = 0;
  bool starts_line_ = true;
  Diagnostics& diagnostics_;
};

}  // namespace sgl

#endif  // POLICY_LEX_LEXER_H_
