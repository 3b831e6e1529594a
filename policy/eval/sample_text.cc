#include "policy/eval/sample_text.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>

namespace sgl {
namespace {

// Enough for any count that a person writes.
constexpr int kRepeatsMax = 64;

// Returns what an escape stands for, or nothing for a place such as `\b`.
std::string EscapeSample(char c) {
  switch (c) {
    case 'd':
      return "1";
    case 'w':
      return "a";
    case 's':
      return " ";
    case 'D':
    case 'S':
      return "x";
    case 'W':
      return "-";
    case 'n':
      return "\n";
    case 't':
      return "\t";
    default:
      return absl::ascii_isalnum(c) ? "" : std::string(1, c);
  }
}

// Returns a member of the class that begins at `at`, and moves behind it.
std::string ClassSample(absl::string_view pattern, size_t* at) {
  const size_t close = pattern.find(']', *at + 2);
  if (close == absl::string_view::npos) {
    *at = pattern.size();
    return "";
  }
  const absl::string_view members = pattern.substr(*at + 1, close - *at - 1);
  *at = close + 1;
  if (members.empty() || members[0] == '^') return "~";
  if (members[0] == '\\' && members.size() > 1) return EscapeSample(members[1]);
  if (members[0] == '[') return "a";
  return std::string(1, members[0]);
}

}  // namespace

std::string SampleText(absl::string_view pattern) {
  std::string text;
  std::string last;
  size_t at = 0;
  while (at < pattern.size()) {
    const char c = pattern[at];
    if (c == '|') break;
    if (c == '\\') {
      if (at + 1 == pattern.size()) break;
      last = EscapeSample(pattern[at + 1]);
      at += 2;
    } else if (c == '[') {
      last = ClassSample(pattern, &at);
    } else if (c == '{') {
      const size_t close = pattern.find('}', at);
      if (close == absl::string_view::npos) break;
      int count = 0;
      const absl::string_view counts = pattern.substr(at + 1, close - at - 1);
      if (absl::SimpleAtoi(counts.substr(0, counts.find(',')), &count)) {
        for (int i = 1; i < count && i < kRepeatsMax; ++i) text += last;
      }
      at = close + 1;
      continue;
    } else {
      ++at;
      const bool is_mark = c == '^' || c == '$' || c == '(' || c == ')' ||
                           c == '*' || c == '+' || c == '?';
      last = is_mark ? "" : c == '.' ? "a" : std::string(1, c);
    }
    text += last;
  }
  return text;
}

}  // namespace sgl
