// JSON text, token by token, for what is mostly well-formed and fits.
//
// simdjson's first stage finds where every value, key and mark of a text
// starts, and that the text is UTF-8 and its strings end; the cursor walks
// these places. Nothing is copied but the text, once, and what has escapes; a
// string is a view, a number is read from its digits.
//
// Every Take function either takes a valid token of its kind and steps behind
// it, or returns false: the text is unusual, which is to say broken, or of a
// kind that only the exact reader (policy/eval/json.h) knows. There is no
// message, and no way on but to start again with that reader. What passes here,
// passes there with the same value.
//
//   JsonCursor cursor;                          // reused, grows with the texts
//   if (!cursor.Start(text, &buffer)) return ReadExactly(text);
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_JSON_CURSOR_H_
#define POLICY_EVAL_JSON_CURSOR_H_

#include <absl/strings/string_view.h>

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

// Confined to one thread. Its views are valid until their buffer is used for
// another text.
class JsonCursor {
 public:
  // Deeper texts are unusual: each level takes a frame of the stack.
  static constexpr int kDepthMax = 64;

  JsonCursor();
  JsonCursor(const JsonCursor&) = delete;
  JsonCursor& operator=(const JsonCursor&) = delete;
  ~JsonCursor();

  // Begins with a text, which is copied into `buffer`. False for what is no
  // UTF-8, has an open string, or no token.
  bool Start(absl::string_view text, JsonBuffer* buffer);

  // Where strings are put that are values, keys not; null for nowhere.
  void set_strings(std::vector<absl::string_view>* strings_or_null) {
    strings_ = strings_or_null;
  }

  // Returns the first character of the next token; '\0' at the end.
  char Peek() const { return base_[*at_]; }
  bool IsAtEnd() const { return at_ == end_; }

  // Where the next token starts, and where the last one did.
  const char* here() const { return base_ + *at_; }
  const char* before() const { return base_ + at_[-1]; }

  // A place to come back to. REQUIRES: no other Start between.
  const uint32_t* place() const { return at_; }
  void set_place(const uint32_t* place) { at_ = place; }

  // Takes one of `{}[],`.
  bool TakeMark(char mark) {
    if (Peek() != mark) return false;
    ++at_;
    return true;
  }

  // Behind a value of an object or list: takes `,`, or else `closer`, and
  // says which.
  bool TakeNext(char closer, bool* is_closed) {
    const char mark = Peek();
    *is_closed = mark == closer;
    if (mark != ',' && mark != closer) return false;
    ++at_;
    return true;
  }

  // Takes a key and its colon.
  bool TakeKey(MemberKey* key) {
    if (Peek() != '"' || base_[at_[1]] != ':') return false;
    absl::string_view text;
    if (!StringAt(&text)) return false;
    *key = MakeMemberKey(text.data(), text.size());
    at_ += 2;
    return true;
  }

  bool TakeString(absl::string_view* text) {
    if (Peek() != '"' || !StringAt(text)) return false;
    ++at_;
    if (strings_ != nullptr) strings_->push_back(*text);
    return true;
  }

  // Takes a number that fits, see ReadNumber.
  bool TakeNumber(int decimals, Decimals treatment, int64_t* value);

  bool TakeBool(bool* value);
  bool TakeNull();

  // Takes any value, and all inside it, as JSON without a duplicate key.
  // `depth` is that of the object or list around it.
  bool SkipValue(int depth);

  // Takes an object or list without looking at more than its brackets.
  bool LeapOver();

  // Notes a key of an object, `frame` being what MarkKeys gave at its start.
  // False where it is a duplicate. An object with many keys learns of it when
  // it closes.
  size_t MarkKeys() const { return keys_.size(); }
  bool NoteKey(size_t frame, const MemberKey& key) {
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
  static bool IsDigit(char c) { return c >= '0' && c <= '9'; }
  // What may follow a number or a word that is a value.
  static bool EndsToken(char c) {
    return c == ',' || c == '}' || c == ']' || IsSpace(c);
  }

  // Finds the string at hand; steps nowhere.
  bool StringAt(absl::string_view* text) {
    const char* const begin = here() + 1;
    // The next token follows its closing quote, spaces between.
    const char* last = base_ + at_[1] - 1;
    while (IsSpace(*last)) --last;
    if (last < begin || *last != '"') return false;
    *text = absl::string_view(begin, static_cast<size_t>(last - begin));
    return !has_escapes_ || Unescape(text);
  }

  // Undoes the escapes of a string, if it has any.
  bool Unescape(absl::string_view* text);
  bool UnescapeAt(const char** from, const char* end);
  bool TakeLongNumber(int decimals, Decimals treatment, int64_t* value);
  bool TakeWord(absl::string_view word);
  bool SkipNumber();
  bool SkipObject(int depth);
  bool SkipList(int depth);
  bool AreKeysDistinct(size_t frame);
  absl::string_view Token() const;

  std::unique_ptr<Index> index_;
  const char* base_ = nullptr;
  const uint32_t* at_ = nullptr;
  const uint32_t* end_ = nullptr;
  bool has_escapes_ = false;
  char* unescaped_ = nullptr;
  std::vector<absl::string_view>* strings_ = nullptr;
  // Of all objects that are open, the outermost first.
  std::vector<MemberKey> keys_;
};

inline bool JsonCursor::TakeNumber(int decimals, Decimals treatment,
                                   int64_t* value) {
  static constexpr uint64_t kPowers[] = {
      1,       10,        100,        1'000,       10'000,
      100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
  // So many digits fit into 64 bits.
  constexpr int64_t kShortDigits = 18;
  const char* const start = here();
  const char* at = start + (*start == '-' ? 1 : 0);
  const char* const whole = at;
  uint64_t number = 0;
  while (IsDigit(*at)) {
    number = number * 10 + static_cast<uint64_t>(*at++ - '0');
  }
  int64_t digits = at - whole;
  if (digits == 0 || (*whole == '0' && digits > 1)) return false;
  int64_t places = 0;
  if (*at == '.') {
    const char* const fraction = ++at;
    while (IsDigit(*at)) {
      number = number * 10 + static_cast<uint64_t>(*at++ - '0');
    }
    places = at - fraction;
    if (places == 0) return false;
    digits += places;
  }
  int64_t scaled = 0;
  if (digits > kShortDigits || places > decimals || !EndsToken(*at) ||
      __builtin_mul_overflow(number, kPowers[decimals - places], &scaled)) {
    return TakeLongNumber(decimals, treatment, value);
  }
  *value = *start == '-' ? -scaled : scaled;
  ++at_;
  return true;
}

}  // namespace sgl

#endif  // POLICY_EVAL_JSON_CURSOR_H_
