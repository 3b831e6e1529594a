#include "tests/language/golden.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <utility>

namespace sgl::tests {
namespace {

constexpr absl::string_view kRule = "----";

bool IsBetween(absl::string_view line) {
  return absl::StripAsciiWhitespace(line).empty() || line.front() == '#';
}

// Reads the expected output from line `at` on; returns the line behind it.
size_t ReadExpected(const std::vector<std::string>& lines, size_t at,
                    GoldenBlock* block) {
  block->expected_first = static_cast<int>(at);
  const bool is_doubled = at < lines.size() && lines[at] == kRule;
  if (is_doubled) ++at;
  while (at < lines.size()) {
    if (is_doubled && lines[at] == kRule && at + 1 < lines.size() &&
        lines[at + 1] == kRule) {
      at += 2;
      break;
    }
    if (!is_doubled && lines[at].empty()) break;
    absl::StrAppend(&block->expected, lines[at], "\n");
    ++at;
  }
  block->expected_last = static_cast<int>(at);
  return at;
}

}  // namespace

absl::StatusOr<GoldenFile> ParseGolden(absl::string_view text) {
  GoldenFile file;
  absl::ConsumeSuffix(&text, "\n");
  file.lines = absl::StrSplit(text, '\n');
  size_t at = 0;
  while (at < file.lines.size()) {
    if (IsBetween(file.lines[at])) {
      ++at;
      continue;
    }
    GoldenBlock block;
    block.line = static_cast<int>(at) + 1;
    block.args = absl::StrSplit(file.lines[at], ' ', absl::SkipEmpty());
    block.verb = block.args.front();
    block.args.erase(block.args.begin());
    ++at;
    while (at < file.lines.size() && file.lines[at] != kRule) {
      absl::StrAppend(&block.input, file.lines[at], "\n");
      ++at;
    }
    if (at == file.lines.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the block `", block.verb, "` of line ", block.line, " has no ----"));
    }
    at = ReadExpected(file.lines, at + 1, &block);
    file.blocks.push_back(std::move(block));
  }
  return file;
}

std::string UpdateGolden(const GoldenFile& file,
                         const std::vector<std::string>& outputs) {
  std::string text;
  size_t at = 0;
  const auto copy_until = [&](size_t end) {
    for (; at < end; ++at) absl::StrAppend(&text, file.lines[at], "\n");
  };
  for (size_t i = 0; i < file.blocks.size(); ++i) {
    const GoldenBlock& block = file.blocks[i];
    copy_until(static_cast<size_t>(block.expected_first));
    const std::string& output = outputs[i];
    const bool has_blank_lines = output.find("\n\n") != std::string::npos;
    if (has_blank_lines) {
      absl::StrAppend(&text, kRule, "\n", output, kRule, "\n", kRule, "\n");
    } else {
      text += output;
    }
    at = static_cast<size_t>(block.expected_last);
  }
  copy_until(file.lines.size());
  return text;
}

}  // namespace sgl::tests
