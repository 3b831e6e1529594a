// Proves that formatting keeps what a file says (its tree, its comments), that
// doing it twice changes nothing, that a file with errors is refused, and that
// long and deep files take neither too long nor too much stack. What the
// layout looks like is in tests/language/cases/format.

#include "policy/syntax/formatter.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "policy/limits.h"
#include "policy/syntax/format_properties.h"

namespace sgl {
namespace {

constexpr char kHeader[] = "policy acme version 1\n";

struct Formatted {
  std::optional<std::string> text;
  std::string diagnostics;
};

Formatted FormatText(const std::string& text) {
  SourceSet sources;
  const FileId file = sources.Add("file", text);
  Diagnostics diagnostics;
  Formatted result;
  result.text = Format(sources, file, diagnostics);
  result.diagnostics = RenderAll(sources, diagnostics);
  return result;
}

// The file that shows the whole language.
constexpr char kExample[] = R"sgl(// The platform floor. Nobody overrides it.
policy atlas.platform version 1
layer platform
default allow

const REGULATED = {GOV_FILING_IRS, BANK_TRANSFER, CRYPTO_TRADE_EXECUTE}
const SSN = /\b\d{3}-\d{2}-\d{4}\b/

def business_hours =
  hour(now, "America/Chicago") in 8..17
  and weekday(now, "America/Chicago") in 1..5

intent * {  // fields that any intent type may carry
  workflowId: string?
}
intent BANK_TRANSFER {
  to_account: string
  memo: string?
  lines: list<{ sku: string, amount: usd }>?
}
intent SOCIAL_POST { channel: string, text: string }

block ONLY_ATLAS_EXECUTES "only the Atlas executor may act"
  when agent.name != "ATLAS"

review REGULATED_ACTION "a regulated action needs a named human"
  on REGULATED
  risk 3
  approvals 1 from compliance within 24h

review BROWSER_AUTOMATION on BROWSER_TASK risk 2
review PHI_PRESENT when intent.data_class == PHI or scan(payload, SSN)
review SPEND_THRESHOLD "spend of ${intent.spend} is at or over $250"
  when intent.spend >= $250
  risk 2

review ODD_HOURS on BANK_TRANSFER
  when not business_hours and (payload.memo ?? "") == ""

limit DAILY_POSTS 20 per agent per 1d on SOCIAL_POST
  else review risk 1
limit DAILY_SPEND $1000 of spend per tenant per 24h
  else block

test "a transfer is reviewed, and says every reason" {
  given {
    intent: { type: BANK_TRANSFER, spend: $900, payload: { to: "US1" } },
    agent: { name: "ATLAS" },
    now: 2026-03-02T16:00:00Z
  }
  expect review [REGULATED_ACTION, SPEND_THRESHOLD]
}

assert "nothing regulated is ever auto-allowed"
  on REGULATED: decision != allow
)sgl";

TEST(FormatterTest, FileInItsLayoutStays) {
  EXPECT_EQ(FormatText(kExample).text, kExample);
  EXPECT_EQ(BrokenFormatProperty(kExample), "");
}

// All blanks of a line become one, but for those in comments and strings.
TEST(FormatterTest, LayoutDoesNotDependOnBlanks) {
  std::string squeezed;
  bool is_start = false;
  for (char byte : std::string(kExample)) {
    if (byte == ' ' && is_start) continue;
    squeezed += byte;
    is_start = byte == '\n';
  }
  ASSERT_NE(squeezed, kExample);
  EXPECT_EQ(FormatText(squeezed).text, kExample);
}

TEST(FormatterTest, LibraryKeepsItsTreeAndComments) {
  std::ifstream stream("policy/library/atlas.sgl", std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  ASSERT_FALSE(text.str().empty());
  EXPECT_EQ(BrokenFormatProperty(text.str()), "");
}

TEST(FormatterTest, OddFilesKeepTheirTreeAndComments) {
  const std::string cases[] = {
      "",
      "layer platform\n",
      "// first\n\n\n// second\n",
      "const A = {1 // a\n// b\n, // c\n2 // d\n, // e\n} // f",
      "intent A { a: int // a\n, // b\n // c\n b: int // d\n // e\n }",
      "intent A { // a\n\n\n // b\n}",
      "block A // a\n when // b\n not // c\n ( // d\n true // e\n ) // f",
      "block A when payload // a\n [ // b\n \"c\" // d\n ] // e\n == 1",
      "block A when payload[\"c\"][\"d-e\"][\"when\"].on == 1",
      "block A on A, // a\n B // b\n, C",
      "default allow default block const A = 1 const B = 2..3",
      "def a = - - 5 + -(-$5) - -5h * - -1",
      "def a = 1 ?? 2 ?? 3 .. 4 ?? 5",
      "def a = any x in l: all y in x.l: count z in y: true or false",
      "def a = (any x in l: true or false) and not (not (not true))",
      "def a = ((((1))) == ((2)))",
      "const A = /[\\/]+/i const B = /\\// const C = {\"\\u{e9}\", \"é\"}",
      "intent \"A\" { \"a\": enum(\"not\", \"b\", \"c-d\"), \"b c\": int }",
      "const X = {A} block B on \"X\", \"Y\", X",
      "review A approvals 1 from \"from\", \"x\" within 5m approvals 2",
      "test \"\" {} test \"a\" { given {} expect allow [] }",
      "assert \"a\" on A, B when true: decision in {allow, block}",
  };
  for (const std::string& items : cases) {
    SCOPED_TRACE(items);
    const std::string text = kHeader + items;
    EXPECT_TRUE(FormatText(text).text.has_value());
    EXPECT_EQ(BrokenFormatProperty(text), "");
  }
}

TEST(FormatterTest, ByteOrderMarkAndCarriageReturnsGo) {
  EXPECT_EQ(FormatText("\xEF\xBB\xBFpolicy a version 1\r\n\r\n\r\n"
                       "// b \r\ndefault allow // c\r\n")
                .text,
            "policy a version 1\n\n// b\ndefault allow  // c\n");
}

TEST(FormatterTest, FileWithErrorsIsRefusedWithItsDiagnostics) {
  const Formatted result = FormatText("policy acme version 1\ndefault maybe\n");
  EXPECT_FALSE(result.text.has_value());
  EXPECT_EQ(result.diagnostics,
            "file:2:9: error: expected `allow`, `review` or `block`, found "
            "`maybe` [UnexpectedToken]\n"
            "  default maybe\n"
            "          ^~~~~\n");
  EXPECT_FALSE(FormatText("").text.has_value());
  EXPECT_FALSE(FormatText("policy a version 1\nconst A = \"").text.has_value());
}

std::string Repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

TEST(FormatterTest, DeepestFileThatParsesIsFormatted) {
  const int depth = kNestingMax - 1;
  const std::string parens = absl::StrCat(
      kHeader, "def a = ", Repeated("(", depth), "true", Repeated(")", depth));
  EXPECT_EQ(BrokenFormatProperty(parens), "");
  EXPECT_TRUE(FormatText(parens).text.has_value());
  const std::string types =
      absl::StrCat(kHeader, "intent A { a: ", Repeated("list<{ a: ", depth / 2),
                   "int", Repeated(" }>", depth / 2), " }");
  EXPECT_EQ(BrokenFormatProperty(types), "");
  EXPECT_TRUE(FormatText(types).text.has_value());
  EXPECT_FALSE(
      FormatText(absl::StrCat(kHeader, "def a = ", Repeated("(", 100'000)))
          .text.has_value());
}

// Ten times the size must not take anywhere near a hundred times as long.
TEST(FormatterTest, TimeGrowsWithTheSize) {
  const auto measure = [](int rules) {
    const std::string text = absl::StrCat(
        kHeader,
        Repeated("block A on B when payload.a == 1 and payload.b in {1,2,3} or "
                 "any x in payload.l: x.y == \"z\" // c\n",
                 rules),
        "const A = {", Repeated("1, ", rules), "1}\n");
    const std::clock_t start = std::clock();  // of this process only
    EXPECT_TRUE(FormatText(text).text.has_value());
    return std::clock() - start;
  };
  const std::clock_t small = measure(2'000);
  EXPECT_LT(measure(20'000), 40 * small);
}

}  // namespace
}  // namespace sgl
