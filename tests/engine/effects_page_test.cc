// Proves that docs/effects.md says of each effect, and of each table, what the
// registry and the database say, and that policy/library/effects declares the
// same payloads.

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "engine/effects/registry.h"
#include "tests/support/database.h"

namespace sgl::testing {
namespace {

using engine::EffectDecl;
using engine::EffectRegistry;
using ::testing::HasSubstr;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Names(const std::vector<absl::string_view>& names) {
  return absl::StrJoin(names, ", ",
                       [](std::string* out, absl::string_view name) {
                         absl::StrAppend(out, "`", name, "`");
                       });
}

// Without white space and commas: the formatter breaks lines as it likes.
std::string Squeezed(std::string text) {
  std::erase_if(
      text, [](unsigned char c) { return absl::ascii_isspace(c) || c == ','; });
  return text;
}

std::string SectionOf(const EffectDecl& decl) {
  std::string text = absl::StrCat(
      "\n### ", decl.intent_type, "\n\n", decl.summary, "\n\n```\nintent ",
      decl.intent_type, " ", engine::PayloadDeclaration(decl),
      "\n```\n\n- output: ", Names(decl.output),
      "\n- writes: ", Names(decl.tables), "\n");
  if (!decl.missing.empty()) {
    absl::StrAppend(&text, "- refused: ", decl.missing, "\n");
  }
  if (decl.needs_change) {
    text += "- at least one of the optional fields is given\n";
  }
  return absl::StrCat(text, "\n");
}

// How often `what` stands in `text`.
int CountOf(absl::string_view text, absl::string_view what) {
  int count = 0;
  for (size_t at = text.find(what); at != absl::string_view::npos;
       at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

TEST(EffectsPageTest, EachEffectHasItsSectionAndNothingElseHas) {
  const std::string page = ReadAll("docs/effects.md");
  const EffectRegistry effects;
  for (const EffectDecl& decl : effects.decls()) {
    EXPECT_THAT(page, HasSubstr(SectionOf(decl)));
  }
  EXPECT_EQ(CountOf(page, "\n### "), static_cast<int>(effects.decls().size()));
}

TEST(EffectsPageTest, ItsTableIsWhatTheConstraintsSay) {
  const EffectRegistry effects;
  std::set<std::string> tables;
  for (const EffectDecl& decl : effects.decls()) {
    for (const absl::string_view table : decl.tables) {
      tables.insert(absl::StrCat("'", table, "'::regclass"));
    }
  }
  const auto database = TestDatabase::Make();
  const SqlResult comments = database->Super().Run(absl::StrCat(
      "SELECT x.owner::regclass, x.words FROM ("
      "SELECT c.conrelid AS owner, obj_description(c.oid, 'pg_constraint') "
      "AS words FROM pg_constraint AS c UNION ALL "
      "SELECT i.indrelid, obj_description(i.indexrelid, 'pg_class') "
      "FROM pg_index AS i) AS x WHERE x.words IS NOT NULL AND x.owner IN (",
      absl::StrJoin(tables, ", "), ")"));
  ASSERT_TRUE(comments.ok()) << comments.error;
  std::vector<std::string> lines;
  for (const auto& row : comments.rows) {
    lines.push_back(absl::StrCat("| `", row[0], "` | ", row[1], " |\n"));
  }
  std::sort(lines.begin(), lines.end());
  const std::string page = ReadAll("docs/effects.md");
  const size_t begin = page.find("| table | words |\n|---|---|\n");
  ASSERT_NE(begin, std::string::npos);
  EXPECT_EQ(page.substr(begin), absl::StrCat("| table | words |\n|---|---|\n",
                                             absl::StrJoin(lines, "")));
}

TEST(EffectsPageTest, TheLibraryDeclaresTheSamePayloads) {
  const std::string library =
      Squeezed(ReadAll("policy/library/effects/effects.sgl"));
  const EffectRegistry effects;
  for (const EffectDecl& decl : effects.decls()) {
    EXPECT_THAT(
        library,
        HasSubstr(Squeezed(absl::StrCat("intent ", decl.intent_type, " ",
                                        engine::PayloadDeclaration(decl)))));
  }
}

}  // namespace
}  // namespace sgl::testing
