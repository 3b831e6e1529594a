// Proves that what the language promises is shown: every sentence of
// sentences.txt names a case that keeps it and a case that breaks it, and both
// say what the file quotes of them; and every word of the language stands in a
// line that is right and in an error.

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/language/golden.h"
#include "tools/sgl/lsp/words.h"

namespace sgl::tests {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kCases = "tests/language/cases/";

// What a case file says, apart by whether it is right or refused.
struct Shown {
  std::vector<std::string> right;    // lines of input without an error
  std::vector<std::string> refused;  // lines of output that refuse
  // Messages and hints of errors with the source line and what is underlined.
  struct Error {
    std::string message;
    std::string line;
    std::string underlined;
  };
  std::vector<Error> errors;
};

std::string ReadFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

bool IsRefusal(absl::string_view line) {
  return absl::StrContains(line, ": error: ") ||
         absl::StrContains(line, ": warning: ") ||
         absl::StartsWith(line, "BLOCK") ||
         absl::StrContains(line, "\"BLOCK\"") ||
         absl::StartsWith(line, "{\"error\"") ||
         absl::StrContains(line, "FAILED");
}

// Reads the errors of a block; returns the lines of the input that have any.
std::set<size_t> ReadErrors(const std::vector<std::string>& output,
                            Shown& shown) {
  std::set<size_t> broken;
  for (size_t i = 0; i < output.size(); ++i) {
    if (IsRefusal(output[i])) shown.refused.push_back(output[i]);
    if (!absl::StrContains(output[i], ": error: ")) continue;
    const std::vector<std::string> place = absl::StrSplit(output[i], ':');
    broken.insert(std::stoul(place.at(1)));
    if (i + 2 >= output.size()) continue;
    const std::string& line = output[i + 1];
    const std::string& carets = output[i + 2];
    const size_t begin = std::min(carets.find('^'), line.size());
    shown.errors.push_back(
        {output[i], line, line.substr(begin, carets.size() - begin)});
    if (i + 3 < output.size() && absl::StartsWith(output[i + 3], "  help: ")) {
      absl::StrAppend(&shown.errors.back().message, output[i + 3]);
    }
  }
  return broken;
}

void ReadBlock(const GoldenBlock& block, Shown& shown) {
  const std::vector<std::string> input = absl::StrSplit(block.input, '\n');
  const std::vector<std::string> output = absl::StrSplit(block.expected, '\n');
  const std::set<size_t> broken = ReadErrors(output, shown);
  for (size_t i = 0; i < input.size(); ++i) {
    if (input[i].empty() || broken.contains(i + 1)) continue;
    const bool is_request = block.verb == "eval";
    if (is_request && i < output.size() &&
        (absl::StartsWith(output[i], "{\"error\"") ||
         absl::StrContains(output[i], "INVALID_PAYLOAD"))) {
      continue;
    }
    shown.right.push_back(input[i]);
  }
}

// Returns what each file shows, by its path below the cases.
const std::map<std::string, Shown>& AllShown() {
  static const auto* const kShown = [] {
    auto* const all = new std::map<std::string, Shown>;
    for (const auto& entry :
         fs::recursive_directory_iterator(std::string(kCases))) {
      if (entry.path().extension() != ".test") continue;
      const auto file = ParseGolden(ReadFile(entry.path()));
      if (!file.ok()) continue;
      Shown& shown = (*all)[entry.path().string().substr(kCases.size())];
      for (const GoldenBlock& block : file->blocks) ReadBlock(block, shown);
    }
    return all;
  }();
  return *kShown;
}

bool AnyContains(const std::vector<std::string>& lines,
                 absl::string_view text) {
  for (const std::string& line : lines) {
    if (absl::StrContains(line, text)) return true;
  }
  return false;
}

// A sentence with what shows it, as it stands in sentences.txt.
struct Sentence {
  std::string text;
  int good = 0;
  int bad = 0;
};

// Checks `FILE: TEXT` against what the file shows.
void CheckQuote(absl::string_view quote, bool is_good, int line) {
  const std::vector<std::string> parts =
      absl::StrSplit(quote, absl::MaxSplits(": ", 1));
  ASSERT_EQ(parts.size(), 2u) << "sentences.txt:" << line;
  const auto found = AllShown().find(absl::StrCat(parts[0], ".test"));
  ASSERT_NE(found, AllShown().end())
      << "sentences.txt:" << line << ": no case file " << parts[0];
  const Shown& shown = found->second;
  EXPECT_TRUE(AnyContains(is_good ? shown.right : shown.refused, parts[1]))
      << "sentences.txt:" << line << ": " << parts[0] << " has no "
      << (is_good ? "right line" : "refusal") << " with " << parts[1];
}

TEST(SentencesTest, EachIsKeptByACaseAndBrokenByACase) {
  std::vector<Sentence> sentences;
  const std::vector<std::string> lines =
      absl::StrSplit(ReadFile("tests/language/sentences.txt"), '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    const absl::string_view line = lines[i];
    if (line.empty() || absl::StartsWith(line, "#")) continue;
    if (!absl::StartsWith(line, "  ")) {
      sentences.push_back({std::string(line), 0, 0});
      continue;
    }
    ASSERT_FALSE(sentences.empty());
    absl::string_view quote = absl::StripLeadingAsciiWhitespace(line);
    if (absl::ConsumePrefix(&quote, "good ")) {
      ++sentences.back().good;
      CheckQuote(quote, true, static_cast<int>(i) + 1);
    } else if (absl::ConsumePrefix(&quote, "bad  ")) {
      ++sentences.back().bad;
      CheckQuote(quote, false, static_cast<int>(i) + 1);
    } else {
      // What has no bad use, or is shown by another test, says so.
      ASSERT_TRUE(absl::StartsWith(quote, "else ")) << line;
      ++sentences.back().good;
      ++sentences.back().bad;
    }
  }
  EXPECT_GT(sentences.size(), 80u);
  for (const Sentence& sentence : sentences) {
    EXPECT_GT(sentence.good, 0) << sentence.text;
    EXPECT_GT(sentence.bad, 0) << sentence.text;
  }
}

// Returns whether the line has the word, neither inside another nor a part of
// another path.
bool HasWord(absl::string_view line, absl::string_view word) {
  const auto is_part = [](char byte) {
    return absl::ascii_isalnum(static_cast<unsigned char>(byte)) || byte == '_';
  };
  for (size_t at = line.find(word); at != absl::string_view::npos;
       at = line.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || (!is_part(line[at - 1]) && line[at - 1] != '.')) &&
        (end == line.size() || !is_part(line[end]))) {
      return true;
    }
  }
  return false;
}

bool IsRightSomewhere(absl::string_view word) {
  for (const auto& [file, shown] : AllShown()) {
    for (const std::string& line : shown.right) {
      if (HasWord(line, word)) return true;
    }
  }
  return false;
}

// Returns whether an error is about the word: its message names it, or the
// caret stands under it.
bool IsWrongSomewhere(absl::string_view word) {
  for (const auto& [file, shown] : AllShown()) {
    for (const Shown::Error& error : shown.errors) {
      if (absl::StrContains(error.message, absl::StrCat("`", word, "`")) ||
          HasWord(error.underlined, word)) {
        return true;
      }
    }
  }
  return false;
}

bool IsInAWrongLine(absl::string_view word) {
  for (const auto& [file, shown] : AllShown()) {
    for (const Shown::Error& error : shown.errors) {
      if (HasWord(error.line, word)) return true;
    }
  }
  return false;
}

TEST(SentencesTest, EachWordIsRightSomewhereAndWrongSomewhere) {
  for (const tools::Keyword& keyword : tools::Keywords()) {
    EXPECT_TRUE(IsRightSomewhere(keyword.name)) << keyword.name;
    EXPECT_TRUE(IsWrongSomewhere(keyword.name)) << keyword.name;
  }
  for (const tools::FunctionWord& function : tools::FunctionWords()) {
    EXPECT_TRUE(IsRightSomewhere(function.name)) << function.name;
    EXPECT_TRUE(IsWrongSomewhere(function.name)) << function.name;
  }
  // A field of a root has no error of its own: its line has one.
  for (const tools::RootWord& root : tools::RootWords()) {
    EXPECT_TRUE(IsRightSomewhere(root.name)) << root.name;
    EXPECT_TRUE(IsInAWrongLine(root.name)) << root.name;
  }
}

}  // namespace
}  // namespace sgl::tests
