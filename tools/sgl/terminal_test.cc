// Proves which parts of rendered diagnostics are coloured: words, carets and
// advice, and never a source line, whatever stands in it. Which streams are
// terminals is for tests/cli.

#include "tools/sgl/terminal.h"

#include <absl/strings/str_replace.h>
#include <gtest/gtest.h>

#include <sstream>

namespace sgl::tools {
namespace {

// Writes colours as letters that can be read: <R red, <Y yellow, <C cyan, >.
std::string Readable(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\033[1;31m", "<R"},
                                    {"\033[1;33m", "<Y"},
                                    {"\033[1;36m", "<C"},
                                    {"\033[0m", ">"}});
}

TEST(TerminalTest, WordsCaretsAndAdviceAreColored) {
  EXPECT_EQ(Readable(Colored("a.sgl:3:7: error: a second rule [DuplicateCode]\n"
                             "  block BIG\n"
                             "        ^~~\n"
                             "  a.sgl:2:8: note: the first one\n"
                             "    review BIG\n"
                             "           ^~~\n"
                             "  help: rename one\n"
                             "a.sgl:5:7: warning: never used [UnusedConst]\n"
                             "  const A = 1\n"
                             "        ^\n"
                             "1 error, 1 warning\n")),
            "a.sgl:3:7: <Rerror:> a second rule [DuplicateCode]\n"
            "  block BIG\n"
            "        <R^~~>\n"
            "  a.sgl:2:8: <Cnote:> the first one\n"
            "    review BIG\n"
            "           <C^~~>\n"
            "  <Chelp:> rename one\n"
            "a.sgl:5:7: <Ywarning:> never used [UnusedConst]\n"
            "  const A = 1\n"
            "        <Y^>\n"
            "1 error, 1 warning\n");
}

TEST(TerminalTest, SourceLinesStayPlain) {
  EXPECT_EQ(Readable(Colored("a.sgl:3:7: warning: `a: error: b` is odd [X]\n"
                             "  help: // a.sgl:1:1: error: ^~~\n"
                             "  ^~~~\n")),
            "a.sgl:3:7: <Ywarning:> `a: error: b` is odd [X]\n"
            "  help: // a.sgl:1:1: error: ^~~\n"
            "  <Y^~~~>\n");
}

TEST(TerminalTest, WhatIsNoDiagnosticIsLeftAsItIs) {
  EXPECT_EQ(Colored(""), "");
  EXPECT_EQ(Colored("\n 0 errors\n^\n"), "\n 0 errors\n^\n");
  EXPECT_EQ(Readable(Colored("a: error: cut off")), "a: <Rerror:> cut off");
}

TEST(TerminalTest, OtherStreamsGetPlainText) {
  const std::ostringstream stream;
  EXPECT_EQ(ForStream(stream, "a: error: b\n"), "a: error: b\n");
}

}  // namespace
}  // namespace sgl::tools
