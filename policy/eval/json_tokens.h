// JSON text, token by token, for what is mostly well-formed and fits.
//
// simdjson's first stage finds where every value, key and mark of a text
// starts, and that the text is UTF-8 and its strings end; these places are what
// is walked. Nothing is copied but the text, once, and what has escapes; a
// string is a view, a number is read from its digits.
//
// Every Take function returns the place behind a valid token of its kind, or
// null: the text is unusual, which is to say broken, or of a kind that only the
// exact reader (policy/eval/json.h) knows. There is no message, and no way on
// but to start again with that reader. What passes here, passes there with the
// same value.
//
//   JsonTokens tokens;                          // reused, grows with the texts
//   JsonPlace at = tokens.Start(text, &buffer);
//   if (at != nullptr) at = tokens.TakeMark(at, '{');
//   if (at == nullptr) return ReadExactly(text);
//
// Places are handed on and not kept in the object, so that they stay in
// registers: a place in memory, written and read again for each token, is what
// the walk would wait for.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_JSON_TOKENS_H_
#define POLICY_EVAL_JSON_TOKENS_H_

#include <absl/strings/string_view.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "policy/compile/member_table.h"
#include "policy/eval/exact.h"

namespace sgl {

// What the views of one text's tokens view. Grows, and is reused.
struct JsonBuffer {
  // The text, and zeros behind it.
  std::vector<char> text;
  // Strings whose escapes are undone, one behind the other.
  std::vector<char> unescaped;
};

// Where a token starts: the number of its first byte, as simdjson lists them.
using JsonPlace = const uint32_t *;

// Confined to one thread. Its views and places are valid until their buffer is
// used for another text.
class JsonTokens {
 public:
  // Deeper texts are unusual: each level takes a frame of the stack.
  static constexpr int kDepthMax = 64;

  JsonTokens();
  JsonTokens(const JsonTokens &) = delete;
  JsonTokens &operator=(const JsonTokens &) = delete;
  ~JsonTokens();

  // Begins with a text, which is copied into `buffer`. Null for what is no
  // UTF-8, has an open string, or no token.
  JsonPlace Start(absl::string_view text, JsonBuffer *buffer);

  // Where strings are put that are values, keys not; null for nowhere.
  void set_strings(std::vector<absl::string_view> *strings_or_null) {
    strings_ = strings_or_null;
  }

  // Returns the first character of a token; '\0' at the end.
  char Peek(JsonPlace at) const { return base_[*at]; }
  bool IsAtEnd(JsonPlace at) const { return at == end_; }

  // Returns where a token starts in the buffer.
  const char *TextAt(JsonPlace at) const { return base_ + *at; }

  // Takes one of `{}[],`.
  JsonPlace TakeMark(JsonPlace at, char mark) const {
    return Peek(at) == mark ? at + 1 : nullptr;
  }

  // Behind a value of an object or list: takes `,`, or else `closer`, and
  // says which.
  JsonPlace TakeNext(JsonPlace at, char closer, bool *is_closed) const {
    const char mark = Peek(at);
    *is_closed = mark == closer;
    return mark == ',' || mark == closer ? at + 1 : nullptr;
  }

  // Takes a key and its colon.
  JsonPlace TakeKey(JsonPlace at, MemberKey *key) {
    absl::string_view text;
    if (Peek(at) != '"' || Peek(at + 1) != ':' || !StringAt(at, &text)) {
      return nullptr;
    }
    *key = MakeMemberKey(text.data(), text.size());
    return at + 2;
  }

  JsonPlace TakeString(JsonPlace at, absl::string_view *text) {
    if (Peek(at) != '"' || !StringAt(at, text)) return nullptr;
    if (strings_ != nullptr) strings_->push_back(*text);
    return at + 1;
  }

  // Takes a number that fits, see ReadNumber.
  JsonPlace TakeNumber(JsonPlace place, int decimals, Decimals treatment,
                       int64_t *value) const;

  JsonPlace TakeBool(JsonPlace at, bool *value) const;
  JsonPlace TakeNull(JsonPlace at) const;

  // Takes any value, and all inside it, as JSON without a duplicate key.
  // `depth` is that of the object or list around it.
  JsonPlace SkipValue(JsonPlace at, int depth) {
    // The first stage found a string's end; mostly nobody asks what it says.
    if (Peek(at) == '"' && strings_ == nullptr && !has_escapes_) return at + 1;
    return SkipAnyValue(at, depth);
  }

  // Takes an object or list without looking at more than its brackets.
  JsonPlace LeapOver(JsonPlace at) const;

  // Notes a key of an object, `frame` being what MarkKeys gave at its start.
  // False where it is a duplicate. An object with many keys learns of it when
  // it closes.
  size_t MarkKeys() const { return keys_.size(); }
  bool NoteKey(size_t frame, const MemberKey &key) {
    const size_t count = keys_.size() - frame;
    if (count < kSearchedPlainly) {
      for (size_t i = frame; i < keys_.size(); ++i) {
        if (keys_[i] == key) return false;
      }
    }
    keys_.push_back(key);
    return true;
  }
  // Forgets the keys of an object that ends.
  bool CloseKeys(size_t frame) {
    const bool is_good =
        keys_.size() - frame <= kSearchedPlainly || AreKeysDistinct(frame);
    keys_.resize(frame);
    return is_good;
  }

 private:
  // simdjson's part.
  class Index;

  static constexpr size_t kSearchedPlainly = 16;

  static bool IsSpace(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }
  // The digits, up to eight, that start a text, and the number that they are.
  struct Digits {
    int count = 0;
    uint64_t number = 0;
  };
  static Digits DigitRun(const char *text);
  // What may follow a number or a word that is a value.
  static bool EndsToken(char c) {
    return c == ',' || c == '}' || c == ']' || IsSpace(c);
  }

  // Finds the string that starts at a place.
  bool StringAt(JsonPlace at, absl::string_view *text) {
    const char *const begin = TextAt(at) + 1;
    // The next token follows its closing quote, spaces between.
    const char *last = TextAt(at + 1) - 1;
    if (*last != '"' || last < begin) {
      while (IsSpace(*last)) --last;
      if (last < begin || *last != '"') return false;
    }
    *text = absl::string_view(begin, static_cast<size_t>(last - begin));
    return !has_escapes_ || Unescape(text);
  }

  // Undoes the escapes of a string, if it has any.
  bool Unescape(absl::string_view *text);
  bool UnescapeAt(const char **from, const char *end);
  JsonPlace TakeLongNumber(JsonPlace at, int decimals, Decimals treatment,
                           int64_t *value) const;
  JsonPlace TakeWord(JsonPlace at, absl::string_view word) const;
  JsonPlace SkipAnyValue(JsonPlace at, int depth);
  JsonPlace SkipNumber(JsonPlace at) const;
  JsonPlace SkipObject(JsonPlace at, int depth);
  JsonPlace SkipList(JsonPlace at, int depth);
  bool AreKeysDistinct(size_t frame);
  absl::string_view TokenAt(JsonPlace at) const;

  std::unique_ptr<Index> index_;
  const char *base_ = nullptr;
  JsonPlace end_ = nullptr;
  bool has_escapes_ = false;
  char *unescaped_ = nullptr;
  std::vector<absl::string_view> *strings_ = nullptr;
  // Of all objects that are open, the outermost first.
  std::vector<MemberKey> keys_;
};

// Eight bytes at a time and without a branch: how many digits a number has is
// what a processor guesses wrong.
inline JsonTokens::Digits JsonTokens::DigitRun(const char *text) {
  uint64_t bytes = 0;
  std::memcpy(&bytes, text, sizeof(bytes));
  // 0 to 9 for a digit; else 10 or more, which the sum carries to the top bit.
  // A carry out of a byte reaches none before it.
  bytes ^= 0x3030303030303030;
  const uint64_t others =
      ((bytes + 0x7676767676767676) | bytes) & 0x8080808080808080;
  Digits result;
  result.count = others == 0 ? 8 : std::countr_zero(others) / 8;
  if (result.count == 0) return result;
  // The digits to the top, zeros before them; then pairs, fours and eight are
  // added up side by side.
  bytes <<= 64 - 8 * result.count;
  bytes = bytes * 10 + (bytes >> 8);
  bytes =
      ((bytes & 0x000000ff000000ff) * (100 + (uint64_t{1'000'000} << 32)) +
       ((bytes >> 16 & 0x000000ff000000ff) * (1 + (uint64_t{10'000} << 32)))) >>
      32;
  result.number = bytes;
  return result;
}

inline JsonPlace JsonTokens::TakeNumber(JsonPlace place, int decimals,
                                        Decimals treatment,
                                        int64_t *value) const {
  static constexpr int64_t kPowers[] = {
      1,       10,        100,        1'000,       10'000,
      100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
  const char *const start = TextAt(place);
  const char *at = start + (*start == '-' ? 1 : 0);
  const Digits whole = DigitRun(at);
  if (whole.count == 0 || (*at == '0' && whole.count > 1)) return nullptr;
  at += whole.count;
  Digits fraction;
  if (*at == '.') {
    fraction = DigitRun(at + 1);
    if (fraction.count == 0) return nullptr;
    at += 1 + fraction.count;
  }
  // Eight digits may be the first of more, which end no token.
  if (fraction.count > decimals || !EndsToken(*at)) {
    return TakeLongNumber(place, decimals, treatment, value);
  }
  // At most 8 + 8 digits in front of at most 9 - 1 zeros.
  int64_t scaled =
      static_cast<int64_t>(whole.number) * kPowers[fraction.count] +
      static_cast<int64_t>(fraction.number);
  if (__builtin_mul_overflow(scaled, kPowers[decimals - fraction.count],
                             &scaled)) {
    return TakeLongNumber(place, decimals, treatment, value);
  }
  *value = *start == '-' ? -scaled : scaled;
  return place + 1;
}

}  // namespace sgl

#endif  // POLICY_EVAL_JSON_TOKENS_H_
