// Proves that the words offered are the language's own: the checker knows
// every root field and function, with the type that is shown.

#include "tools/sgl/lsp/words.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>

#include "base/zones.h"
#include "policy/policy.h"

namespace sgl::tools {
namespace {

// Returns what `sgl check` says of a rule with this condition.
std::string Errors(absl::string_view condition) {
  const SourceFile file = {"a.sgl",
                           absl::StrCat("policy a version 1\ndefault allow\n"
                                        "intent A { x: int }\nblock B when ",
                                        condition, "\n")};
  const Compilation compilation = Compile({&file, 1}, Zones());
  return compilation.error_count == 0 ? "" : compilation.Render();
}

// Returns a condition that only a value of this type makes.
std::string ConditionOn(absl::string_view name, absl::string_view type) {
  if (type == "bool") return std::string(name);
  if (type == "int") return absl::StrCat(name, " > 1");
  if (type == "decimal") return absl::StrCat(name, " > 0.5");
  if (type == "usd") return absl::StrCat(name, " > $5");
  if (type == "string") return absl::StrCat(name, " starts_with \"x\"");
  if (type == "symbol") return absl::StrCat(name, " == A");
  if (type == "timestamp") {
    return absl::StrCat(name, " > 2026-01-01T00:00:00Z");
  }
  if (type == "list<string>") return absl::StrCat(name, " contains \"x\"");
  std::string members(type.substr(5, type.size() - 6));  // of enum(…)
  return absl::StrCat(name, " in {", members, "}");
}

TEST(WordsTest, RootFieldsHaveTheirTypes) {
  int fields = 0;
  for (const RootWord& word : RootWords()) {
    if (word.type.empty()) continue;
    SCOPED_TRACE(word.name);
    EXPECT_EQ(Errors(ConditionOn(word.name, word.type)), "");
    ++fields;
  }
  EXPECT_EQ(fields, 20);
  EXPECT_NE(Errors(ConditionOn("agent.tier", "string")), "");
}

TEST(WordsTest, FunctionsAreKnown) {
  for (const FunctionWord& word : FunctionWords()) {
    SCOPED_TRACE(word.name);
    const std::string errors = Errors(absl::StrCat(word.name, "() == 1"));
    EXPECT_EQ(errors.find("UnknownFunction"), std::string::npos) << errors;
  }
  EXPECT_NE(Errors("upper() == 1").find("UnknownFunction"), std::string::npos);
}

TEST(WordsTest, FindsByName) {
  EXPECT_EQ(FindKeyword("when")->role, WordRole::kClause);
  EXPECT_EQ(FindKeyword("whenever"), nullptr);
  EXPECT_EQ(FindRoot("agent.tier")->type, "int");
  EXPECT_EQ(FindFunction("upper"), nullptr);
}

}  // namespace
}  // namespace sgl::tools
