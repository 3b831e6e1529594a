// Proves the bounds of the language, policy/limits.h, on both sides: what
// stands at a bound compiles, and one more is one error that names it. Those
// that a page can show are golden cases as well, check/too_many.test.

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "policy/limits.h"
#include "policy/policy.h"

namespace sgl::tests {
namespace {

// Returns the first line of what is reported of a file, and how many errors
// there are beyond one.
std::string ErrorOf(const std::string& items) {
  const std::string head = "policy t version 1\ndefault allow\n";
  const Compilation compilation =
      Compile(std::vector<SourceFile>{{"t", head + items}}, {});
  EXPECT_EQ(compilation.error_count == 0, compilation.program != nullptr);
  if (compilation.error_count == 0) return "";
  const std::string& text = compilation.Render();
  return absl::StrCat(
      text.substr(0, text.find('\n')),
      compilation.error_count == 1
          ? ""
          : absl::StrCat(" and ", compilation.error_count - 1, " more"));
}

std::string Repeated(int count, absl::string_view text) {
  std::string result;
  for (int i = 0; i < count; ++i) absl::StrAppend(&result, text);
  return result;
}

// Returns `prefix`0, `prefix`1 and so on, each with the suffix.
std::string Numbered(int count, absl::string_view prefix,
                     absl::string_view suffix) {
  std::string result;
  for (int i = 0; i < count; ++i) absl::StrAppend(&result, prefix, i, suffix);
  return result;
}

std::string InParentheses(int depth, absl::string_view text) {
  return absl::StrCat(Repeated(depth, "("), text, Repeated(depth, ")"));
}

// A bound, and how to write a file that has `size` of what it bounds.
struct Bound {
  std::string name;
  int64_t max;
  std::function<std::string(int64_t)> items;
  std::string error;  // of one more than `max`
};

void CheckBound(const Bound& bound) {
  SCOPED_TRACE(bound.name);
  EXPECT_EQ(ErrorOf(bound.items(bound.max)), "");
  EXPECT_EQ(ErrorOf(bound.items(bound.max + 1)), bound.error);
}

TEST(BoundsTest, TextsAndNames) {
  const Bound kBounds[] = {
      {"name", kNameBytesMax,
       [](int64_t size) {
         return absl::StrCat("review ", std::string(size, 'x'));
       },
       "t:3:8: error: the name has 257 bytes, more than 256 [NameTooLong]"},
      {"quoted name", kNameBytesMax,
       [](int64_t size) {
         return absl::StrCat("intent \"", std::string(size, '-'), "\" {}");
       },
       "t:3:8: error: the name has 257 bytes, more than 256 [NameTooLong]"},
      {"string", kStringBytesMax,
       [](int64_t size) {
         return absl::StrCat("review A when agent.name == \"",
                             std::string(size, 'x'), "\"");
       },
       "t:3:29: error: the string has more than 65536 bytes [StringTooLong]"},
      {"string of escapes, each of which is one byte", kStringBytesMax,
       [](int64_t size) {
         return absl::StrCat("review A when agent.name == \"",
                             Repeated(size, "\\u{41}"), "\"");
       },
       "t:3:29: error: the string has more than 65536 bytes [StringTooLong]"},
      {"message, its interpolations apart", kStringBytesMax,
       [](int64_t size) {
         return absl::StrCat("review A \"", std::string(size - 1, 'x'),
                             "${agent.name}x\"");
       },
       "t:3:10: error: the string has more than 65536 bytes [StringTooLong]"},
      {"regex", kRegexBytesMax,
       [](int64_t size) {
         return absl::StrCat("review A when agent.name matches /",
                             std::string(size, 'x'), "/");
       },
       "t:3:34: error: the regex has 8193 bytes, more than 8192 [BadRegex]"},
  };
  for (const Bound& bound : kBounds) CheckBound(bound);
}

// The condition, or the field's type, is the first level itself.
TEST(BoundsTest, Nesting) {
  const Bound kBounds[] = {
      {"parentheses", kNestingMax,
       [](int64_t depth) {
         return absl::StrCat("review A when ",
                             InParentheses(depth - 1, "agent.known"));
       },
       "t:3:215: error: nested more than 200 deep [NestingTooDeep]"},
      {"lists", kNestingMax,
       [](int64_t depth) {
         return absl::StrCat("intent A { a: ", Repeated(depth - 1, "list<"),
                             "int", Repeated(depth - 1, ">"), " }");
       },
       "t:3:1015: error: nested more than 200 deep [NestingTooDeep]"},
      {"operators", kNodeDepthMax,
       [](int64_t depth) {
         return absl::StrCat("review A when agent.tier == 1",
                             Repeated(depth - 2, " + 1"));
       },
       "t:3:26: error: operators nested more than 500 deep "
       "[NestingTooDeep]"},
      {"loops", kVariablesMax,
       [](int64_t depth) {
         std::string text =
             absl::StrCat("intent A { l: ", Repeated(depth, "list<"), "int",
                          Repeated(depth, ">"),
                          " }\nreview R on A when any x0 in payload.l");
         for (int i = 1; i < depth; ++i) {
           absl::StrAppend(&text, ": any x", i, " in x", i - 1);
         }
         return absl::StrCat(text, ": x", depth - 1, " > 1");
       },
       "t:4:143: error: more than 8 loops inside each other [TooMany]"},
  };
  for (const Bound& bound : kBounds) CheckBound(bound);
}

// A path has no such depth to declare, so that at the bound it is unknown.
TEST(BoundsTest, Paths) {
  const auto path = [](int names) {
    return absl::StrCat("review A when agent", Repeated(names - 1, ".a"));
  };
  EXPECT_EQ(ErrorOf(path(kNestingMax)),
            "t:3:21: error: unknown field `a` of `agent` [UnknownField]");
  EXPECT_EQ(ErrorOf(path(kNestingMax + 1)),
            "t:3:15: error: a path of more than 200 names [NestingTooDeep]");
}

TEST(BoundsTest, Counts) {
  const Bound kBounds[] = {
      {"set", kSetItemsMax,
       [](int64_t size) {
         return absl::StrCat("review A when agent.name in {\"x\"",
                             Numbered(size - 1, ",\"", "\""), "}");
       },
       "t:3:29: error: the set has 100001 members, more than 100000 "
       "[TooMany]"},
      {"fields", kFieldsMax,
       [](int64_t size) {
         return absl::StrCat("intent A {\n", Numbered(size, "f", ": int\n"),
                             "}");
       },
       "t:1004:1: error: more than 1000 fields [TooMany]"},
      {"star fields", kFieldsMax,
       [](int64_t size) {
         return absl::StrCat("intent * {\n", Numbered(size, "f", ": int\n"),
                             "}");
       },
       "t:1004:1: error: more than 1000 fields [TooMany]"},
      {"fields of a record", kFieldsMax,
       [](int64_t size) {
         return absl::StrCat("intent A { r: {\n",
                             Numbered(size, "f", ": int\n"), "} }");
       },
       "t:1004:1: error: more than 1000 fields [TooMany]"},
      {"members", kFieldsMax,
       [](int64_t size) {
         return absl::StrCat("intent A { e: enum(x",
                             Numbered(size - 1, "\n,m", ""), ") }");
       },
       "t:1003:2: error: more than 1000 members [TooMany]"},
      {"limits", kLimitsMax,
       [](int64_t size) {
         return Numbered(size, "limit L", " 5 per agent per 1d else block\n");
       },
       "t:10003:7: error: more than 10000 limits [TooMany]"},
  };
  for (const Bound& bound : kBounds) CheckBound(bound);
}

TEST(BoundsTest, Amounts) {
  const Bound kBounds[] = {
      {"risk", kRiskMax,
       [](int64_t risk) { return absl::StrCat("review A risk ", risk); },
       "t:3:15: error: a risk is at most 1000 [NumberOutOfRange]"},
      {"approvals", kApprovalsMax,
       [](int64_t count) { return absl::StrCat("review A approvals ", count); },
       "t:3:20: error: a review asks for 1 to 100 approvals "
       "[NumberOutOfRange]"},
      {"within", kWithinMicrosMax / 1'000'000,
       [](int64_t seconds) {
         return absl::StrCat("review A approvals 1 within ", seconds, "s");
       },
       "t:3:29: error: `within` is more than 0s and at most 3650d "
       "[NumberOutOfRange]"},
      {"window", kWindowMicrosMax / 1'000'000,
       [](int64_t seconds) {
         return absl::StrCat("limit L 5 per agent per ", seconds,
                             "s else block");
       },
       "t:3:25: error: a limit's window is more than 0s and at most 3650d "
       "[NumberOutOfRange]"},
  };
  for (const Bound& bound : kBounds) CheckBound(bound);
}

// Memory of a regex: RE2 decides what fits, so only far from the bound.
TEST(BoundsTest, RegexMemory) {
  EXPECT_EQ(ErrorOf("review A when agent.name matches /\\pL{100}/"), "");
  EXPECT_EQ(ErrorOf("review A when agent.name matches "
                    "/\\pL{1000}\\pN{1000}\\pL{1000}/"),
            "t:3:34: error: the regex does not compile: pattern too large - "
            "compile failed [BadRegex]");
}

// One set past the bound, at both sides of it: the last rule alone is wrong.
TEST(BoundsTest, Rules) {
  EXPECT_EQ(ErrorOf(Numbered(kRulesMax + 1, "review R", "\n")),
            "t:1000003:8: error: more than 1000000 rules [TooMany]");
}

TEST(BoundsTest, Files) {
  std::vector<SourceFile> files(
      kFilesMax, {"t", "policy t version 1\nlayer tenant \"acme\"\n"});
  files[0].text = "policy t version 1\ndefault allow\n";
  EXPECT_NE(Compile(files, {}).program, nullptr);
  files.push_back(files.back());
  const Compilation compilation = Compile(files, {});
  EXPECT_EQ(compilation.error_count, 1);
  EXPECT_TRUE(absl::StartsWith(
      compilation.Render(), "t:1:1: error: more than 10000 files [TooMany]\n"))
      << compilation.Render().substr(0, 200);
}

TEST(BoundsTest, SourceBytes) {
  const std::string head = "policy t version 1\ndefault allow\n";
  const size_t rest = static_cast<size_t>(kSourceBytesMax) - head.size();
  const std::string longest = absl::StrCat(head, std::string(rest, ' '));
  EXPECT_NE(Compile(std::vector<SourceFile>{{"long.sgl", longest}}, {}).program,
            nullptr);
  // One byte more is refused unread: the parentheses are no errors.
  const std::string text(static_cast<size_t>(kSourceBytesMax) + 1, '(');
  const Compilation compilation =
      Compile(std::vector<SourceFile>{{"long.sgl", text}}, {});
  EXPECT_TRUE(absl::StartsWith(
      compilation.Render(),
      "long.sgl:1:1: error: the file has 33554433 bytes, more than 33554432 "
      "[SourceTooLong]\n"))
      << compilation.Render().substr(0, 200);
  EXPECT_EQ(compilation.error_count, 1);
}

TEST(BoundsTest, ListItems) {
  const Compilation compilation = Compile(
      std::vector<SourceFile>{{"t",
                               "policy t version 1\ndefault allow\n"
                               "intent A { l: list<int>, m: list<int>? }\n"
                               "review R on A when all x in payload.l: x > 0"}},
      {});
  ASSERT_NE(compilation.program, nullptr);
  const auto decide = [&](int size, absl::string_view field) {
    const std::vector<int> items(static_cast<size_t>(size), 1);
    Request request;
    request.intent.type = "A";
    const std::string payload =
        absl::StrCat("{", field, "[", absl::StrJoin(items, ","), "]}");
    request.intent.payload = payload;
    return Evaluate(*compilation.program, request);
  };
  EXPECT_EQ(decide(kListItemsMax, "\"l\": ").kind, DecisionKind::kReview);
  // A list that no rule reads is held to it too.
  for (const absl::string_view field : {"\"l\": ", "\"l\": [], \"m\": "}) {
    const Decision decision = decide(kListItemsMax + 1, field);
    ASSERT_EQ(decision.reasons.size(), 1u);
    EXPECT_EQ(decision.reasons[0].code, "INVALID_PAYLOAD");
    EXPECT_TRUE(absl::StrContains(decision.reasons[0].message,
                                  "has 10001 items; at most 10000 are allowed"))
        << decision.reasons[0].message;
  }
}

// More errors than the cap are counted, not shown.
TEST(BoundsTest, Diagnostics) {
  const Compilation compilation = Compile(
      std::vector<SourceFile>{
          {"t", absl::StrCat("policy t version 1\ndefault allow\n",
                             Numbered(kDiagnosticsMax + 1, "review R",
                                      " when agent.nmae == \"x\"\n"))}},
      {});
  EXPECT_EQ(compilation.error_count, kDiagnosticsMax + 1);
  EXPECT_EQ(compilation.findings.size(), static_cast<size_t>(kDiagnosticsMax));
}

}  // namespace
}  // namespace sgl::tests
