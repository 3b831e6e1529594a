// Numbers, amounts, durations and timestamps. All are exact: a literal that
// its type can't hold is an error here, never a rounded value.

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <optional>
#include <string>
#include <utility>

#include "policy/lex/lexer.h"
#include "policy/lex/timestamp.h"

namespace sgl {
namespace {

constexpr int kDecimalDigits = 9;
constexpr int kUsdDigits = 6;

bool IsDigit(char byte) {
  return absl::ascii_isdigit(static_cast<unsigned char>(byte));
}

// Multiplies and adds up to kMagnitudeMax; false when past it.
bool Accumulate(uint64_t* value, uint64_t factor, uint64_t addend) {
  const unsigned __int128 wide =
      static_cast<unsigned __int128>(*value) * factor + addend;
  if (wide > kMagnitudeMax) return false;
  *value = static_cast<uint64_t>(wide);
  return true;
}

// Returns the microseconds of a duration's unit, or 0.
uint64_t UnitMicros(absl::string_view unit) {
  if (unit == "s") return 1'000'000;
  if (unit == "m") return 60'000'000;
  if (unit == "h") return 3'600'000'000;
  if (unit == "d") return 86'400'000'000;
  return 0;
}

}  // namespace

// Reports the number, takes the rest of it, and makes it an error token.
void Lexer::MalformNumber(Token& token, int32_t begin, std::string message,
                          std::string help) {
  while (absl::ascii_isalnum(static_cast<unsigned char>(Peek())) ||
         Peek() == '_' || (Peek() == '.' && IsDigit(Peek(1)))) {
    ++pos_;
  }
  token.kind = TokenKind::kError;
  auto report = diagnostics_.Add(DiagnosticKind::kMalformedNumber, From(begin),
                                 std::move(message));
  if (!help.empty()) report.Help(std::move(help));
}

// Reads digits, and a fraction of at most `fraction_digits` if one follows,
// into token.number scaled by 10^fraction_digits (unscaled without a
// fraction, unless it is an amount). Returns whether there was a fraction;
// on an error token.kind is kError.
bool Lexer::LexDigits(Token& token, int fraction_digits) {
  const int32_t begin = pos_ - (token.kind == TokenKind::kUsd ? 1 : 0);
  const int32_t digits_begin = pos_;
  bool fits = true;
  while (IsDigit(Peek())) {
    fits = fits &&
           Accumulate(&token.number, 10, static_cast<uint64_t>(Peek() - '0'));
    ++pos_;
  }
  if (pos_ - digits_begin > 1 &&
      text_[static_cast<size_t>(digits_begin)] == '0') {
    MalformNumber(token, begin, "a number has no leading zeros", "");
    return false;
  }
  const bool has_fraction = Peek() == '.' && IsDigit(Peek(1));
  int digits = 0;
  if (has_fraction) {
    ++pos_;
    while (IsDigit(Peek())) {
      if (digits < fraction_digits) {
        fits = fits && Accumulate(&token.number, 10,
                                  static_cast<uint64_t>(Peek() - '0'));
      }
      ++digits;
      ++pos_;
    }
    if (digits > fraction_digits) {
      MalformNumber(token, begin,
                    absl::StrCat("more than ", fraction_digits,
                                 " digits after the point"),
                    "");
      return true;
    }
    if (Peek() == '.' && IsDigit(Peek(1))) {
      MalformNumber(token, begin, "a number has one point", "");
      return true;
    }
  }
  if (has_fraction || token.kind == TokenKind::kUsd) {
    for (; digits < fraction_digits; ++digits) {
      fits = fits && Accumulate(&token.number, 10, 0);
    }
  }
  if (!fits) {
    token.kind = TokenKind::kError;
    while (absl::ascii_isalnum(static_cast<unsigned char>(Peek()))) ++pos_;
    diagnostics_.Add(DiagnosticKind::kNumberOutOfRange, From(begin),
                     "the number does not fit into 64 bits");
  }
  return has_fraction;
}

void Lexer::LexNumber(Token& token) {
  if (LexTimestamp(token)) return;
  const int32_t begin = pos_;
  token.kind = TokenKind::kInt;
  const bool has_fraction = LexDigits(token, kDecimalDigits);
  if (token.kind == TokenKind::kError) return;
  if (has_fraction) token.kind = TokenKind::kDecimal;
  LexUnit(token, begin, has_fraction);
}

// Reads the letters that end a number: a duration's unit, or a mistake.
void Lexer::LexUnit(Token& token, int32_t begin, bool has_fraction) {
  const int32_t unit_begin = pos_;
  SkipWordChars();
  const std::string unit(TextFrom(unit_begin));
  if (unit.empty()) return;
  const std::string digits(text_.substr(
      static_cast<size_t>(begin), static_cast<size_t>(unit_begin - begin)));
  const std::string first = unit.substr(0, 1);
  if (has_fraction && UnitMicros(unit) != 0) {
    return MalformNumber(token, begin, "a duration is a whole number",
                         "use a smaller unit, such as `90m` for 1.5 hours");
  }
  if (UnitMicros(unit) == 0) {
    std::string help = "units are `s`, `m`, `h` and `d`";
    if (unit.find('_') != std::string::npos) {
      help = "write the digits without `_`";
    } else if (UnitMicros(first) != 0 && unit.size() > 1 && !has_fraction) {
      help = absl::StrCat("write `", digits, first, "`");
    }
    return MalformNumber(
        token, begin,
        absl::StrCat("`", unit.substr(0, 40), "` is not a duration's unit"),
        std::move(help));
  }
  token.kind = TokenKind::kDuration;
  if (!Accumulate(&token.number, UnitMicros(unit), 0)) {
    token.kind = TokenKind::kError;
    diagnostics_.Add(DiagnosticKind::kNumberOutOfRange, From(begin),
                     "the duration does not fit into 64 bits of microseconds");
  }
}

void Lexer::LexUsd(Token& token) {
  const int32_t begin = pos_;
  token.kind = TokenKind::kUsd;
  ++pos_;
  if (!IsDigit(Peek())) {
    return MalformNumber(token, begin, "no digits after `$`", "");
  }
  LexDigits(token, kUsdDigits);
  if (token.kind == TokenKind::kError) return;
  if (absl::ascii_isalpha(static_cast<unsigned char>(Peek())) ||
      Peek() == '_') {
    MalformNumber(token, begin, "letters inside an amount",
                  "write all digits: `$250000`, not `$250k`");
  }
}

// Reads a timestamp if `NNNN-NN-NNT` stands here. Without the `T` it is a
// subtraction, unless a zero leads a number: then it was meant as a date.
bool Lexer::LexTimestamp(Token& token) {
  constexpr absl::string_view kShape = "0000-00-00";
  for (size_t i = 0; i < kShape.size(); ++i) {
    const char byte = Peek(static_cast<int32_t>(i));
    if (kShape[i] == '0' ? !IsDigit(byte) : byte != kShape[i]) return false;
  }
  const int32_t begin = pos_;
  if (Peek(10) != 'T') {
    const bool has_zero = Peek(5) == '0' || Peek(8) == '0';
    if (!has_zero || IsDigit(Peek(10))) return false;
    pos_ += static_cast<int32_t>(kShape.size());
    token.kind = TokenKind::kError;
    diagnostics_
        .Add(DiagnosticKind::kMalformedTimestamp, From(begin),
             absl::StrCat("`", TextFrom(begin), "` is not a point in time"))
        .Help(absl::StrCat("write `", TextFrom(begin), "T00:00:00Z`"));
    return true;
  }
  pos_ += static_cast<int32_t>(kShape.size());
  while (absl::ascii_isalnum(static_cast<unsigned char>(Peek())) ||
         Peek() == ':' || (Peek() == '.' && IsDigit(Peek(1))) ||
         ((Peek() == '+' || Peek() == '-') && IsDigit(Peek(1)))) {
    ++pos_;
  }
  const std::optional<int64_t> time = ParseTimestamp(TextFrom(begin));
  if (time.has_value()) {
    token.kind = TokenKind::kTimestamp;
    token.time = *time;
    return true;
  }
  token.kind = TokenKind::kError;
  diagnostics_
      .Add(DiagnosticKind::kMalformedTimestamp, From(begin),
           absl::StrCat("`", TextFrom(begin).substr(0, 40),
                        "` is not a point in time"))
      .Help("write it as `2026-01-31T00:00:00Z` or `…T00:00:00+02:00`");
  return true;
}

}  // namespace sgl
