#include "policy/eval/reference/json_tree.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <cstdint>

namespace sgl::reference {
namespace {

constexpr int kLevelsMax = 1'000;

void AppendCodePoint(uint32_t point, std::string* out) {
  const auto push = [out](uint32_t byte) {
    out->push_back(static_cast<char>(byte));
  };
  if (point < 0x80) {
    push(point);
  } else if (point < 0x800) {
    push(0xc0 | (point >> 6));
    push(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    push(0xe0 | (point >> 12));
    push(0x80 | ((point >> 6) & 0x3f));
    push(0x80 | (point & 0x3f));
  } else {
    push(0xf0 | (point >> 18));
    push(0x80 | ((point >> 12) & 0x3f));
    push(0x80 | ((point >> 6) & 0x3f));
    push(0x80 | (point & 0x3f));
  }
}

bool IsSurrogate(uint32_t point) { return point >= 0xd800 && point <= 0xdfff; }

// Whether the text is UTF-8: each code point in its shortest form, none a
// surrogate or beyond U+10FFFF.
bool IsUtf8(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const auto lead = static_cast<unsigned char>(text[at]);
    size_t length = 0;
    uint32_t point = 0;
    if (lead < 0x80) {
      length = 1;
      point = lead;
    } else if ((lead & 0xe0) == 0xc0) {
      length = 2;
      point = lead & 0x1f;
    } else if ((lead & 0xf0) == 0xe0) {
      length = 3;
      point = lead & 0x0f;
    } else if ((lead & 0xf8) == 0xf0) {
      length = 4;
      point = lead & 0x07;
    } else {
      return false;
    }
    if (at + length > text.size()) return false;
    for (size_t i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text[at + i]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    std::string shortest;
    if (point > 0x10ffff || IsSurrogate(point)) return false;
    AppendCodePoint(point, &shortest);
    if (shortest.size() != length) return false;
    at += length;
  }
  return true;
}

// A recursive reader, a function for each rule of the JSON grammar. Each
// returns false where the text does not follow it.
class TreeReader {
 public:
  explicit TreeReader(absl::string_view text) : text_(text) {}

  bool ReadDocument(JsonTree* tree) {
    SkipSpace();
    if (!ReadValue(0, tree)) return false;
    SkipSpace();
    return at_ == text_.size();
  }

 private:
  bool ReadValue(int level, JsonTree* tree) {
    tree->begin = at_;
    const bool good = ReadAnyValue(level, tree);
    tree->end = at_;
    return good;
  }

  bool ReadAnyValue(int level, JsonTree* tree) {
    if (Peek('{')) return ReadObject(level + 1, tree);
    if (Peek('[')) return ReadArray(level + 1, tree);
    if (Peek('"')) {
      tree->kind = JsonTree::Kind::kString;
      return ReadString(&tree->text);
    }
    if (TakeWord("null")) return true;
    if (TakeWord("NaN")) {
      tree->kind = JsonTree::Kind::kNan;
      return true;
    }
    if (TakeWord("true") || TakeWord("false")) {
      tree->kind = JsonTree::Kind::kBool;
      tree->boolean = text_[at_ - 2] == 'u';
      return true;
    }
    return ReadNumber(tree);
  }

  bool ReadObject(int level, JsonTree* tree) {
    tree->kind = JsonTree::Kind::kObject;
    if (level > kLevelsMax) return false;
    Take('{');
    SkipSpace();
    if (Take('}')) return true;
    do {
      SkipSpace();
      if (!Peek('"') || !ReadString(&tree->keys.emplace_back())) return false;
      SkipSpace();
      if (!Take(':')) return false;
      SkipSpace();
      if (!ReadValue(level, &tree->items.emplace_back())) return false;
      SkipSpace();
    } while (Take(','));
    return Take('}');
  }

  bool ReadArray(int level, JsonTree* tree) {
    tree->kind = JsonTree::Kind::kArray;
    if (level > kLevelsMax) return false;
    Take('[');
    SkipSpace();
    if (Take(']')) return true;
    do {
      SkipSpace();
      if (!ReadValue(level, &tree->items.emplace_back())) return false;
      SkipSpace();
    } while (Take(','));
    return Take(']');
  }

  bool ReadString(std::string* out) {
    Take('"');
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out->push_back(c);
      } else if (!ReadEscape(out)) {
        return false;
      }
    }
    return false;
  }

  bool ReadEscape(std::string* out) {
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    constexpr absl::string_view kLetters = "\"\\/bfnrt";
    constexpr absl::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const size_t letter = kLetters.find(c);
    if (letter != absl::string_view::npos) {
      out->push_back(kMeanings[letter]);
      return true;
    }
    uint32_t point = 0;
    if (c != 'u' || !ReadHex(&point)) return false;
    if (point >= 0xd800 && point <= 0xdbff) {
      uint32_t low = 0;
      if (!Take('\\') || !Take('u') || !ReadHex(&low)) return false;
      if (low < 0xdc00 || low > 0xdfff) return false;
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
    } else if (IsSurrogate(point)) {
      return false;
    }
    AppendCodePoint(point, out);
    return true;
  }

  bool ReadHex(uint32_t* point) {
    for (int i = 0; i < 4; ++i) {
      if (at_ == text_.size() || !absl::ascii_isxdigit(text_[at_])) {
        return false;
      }
      const char c = absl::ascii_tolower(text_[at_++]);
      const int digit = absl::ascii_isdigit(c) ? c - '0' : c - 'a' + 10;
      *point = *point * 16 + static_cast<uint32_t>(digit);
    }
    return true;
  }

  bool ReadNumber(JsonTree* tree) {
    tree->kind = JsonTree::Kind::kNumber;
    const size_t begin = at_;
    Take('-');
    if (!Take('0') && !TakeDigits()) return false;
    if (Take('.') && !TakeDigits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      if (!TakeDigits()) return false;
    }
    tree->text = std::string(text_.substr(begin, at_ - begin));
    return true;
  }

  bool TakeDigits() {
    const size_t begin = at_;
    while (at_ < text_.size() && absl::ascii_isdigit(text_[at_])) ++at_;
    return at_ > begin;
  }

  bool Peek(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool Take(char c) {
    if (!Peek(c)) return false;
    ++at_;
    return true;
  }
  bool TakeWord(absl::string_view word) {
    if (!absl::StartsWith(text_.substr(at_), word)) return false;
    at_ += word.size();
    return true;
  }
  void SkipSpace() {
    while (Peek(' ') || Peek('\t') || Peek('\n') || Peek('\r')) ++at_;
  }

  absl::string_view text_;
  size_t at_ = 0;
};

}  // namespace

const JsonTree* JsonTree::Find(absl::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

std::optional<JsonTree> ReadJsonTree(absl::string_view text) {
  JsonTree tree;
  if (!IsUtf8(text) || !TreeReader(text).ReadDocument(&tree)) {
    return std::nullopt;
  }
  return tree;
}

}  // namespace sgl::reference
