#include "policy/compile/plain_pattern.h"

#include <absl/strings/ascii.h>

#include <cstddef>

namespace sgl {
namespace {

// Longer patterns are left to RE2.
constexpr size_t kClassesMax = 64;

void AddRange(char low, char high, ByteClass& members) {
  for (int c = low; c <= high; ++c) members.set(static_cast<size_t>(c));
}

// Adds what an escape stands for; false where it is no class and no mark.
bool AddEscape(char c, ByteClass& members) {
  switch (c) {
    case 'd':
      AddRange('0', '9', members);
      return true;
    case 'w':
      AddRange('0', '9', members);
      AddRange('A', 'Z', members);
      AddRange('a', 'z', members);
      members.set('_');
      return true;
    default:
      if (!absl::ascii_ispunct(c)) return false;
      members.set(static_cast<size_t>(c));
      return true;
  }
}

bool IsPlain(char c) {
  return absl::ascii_isascii(c) && !absl::ascii_iscntrl(c) &&
         absl::string_view("\\^$.|?*+()[]{}").find(c) ==
             absl::string_view::npos;
}

// Reads one pattern. Confined to one ReadPlainPattern call.
class PatternReader {
 public:
  explicit PatternReader(absl::string_view pattern) : rest_(pattern) {}

  bool Read(PlainPattern& plain);

 private:
  // Each takes what it reads off the front; false where it can't.
  bool ReadClass(ByteClass& members);
  bool ReadSet(ByteClass& members);
  bool ReadCount(size_t* count);
  char Take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  absl::string_view rest_;
};

bool PatternReader::Read(PlainPattern& plain) {
  std::vector<ByteClass>& classes = plain.tail.classes;
  if (rest_.empty() || Take() != '^') return false;
  while (!rest_.empty()) {
    if (rest_ == "$") {
      plain.tail.is_end = true;
      return true;
    }
    ByteClass members;
    size_t count = 1;
    if (!ReadClass(members) || !ReadCount(&count)) return false;
    if (plain.prefix.size() + classes.size() + count > kClassesMax) {
      return false;
    }
    if (classes.empty() && members.count() == 1) {
      // What can be one byte only is compared as a text.
      plain.prefix.append(count, FirstByte(members));
    } else {
      classes.insert(classes.end(), count, members);
    }
  }
  return true;
}

bool PatternReader::ReadClass(ByteClass& members) {
  const char c = Take();
  if (c == '[') return ReadSet(members);
  if (c == '\\') return !rest_.empty() && AddEscape(Take(), members);
  if (!IsPlain(c)) return false;
  members.set(static_cast<size_t>(c));
  return true;
}

bool PatternReader::ReadSet(ByteClass& members) {
  if (rest_.empty() || rest_.front() == '^' || rest_.front() == ']') {
    return false;
  }
  while (!rest_.empty()) {
    const char c = Take();
    if (c == ']') return true;
    if (c == '\\') {
      // `\d-x` and the like have rules of their own.
      if (rest_.empty() || !AddEscape(Take(), members)) return false;
      if (!rest_.empty() && rest_.front() == '-') return false;
      continue;
    }
    if (!absl::ascii_isalnum(c) && c != '_' && c != ' ') return false;
    if (rest_.size() >= 2 && rest_[0] == '-') {
      const char high = rest_[1];
      if (!absl::ascii_isalnum(high) || high < c) return false;
      rest_.remove_prefix(2);
      AddRange(c, high, members);
    } else {
      members.set(static_cast<size_t>(c));
    }
  }
  return false;
}

bool PatternReader::ReadCount(size_t* count) {
  if (rest_.empty()) return true;
  const char c = rest_.front();
  if (c == '*' || c == '+' || c == '?') return false;
  if (c != '{') return true;
  const size_t close = rest_.find('}');
  if (close == absl::string_view::npos) return false;
  const absl::string_view digits = rest_.substr(1, close - 1);
  int value = 0;
  if (digits.empty() || digits.size() > 2) return false;
  for (const char digit : digits) {
    if (!absl::ascii_isdigit(digit)) return false;
    value = value * 10 + (digit - '0');
  }
  rest_.remove_prefix(close + 1);
  // `a{2}?` and `a{2}{3}` are left to RE2.
  if (!rest_.empty() && absl::string_view("*+?{").find(rest_.front()) !=
                            absl::string_view::npos) {
    return false;
  }
  *count = static_cast<size_t>(value);
  return true;
}

}  // namespace

std::optional<PlainPattern> ReadPlainPattern(absl::string_view pattern) {
  PlainPattern plain;
  if (!PatternReader(pattern).Read(plain)) return std::nullopt;
  return plain;
}

}  // namespace sgl
