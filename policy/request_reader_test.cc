// Proves that reading fast is reading right: on every line that the exact
// reader takes or refuses, written by hand or mutated by the byte, the fast one
// gives the same facts, violations and messages. That the lines which matter
// are read fast at all is said of each.

#include "policy/request_reader.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "policy/eval/facts_difference.h"
#include "policy/policy.h"

namespace sgl {
namespace {

constexpr char kPlatform[] = R"(policy test.reader version 1
layer platform
default allow

intent * { flag: bool?, "odd \"key\"": int? }

intent EVERY {
  yes: bool?,
  count: int,
  part: decimal?,
  amount: usd?,
  text: string?,
  at: timestamp?,
  lasts: duration?,
  side: enum(buy, sell, "one-time")?,
  address: { zip: string?, lines: list<string> }?,
  items: list<{ name: string, price: usd?, tags: list<int?> }>?
}

review ALL on EVERY
  when (payload.yes ?? true) or payload.count > 3 or (payload.part ?? 0.5) > 0.1
    or (payload.amount ?? $1) > $2 or (payload.text ?? "") == "x"
    or (payload.at ?? now) > now or (payload.lasts ?? 1h) > 1h
    or (payload.side ?? buy) == buy or (payload.address.zip ?? "") == "1"
    or (has payload.address and size(payload.address.lines) > 0)
    or (has payload.items and any x in payload.items:
          x.name == "n" or (x.price ?? $0) > $1
          or any tag in x.tags: has tag and tag > 1)
review FLAG when payload.flag ?? false
review ODD when (payload["odd \"key\""] ?? 0) > 1
review SECRET when scan(payload, /secret/)
)";

constexpr char kTenant[] = R"(policy test.tenant version 1
layer tenant "acme"

intent OWN { own: string }

review OWN_X on OWN when payload.own == "x"
)";

// Compiles the two files above.
std::shared_ptr<const Program> CompileBoth() {
  const std::vector<SourceFile> sources = {{"a.sgl", kPlatform},
                                           {"b.sgl", kTenant}};
  const Compilation compilation = Compile(sources, Zones{});
  EXPECT_NE(compilation.program, nullptr) << compilation.Render();
  return compilation.program;
}

std::string PayloadLine(const std::string& payload) {
  return absl::StrCat(R"({"intent": {"type": "EVERY", "payload": )", payload,
                      "}}");
}

// As many levels of lists as asked for, in a payload.
std::string Nested(size_t levels) {
  return PayloadLine(absl::StrCat(R"({"count": 1, "deep": )",
                                  std::string(levels, '['),
                                  std::string(levels, ']'), "}"));
}

std::string ManyKeys(int count, const std::string& last) {
  std::string payload = R"({"count": 1)";
  for (int i = 0; i < count; ++i)
    absl::StrAppend(&payload, ", \"k", i, "\": 0");
  return PayloadLine(absl::StrCat(payload, ", \"", last, "\": 0}"));
}

// Lines that fit, and are read without the exact reader's help.
std::vector<std::string> FastLines() {
  return {
      R"({"intent": {"type": "EVERY", "payload": {"count": 4}}})",
      R"( { "intent" : { "payload" : { "count" : 4 } , "type" : "EVERY" } } )",
      R"({"intent": {"type": "STAR", "payload": {}}})",
      R"({"intent": {"type": "STAR"}})",
      R"({"intent": {"type": "STAR"}, "agent": {}, "tenant": {},
          "budget": {}})",
      R"({"agent": {"known": false, "id": "a", "name": "b", "role": "c",
          "status": "d", "tier": -7, "labels": ["x", "", "x"]},
          "tenant": {"id": "e", "slug": "acme", "seat": "pro",
          "connected": ["google", "slack"]}, "budget": {"exists": false,
          "remaining_usd": -5.25, "limit_usd": 1e2},
          "now": "2026-03-01T09:00:00Z", "intent": {"id": "i",
          "requested_by": "j", "created_at": "2026-03-01T09:00:00.5+01:00",
          "spend_usd": 249.999999, "data_class": "PHI", "type": "OWN",
          "payload": {"own": "x", "flag": true}}})",
      // The tenant's type is known only once the tenant is.
      R"({"intent": {"type": "OWN", "payload": {"own": "x"}},
          "tenant": {"slug": "acme"}})",
      R"({"intent": {"payload": {"own": 5, "flag": null}, "type": "OWN"}})",
      PayloadLine(R"({"yes": false, "count": -9223372036854775808,
          "part": 0.12345678949999999, "amount": -0.000001, "text": "",
          "at": "2026-01-31T09:00:00.123456-06:00", "lasts": "15m",
          "side": "one-time", "address": {"lines": ["a", "b"], "zip": null},
          "items": [{"name": "n", "tags": [1, null, 3]},
                    {"tags": [], "price": 2.5, "more": {}, "name": "m"}]})"),
      PayloadLine(R"({"count": 2.0, "part": 0, "amount": 5.0000000})"),
      PayloadLine(R"({"count": 0.2E1, "part": 1e-20, "amount": 25e-1})"),
      PayloadLine(R"({"count": -0, "part": -0.0, "amount": 0e400})"),
      PayloadLine(R"({"count": 123456789012345678, "amount": 123456789012.5})"),
      PayloadLine(R"({"count": 1, "x": [1.5e-3, -0, "a", true, false, null,
          [], {}, [{"y": {"z": []}}]], "text": "secret"})"),
      // Escapes, in keys that are declared and keys that are not.
      PayloadLine(R"({"c\u006funt": 1, "odd \"key\"": 7,
          "te\u0078t": "\"\\\/\b\f\n\r\t\u0000\u00e9\u20ac\ud83d\uDE00z",
          "\n": "\u0073ecret", "side": "s\u0065ll"})"),
      PayloadLine(
          "{\"count\": 1, \"text\": \"\xc3\xa9\xe2\x82\xac\", \"\": 1}"),
      PayloadLine(R"({"count": 1, "a": {"k": 1}, "b": {"k": 1}, "k": 1})"),
      PayloadLine(R"({"count": 1, "a234567890123456789b": 1,
          "a234567890123456789c": 1, "a2345678": 1, "a23456789": 1})"),
      ManyKeys(15, "k15"),
      ManyKeys(16, "k16"),
      ManyKeys(17, "k17"),
      ManyKeys(500, "k500"),
      Nested(60),
  };
}

// Lines around payloads that are refused or rare.
std::vector<std::string> UnfitLines() {
  return {
      "",
      " ",
      "[]",
      "7",
      "{",
      "{}",
      R"({"intent": {}})",
      R"({"intent": {"type": 7}})",
      R"({"intent": {"type": "STAR", "payload": []}})",
      R"({"intent": {"type": "STAR"}} x)",
      R"({"intent": {"type": "STAR"}}})",
      R"({"intent": {"type": "STAR"}, })",
      R"({"intent": {"type": "STAR", "spend": 5}})",
      R"({"intent": {"type": "STAR", "spend_usd": "5"}})",
      R"({"intent": {"type": "STAR", "spend_usd": -5}})",
      R"({"intent": {"type": "STAR", "spend_usd": 0.0000001}})",
      R"({"intent": {"type": "STAR", "data_class": "SECRET"}})",
      R"({"intent": {"type": "STAR", "id": "a", "id": "a"}})",
      R"({"intent": {"type": "STAR", "created_at": "today"}})",
      R"({"intent": {"type": "STAR"}, "intent": {"type": "STAR"}})",
      R"({"intent": {"type": "STAR"}, "agent": {"tier": 1.5}})",
      R"({"intent": {"type": "STAR"}, "agent": {"labels": [5]}})",
      R"({"intent": {"type": "STAR"}, "tenant": {"seat": "best"}})",
      R"({"intent": {"type": "STAR"}, "budget": {"limit_usd": NaN}})",
      R"({"intent": {"type": "STAR"}, "now": 5})",
      R"({"intent": {"payload": {"own": 5}, "type": "OWN"},
          "tenant": {"slug": "acme"}})",
      R"({"intent": {"payload": {"a": [1}, "type": "OWN"},
          "tenant": {"slug": "acme"}})",
  };
}

// Payloads with broken JSON, duplicates and NaN, and ones too deep.
std::vector<std::string> BrokenPayloads() {
  return {
      PayloadLine(R"({"count": 1, "count": 1})"),
      PayloadLine(R"({"count": 1, "x": {"y": 1, "z": 2, "y": 3}})"),
      PayloadLine(R"({"count": 1, "x": [{"y": 1, "\u0079": 3}]})"),
      PayloadLine(R"({"count": 1, "items": [{"name": "n", "tags": [],
          "more": {"a": 1, "a": 1}}]})"),
      PayloadLine(R"({"count": 1, "x": NaN})"),
      PayloadLine(R"({"count": 1, "x": nul})"),
      PayloadLine(R"({"count": 1, "x": truely})"),
      PayloadLine(R"({"count": 1, "x": 01})"),
      PayloadLine(R"({"count": 1, "x": 1.})"),
      PayloadLine(R"({"count": 1, "x": 1e})"),
      PayloadLine(R"({"count": 1, "x": -})"),
      PayloadLine(R"({"count": 1, "x": 1 2})"),
      PayloadLine(R"({"count": 1, "x": "a""b"})"),
      PayloadLine(R"({"count": 1, "x": 1"b"})"),
      PayloadLine("{\"count\": 1, \"x\": 1\v}"),
      PayloadLine(R"({"count": 1, "x": [1,]})"),
      PayloadLine(R"({"count": 1, "x" 1})"),
      PayloadLine(R"({"count": 1, "x": "\x"})"),
      PayloadLine(R"({"count": 1, "x": "\ud800"})"),
      PayloadLine(R"({"count": 1, "x": "\udc00"})"),
      PayloadLine(R"({"count": 1, "x": "\ud800\u0041"})"),
      PayloadLine(R"({"count": 1, "x": "\u12"})"),
      PayloadLine("{\"count\": 1, \"x\": \"\xff\"}"),
      PayloadLine("{\"count\": 1, \"x\": \"\n\"}"),
      PayloadLine(R"({"count": 1, "x": "open})"),
      ManyKeys(14, "k3"),
      ManyKeys(15, "k3"),
      ManyKeys(16, "k3"),
      ManyKeys(17, "k16"),
      ManyKeys(500, "k250"),
      Nested(64),
      Nested(998),
      Nested(999),
      Nested(1'500),
  };
}

// Payloads with values that don't fit.
std::vector<std::string> UnfitPayloads() {
  return {
      PayloadLine("{}"),
      PayloadLine(R"({"count": null})"),
      PayloadLine(R"({"count": 1.5})"),
      PayloadLine(R"({"count": 15e-1})"),
      PayloadLine(R"({"count": "1"})"),
      PayloadLine(R"({"count": 9223372036854775808})"),
      PayloadLine(R"({"count": 1e400})"),
      PayloadLine(R"({"count": 1, "amount": 0.0000001})"),
      PayloadLine(R"({"count": 1, "amount": 9223372036854.775808})"),
      PayloadLine(R"({"count": 1, "yes": "true"})"),
      PayloadLine(R"({"count": 1, "text": 5})"),
      PayloadLine(R"({"count": 1, "at": "yesterday"})"),
      PayloadLine(R"({"count": 1, "lasts": "1w"})"),
      PayloadLine(R"({"count": 1, "side": "hold"})"),
      PayloadLine(R"({"count": 1, "side": "sel\u0000"})"),
      PayloadLine(R"({"count": 1, "address": {}})"),
      PayloadLine(R"({"count": 1, "address": []})"),
      PayloadLine(R"({"count": 1, "items": {}})"),
      PayloadLine(R"({"count": 1, "items": [{"name": "n"}, 5]})"),
  };
}

// All that the exact reader has to read.
std::vector<std::string> UnusualLines() {
  std::vector<std::string> lines = UnfitLines();
  for (const auto& more : {BrokenPayloads(), UnfitPayloads()}) {
    lines.insert(lines.end(), more.begin(), more.end());
  }
  return lines;
}

TEST(RequestReaderTest, WhatFitsIsReadFastAndAsTheExactReaderReadsIt) {
  const auto program = CompileBoth();
  ReaderPair readers(program->compiled());
  for (const std::string& line : FastLines()) {
    EXPECT_EQ(readers.Difference(line), "") << line;
    EXPECT_TRUE(readers.was_fast()) << line;
  }
}

TEST(RequestReaderTest, WhatDoesNotFitIsRefusedAsTheExactReaderRefusesIt) {
  const auto program = CompileBoth();
  ReaderPair readers(program->compiled());
  for (const std::string& line : UnusualLines()) {
    EXPECT_EQ(readers.Difference(line), "") << line;
    EXPECT_FALSE(readers.was_fast()) << line;
    // What is refused leaves nothing behind.
    EXPECT_EQ(readers.Difference(FastLines()[0]), "") << "behind " << line;
    EXPECT_TRUE(readers.was_fast()) << line;
  }
}

TEST(RequestReaderTest, AgreesWithTheExactReaderOnMutatedLines) {
  const auto program = CompileBoth();
  ReaderPair readers(program->compiled());
  std::vector<std::string> lines = FastLines();
  for (const std::string& line : UnusualLines()) lines.push_back(line);
  constexpr absl::string_view kBytes = "{}[],:\" \\u0019-.eEnNtfk\n\x80\xc3";
  std::mt19937_64 random(20'260'301);
  const auto below = [&random](size_t bound) { return random() % bound; };
  int fast_count = 0;
  constexpr int kRounds = 30'000;
  for (int round = 0; round < kRounds; ++round) {
    std::string line = lines[below(lines.size())];
    if (line.size() > 1'000) line = lines[0];
    for (size_t change = below(3); change-- > 0 && !line.empty();) {
      const size_t at = below(line.size());
      switch (below(4)) {
        case 0:
          line[at] = kBytes[below(kBytes.size())];
          break;
        case 1:
          line.insert(at, 1, kBytes[below(kBytes.size())]);
          break;
        case 2:
          line.erase(at, 1 + below(4));
          break;
        default:
          // A piece twice: the likeliest way to a duplicate key.
          line.insert(at, line.substr(at, 1 + below(20)));
      }
    }
    ASSERT_EQ(readers.Difference(line), "")
        << "round " << round << ": " << line;
    if (readers.was_fast()) ++fast_count;
  }
  EXPECT_GT(fast_count, kRounds / 10);
}

TEST(RequestReaderTest, RequestsOutliveTheTextThatTheyWereReadFrom) {
  const auto program = CompileBoth();
  RequestReader reader(*program);
  std::vector<ParsedRequest> requests(50);
  for (size_t i = 0; i < requests.size(); ++i) {
    std::string line = absl::StrCat(
        R"({"intent": {"type": "EVERY", "payload": {"count": )", i,
        R"(, "text": "text )", i, R"("}}, "agent": {"name": "A)", i, R"("}})");
    ASSERT_TRUE(reader.ReadLine(line, nullptr, &requests[i]).ok());
    line.assign(line.size(), '#');
  }
  std::vector<ParsedRequest> moved = std::move(requests);
  for (size_t i = 0; i < moved.size(); ++i) {
    EXPECT_EQ(moved[i].request().agent.name, absl::StrCat("A", i));
    EXPECT_EQ(moved[i].request().intent.type, "EVERY");
  }
}

TEST(RequestReaderTest, DecidesAsTheRequestItselfIsDecided) {
  const auto program = CompileBoth();
  RequestReader reader(*program);
  EvaluationContext context(*program);
  ParsedRequest parsed;
  std::vector<std::string> lines = FastLines();
  for (const std::string& line : UnusualLines()) lines.push_back(line);
  for (const std::string& line : lines) {
    const absl::StatusOr<RequestLine> exact = RequestLine::Read(line);
    const absl::Status status = reader.ReadLine(line, nullptr, &parsed);
    ASSERT_EQ(status, exact.status()) << line;
    if (!status.ok()) continue;
    const Verdict& verdict = Evaluate(*program, parsed, context);
    EXPECT_EQ(DecisionToJson(Render(*program, parsed, verdict, context)),
              DecisionToJson(Evaluate(*program, exact->request())))
        << line;
  }
}

}  // namespace
}  // namespace sgl
