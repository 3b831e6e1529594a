#include "policy/eval/json_tokens.h"

#include <absl/strings/ascii.h>
#include <simdjson.h>

#include <algorithm>
#include <tuple>

#include "policy/eval/json.h"

namespace sgl {
namespace {

// Read beyond the end of a text by whoever compares keys by the word.
constexpr size_t kPadding = 32;

// simdjson counts in 32 bits.
constexpr size_t kTextBytesMax = size_t{1} << 30;

constexpr size_t kFirstCapacity = 4'096;

// Just what is needed at first, since a request may be kept; then more, since
// it is read into again and again.
void Grow(size_t size, std::vector<char> *buffer) {
  if (buffer->size() < size) buffer->resize(std::max(size, 2 * buffer->size()));
}

// Returns the value of four hex digits, or -1.
int32_t FourHexDigits(const char *text) {
  int32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = absl::ascii_tolower(static_cast<unsigned char>(text[i]));
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return -1;
    value = value * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return value;
}

char *AppendUtf8(int32_t point, char *to) {
  const auto put = [&to](int32_t byte) { *to++ = static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6);
    put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3f));
    put(0x80 | (point >> 6 & 0x3f));
    put(0x80 | (point & 0x3f));
  }
  return to;
}

}  // namespace

class JsonTokens::Index {
 public:
  bool Build(const char *text, size_t size) {
    if (parser_ == nullptr || parser_->capacity() < size) {
      const size_t capacity = std::max(size + size / 2, kFirstCapacity);
      if (simdjson::get_active_implementation()
              ->create_dom_parser_implementation(capacity, 1, parser_) !=
          simdjson::SUCCESS) {
        parser_ = nullptr;
        return false;
      }
    }
    return parser_->stage1(reinterpret_cast<const uint8_t *>(text), size,
                           simdjson::stage1_mode::regular) == simdjson::SUCCESS;
  }

  // INVARIANT: simdjson puts the text's size behind the last place.
  const uint32_t *begin() const { return parser_->structural_indexes.get(); }
  const uint32_t *end() const {
    return begin() + parser_->n_structural_indexes;
  }

 private:
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
};

JsonTokens::JsonTokens() : index_(std::make_unique<Index>()) {}
JsonTokens::~JsonTokens() = default;

JsonPlace JsonTokens::Start(absl::string_view text, JsonBuffer *buffer) {
  if (text.empty() || text.size() > kTextBytesMax) return nullptr;
  // Before the text is copied: the first stage reads by so many bytes at once
  // that it would wait for a copy to leave the store buffer.
  if (!index_->Build(text.data(), text.size())) return nullptr;
  Grow(text.size() + kPadding, &buffer->text);
  char *const base = buffer->text.data();
  std::memcpy(base, text.data(), text.size());
  std::memset(base + text.size(), 0, kPadding);
  base_ = base;
  end_ = index_->end();
  keys_.clear();
  strings_ = nullptr;
  has_escapes_ = std::memchr(text.data(), '\\', text.size()) != nullptr;
  if (has_escapes_) {
    // What is undone is shorter than it was.
    Grow(text.size() + kPadding, &buffer->unescaped);
    unescaped_ = buffer->unescaped.data();
  }
  return index_->begin();
}

bool JsonTokens::Unescape(absl::string_view *text) {
  const char *from = text->data();
  const char *const end = from + text->size();
  const auto next_escape = [&] {
    return static_cast<const char *>(
        std::memchr(from, '\\', static_cast<size_t>(end - from)));
  };
  const char *escape = next_escape();
  if (escape == nullptr) return true;
  char *const begin = unescaped_;
  while (escape != nullptr) {
    const size_t plain = static_cast<size_t>(escape - from);
    std::memcpy(unescaped_, from, plain);
    unescaped_ += plain;
    from = escape + 1;
    if (!UnescapeAt(&from, end)) return false;
    escape = next_escape();
  }
  const size_t rest = static_cast<size_t>(end - from);
  std::memcpy(unescaped_, from, rest);
  unescaped_ += rest;
  *text = absl::string_view(begin, static_cast<size_t>(unescaped_ - begin));
  return true;
}

// Undoes the escape whose backslash stands before `*from`.
bool JsonTokens::UnescapeAt(const char **from, const char *end) {
  static constexpr absl::string_view kNames = "\"\\/bfnrt";
  static constexpr absl::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char name = *(*from)++;
  if (name != 'u') {
    const size_t found = kNames.find(name);
    if (found == absl::string_view::npos) return false;
    *unescaped_++ = kMeanings[found];
    return true;
  }
  if (end - *from < 4) return false;
  int32_t point = FourHexDigits(*from);
  *from += 4;
  if (point < 0) return false;
  if (point >= 0xd800 && point < 0xe000) {
    // A pair, or nothing that UTF-8 could say.
    if (point >= 0xdc00 || end - *from < 6 || (*from)[0] != '\\' ||
        (*from)[1] != 'u') {
      return false;
    }
    const int32_t low = FourHexDigits(*from + 2);
    if (low < 0xdc00 || low >= 0xe000) return false;
    *from += 6;
    point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
  }
  unescaped_ = AppendUtf8(point, unescaped_);
  return true;
}

// Returns a number or word, with all up to the next token.
absl::string_view JsonTokens::TokenAt(JsonPlace at) const {
  const char *last = TextAt(at + 1) - 1;
  while (IsSpace(*last)) --last;
  return absl::string_view(TextAt(at),
                           static_cast<size_t>(last + 1 - TextAt(at)));
}

JsonPlace JsonTokens::TakeLongNumber(JsonPlace at, int decimals,
                                     Decimals treatment, int64_t *value) const {
  const absl::string_view token = TokenAt(at);
  if (!IsJsonNumber(token) ||
      ReadNumber(token, decimals, treatment, value) != NumberFit::kFits) {
    return nullptr;
  }
  return at + 1;
}

JsonPlace JsonTokens::TakeWord(JsonPlace at, absl::string_view word) const {
  const char *const text = TextAt(at);
  if (std::memcmp(text, word.data(), word.size()) != 0) return nullptr;
  return EndsToken(text[word.size()]) ? at + 1 : nullptr;
}

JsonPlace JsonTokens::TakeBool(JsonPlace at, bool *value) const {
  *value = Peek(at) == 't';
  return TakeWord(at, *value ? "true" : "false");
}

JsonPlace JsonTokens::TakeNull(JsonPlace at) const {
  return TakeWord(at, "null");
}

JsonPlace JsonTokens::SkipNumber(JsonPlace place) const {
  const char *at = TextAt(place);
  if (*at == '-') ++at;
  const char *const whole = at;
  for (int count = 8; count == 8; at += count) count = DigitRun(at).count;
  if (at == whole || (*whole == '0' && at - whole > 1)) return nullptr;
  // Fractions and exponents: by the one function that spells them out.
  if (!EndsToken(*at) && !IsJsonNumber(TokenAt(place))) return nullptr;
  return place + 1;
}

JsonPlace JsonTokens::SkipAnyValue(JsonPlace at, int depth) {
  absl::string_view text;
  switch (Peek(at)) {
    case '"':
      return TakeString(at, &text);
    case '{':
      return SkipObject(at, depth + 1);
    case '[':
      return SkipList(at, depth + 1);
    case 't':
      return TakeWord(at, "true");
    case 'f':
      return TakeWord(at, "false");
    case 'n':
      return TakeWord(at, "null");
    default:
      return SkipNumber(at);
  }
}

JsonPlace JsonTokens::SkipObject(JsonPlace at, int depth) {
  if (depth > kDepthMax) return nullptr;
  ++at;
  if (Peek(at) == '}') return at + 1;
  const size_t frame = MarkKeys();
  for (bool is_closed = false; !is_closed;) {
    MemberKey key;
    at = TakeKey(at, &key);
    if (at == nullptr || !NoteKey(frame, key)) return nullptr;
    at = SkipValue(at, depth);
    if (at == nullptr) return nullptr;
    at = TakeNext(at, '}', &is_closed);
    if (at == nullptr) return nullptr;
  }
  return CloseKeys(frame) ? at : nullptr;
}

JsonPlace JsonTokens::SkipList(JsonPlace at, int depth) {
  if (depth > kDepthMax) return nullptr;
  ++at;
  if (Peek(at) == ']') return at + 1;
  for (bool is_closed = false; !is_closed;) {
    at = SkipValue(at, depth);
    if (at == nullptr) return nullptr;
    at = TakeNext(at, ']', &is_closed);
    if (at == nullptr) return nullptr;
  }
  return at;
}

JsonPlace JsonTokens::LeapOver(JsonPlace at) const {
  int64_t open = 0;
  do {
    if (IsAtEnd(at)) return nullptr;
    const char mark = Peek(at);
    if (mark == '{' || mark == '[') ++open;
    if (mark == '}' || mark == ']') --open;
    ++at;
  } while (open > 0);
  return at;
}

bool JsonTokens::AreKeysDistinct(size_t frame) {
  const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(frame);
  const auto rank = [](const MemberKey &key) {
    return std::tie(key.head, key.tail, key.text);
  };
  std::sort(begin, keys_.end(),
            [&rank](const MemberKey &left, const MemberKey &right) {
              return rank(left) < rank(right);
            });
  return std::adjacent_find(begin, keys_.end()) == keys_.end();
}

}  // namespace sgl
