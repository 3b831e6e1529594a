// Golden files of the language: what goes in, what must come out.
//
//   # What this file shows, in a sentence.
//
//   policy acme.sgl
//   policy acme version 1
//   default allow
//   ----
//
//   eval
//   {"intent": {"type": "A"}}
//   ----
//   {"decision": "ALLOW", "reasons": []}
//
// A block is a verb with arguments, its input up to the line `----`, and what
// it must print. A blank line ends that; output with blank lines in it stands
// between doubled `----` lines. Lines between blocks that are blank or begin
// with `#` are comments.

#ifndef TESTS_LANGUAGE_GOLDEN_H_
#define TESTS_LANGUAGE_GOLDEN_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>
#include <vector>

namespace sgl::tests {

struct GoldenBlock {
  std::string verb;
  std::vector<std::string> args;
  // Ends in a newline unless empty, as does `expected`.
  std::string input;
  std::string expected;
  // Of the verb, from 1.
  int line = 0;
  // The lines of the file that hold the expected output and its delimiters,
  // as [first, last) from 0.
  int expected_first = 0;
  int expected_last = 0;
};

struct GoldenFile {
  std::vector<std::string> lines;
  std::vector<GoldenBlock> blocks;
};

// INVALID_ARGUMENT, with the line, for a block without `----`.
absl::StatusOr<GoldenFile> ParseGolden(absl::string_view text);

// Returns the file's text with `outputs[i]` as the expected output of block i.
std::string UpdateGolden(const GoldenFile& file,
                         const std::vector<std::string>& outputs);

}  // namespace sgl::tests

#endif  // TESTS_LANGUAGE_GOLDEN_H_
