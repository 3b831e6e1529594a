#include "tools/sgl/terminal.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <vector>

namespace sgl::tools {
namespace {

constexpr char kPlain[] = "\033[0m";
constexpr char kCyan[] = "\033[1;36m";

// What says in a first line how bad it is.
struct Word {
  absl::string_view text;
  const char* color;
};

constexpr Word kWords[] = {{": error: ", "\033[1;31m"},
                           {": warning: ", "\033[1;33m"},
                           {": note: ", kCyan}};

// Returns the line with `size` bytes from `begin` on in a colour.
std::string Paint(absl::string_view line, size_t begin, size_t size,
                  const char* color) {
  return absl::StrCat(line.substr(0, begin), color, line.substr(begin, size),
                      kPlain, line.substr(begin + size));
}

// Returns the first of the words in a line, or null.
const Word* FindWord(absl::string_view line) {
  const Word* found = nullptr;
  for (const Word& word : kWords) {
    if (line.find(word.text) == absl::string_view::npos) continue;
    if (found == nullptr || line.find(word.text) < line.find(found->text)) {
      found = &word;
    }
  }
  return found;
}

// Returns an environment variable, empty where it is not set.
absl::string_view Variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

bool IsTerminal(const std::ostream& stream) {
  if (&stream == &std::cout) return isatty(STDOUT_FILENO) == 1;
  return &stream == &std::cerr && isatty(STDERR_FILENO) == 1;
}

std::string Colored(absl::string_view rendered) {
  std::vector<std::string> lines = absl::StrSplit(rendered, '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (absl::StartsWith(lines[i], "  help: ")) {
      lines[i] = Paint(lines[i], 2, 5, kCyan);
      continue;
    }
    const absl::string_view line = lines[i];
    const Word* const word = FindWord(line);
    if (word == nullptr) continue;
    // The word and its colon, without what stands around them.
    lines[i] = Paint(line, line.find(word->text) + 2, word->text.size() - 3,
                     word->color);
    // Below it stand the source line, which may say anything, and the carets.
    i += 2;
    if (i >= lines.size()) break;
    const size_t carets = std::min(lines[i].find('^'), lines[i].size());
    lines[i] = Paint(lines[i], carets, lines[i].size() - carets, word->color);
  }
  return absl::StrJoin(lines, "\n");
}

std::string ForStream(const std::ostream& stream, const std::string& rendered) {
  const bool is_colored = IsTerminal(stream) && Variable("TERM") != "dumb" &&
                          Variable("NO_COLOR").empty();
  return is_colored ? Colored(rendered) : rendered;
}

}  // namespace sgl::tools
