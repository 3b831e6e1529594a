// Proves how a diagnostic looks: the caret under the reported column whatever
// stands before it, long lines windowed, nothing dangerous printed, the cap.

#include "policy/diagnostics/diagnostic.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include "policy/limits.h"

namespace sgl {
namespace {

std::string RenderOne(std::string text, int begin, int end) {
  SourceSet sources;
  const FileId file = sources.Add("a.sgl", std::move(text));
  Diagnostics diagnostics;
  diagnostics.Add(DiagnosticKind::kUnknownName, {file, begin, end}, "what");
  return RenderAll(sources, diagnostics);
}

TEST(RenderTest, CaretStandsUnderTheReportedColumn) {
  EXPECT_EQ(RenderOne("one two three\n", 4, 7),
            "a.sgl:1:5: error: what [UnknownName]\n"
            "  one two three\n"
            "      ^~~\n");
}

TEST(RenderTest, TabsAndWideTextKeepTheColumn) {
  EXPECT_EQ(RenderOne("\té two\n", 4, 7),
            "a.sgl:1:4: error: what [UnknownName]\n"
            "   é two\n"
            "     ^~~\n");
}

TEST(RenderTest, EndOfFileMayBeOnePastTheLine) {
  EXPECT_EQ(RenderOne("one", 3, 3),
            "a.sgl:1:4: error: what [UnknownName]\n"
            "  one\n"
            "     ^\n");
}

TEST(RenderTest, SpanOverLinesEndsWithTheFirst) {
  EXPECT_EQ(RenderOne("one\ntwo", 1, 6),
            "a.sgl:1:2: error: what [UnknownName]\n"
            "  one\n"
            "   ^~\n");
}

TEST(RenderTest, ControlCharactersAreNotPrinted) {
  EXPECT_EQ(RenderOne("a\x1b[2Jb", 5, 6),
            "a.sgl:1:6: error: what [UnknownName]\n"
            "  a\xEF\xBF\xBD[2Jb\n"
            "       ^\n");
}

TEST(RenderTest, LongLinesAreWindowed) {
  const std::string text(10000, 'x');
  const std::string out = RenderOne(text, 5000, 5003);
  EXPECT_EQ(out, absl::StrCat("a.sgl:1:5001: error: what [UnknownName]\n  ...",
                              std::string(120, 'x'), "...\n     ",
                              std::string(50, ' '), "^~~\n"));
}

TEST(RenderTest, NotesAndHelpsFollow) {
  SourceSet sources;
  const FileId file = sources.Add("a.sgl", "one\ntwo\n");
  Diagnostics diagnostics;
  diagnostics.Add(DiagnosticKind::kUnusedDef, {file, 4, 7}, "what")
      .Note({file, 0, 3}, "here")
      .Help("do this");
  EXPECT_EQ(RenderAll(sources, diagnostics),
            "a.sgl:2:1: warning: what [UnusedDef]\n"
            "  two\n"
            "  ^~~\n"
            "  a.sgl:1:1: note: here\n"
            "    one\n"
            "    ^~~\n"
            "  help: do this\n");
}

TEST(DiagnosticsTest, TheSameMistakeCountsOnce) {
  SourceSet sources;
  const FileId file = sources.Add("a.sgl", "one");
  Diagnostics diagnostics;
  diagnostics.Add(DiagnosticKind::kUnknownName, {file, 0, 3}, "what");
  diagnostics.Add(DiagnosticKind::kUnknownName, {file, 0, 3}, "again");
  EXPECT_EQ(diagnostics.error_count(), 1);
  EXPECT_EQ(diagnostics.all().size(), 1u);
}

TEST(DiagnosticsTest, TheCapCountsWhatItHides) {
  SourceSet sources;
  const FileId file = sources.Add("a.sgl", std::string(5000, 'x'));
  Diagnostics diagnostics;
  for (int i = 0; i < kDiagnosticsMax + 7; ++i) {
    diagnostics.Add(DiagnosticKind::kUnknownName, {file, i, i + 1}, "what");
  }
  EXPECT_EQ(diagnostics.error_count(), kDiagnosticsMax + 7);
  EXPECT_EQ(diagnostics.all().size(), static_cast<size_t>(kDiagnosticsMax));
  const std::string out = RenderAll(sources, diagnostics);
  EXPECT_NE(out.find("7 more not shown"), std::string::npos);
}

}  // namespace
}  // namespace sgl
