// Proves that one mistake gives one error, or hardly more: takes a rule file
// that ships and one with every construct, breaks one token at a time, and
// counts what is reported. Every break is also a try at crashing the front end.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/zone_loader.h"
#include "policy/diagnostics/diagnostic.h"
#include "policy/lex/lexer.h"
#include "policy/policy.h"
#include "policy/source/source.h"

namespace sgl::tests {
namespace {

constexpr char kEveryConstruct[] = R"(policy a.b version 1
layer platform
default allow

const REGULATED = {PAY, SHIP}
const SSN = /\d{3}-\d{2}/i
const MOST = $250
def late = hour(now, "UTC") in 8..17 and weekday(now, "UTC") in 1..5

intent * { workflowId: string? }
intent PAY {
  to_account: string
  memo: string?
  lines: list<{ sku: string, amount: usd }>?
  side: enum(buy, sell)
}
intent SHIP { channel: string, text: string }

block ONLY "only the executor may act" when agent.name != "ATLAS"

review REGULATED_ACTION "a regulated action"
  on REGULATED
  risk 3
  approvals 1 from compliance, owner within 24h

review PHI when intent.data_class == PHI or scan(payload, SSN)
review SPEND "spend of ${intent.spend} is high"
  when intent.spend >= MOST
  risk 2

review ODD on PAY
  when not late and (payload.memo ?? "") == ""

block LINES on PAY
  when has payload.lines
    and any line in payload.lines: line.amount > $5 and line.sku != "x"

block SANCTIONED on PAY
  when payload.to_account matches /^(IR|KP)\d+/

limit DAILY_POSTS 20 per agent per 1d on SHIP
  else review risk 1
limit DAILY_SPEND $1000 of spend per tenant per 24h
  when agent.tier > 1
  else block

test "a transfer is reviewed" {
  given {
    intent: { type: PAY, spend: $900, payload: { to_account: "U", side: buy } },
    agent: { name: "ATLAS", labels: ["a", "b"] },
    now: 2026-03-02T16:00:00Z
  }
  expect review [REGULATED_ACTION, SPEND]
}

assert "nothing regulated is ever auto-allowed"
  on REGULATED when agent.known: decision != allow
)";

std::string ReadFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::vector<Span> Tokens(const std::string& text) {
  SourceSet sources;
  const FileId file = sources.Add("x", text);
  Diagnostics diagnostics;
  Lexer lexer(sources, file, diagnostics);
  std::vector<Span> spans;
  for (Token token = lexer.Next(); token.kind != TokenKind::kEnd;
       token = lexer.Next()) {
    spans.push_back(token.span);
  }
  return spans;
}

// Returns a text with one token broken in each way.
std::vector<std::string> Broken(const std::string& text, Span token) {
  const auto begin = static_cast<size_t>(token.begin);
  const auto end = static_cast<size_t>(token.end);
  const std::string before = text.substr(0, begin);
  const std::string old = text.substr(begin, end - begin);
  const std::string after = text.substr(end);
  std::vector<std::string> broken = {before + after,
                                     before + old + " " + old + after};
  for (const char* other : {")", "{", "zzz", "\"s\"", "=="}) {
    broken.push_back(before + other + after);
  }
  return broken;
}

TEST(MutationTest, OneMistakeGivesHardlyMoreThanOneError) {
  const bool is_verbose = std::getenv("SHOW_CASCADES") != nullptr;
  std::map<int, int> by_count;
  int total = 0;
  int cascades = 0;
  for (const std::string& text :
       {ReadFile("policy/library/atlas.sgl"), std::string(kEveryConstruct)}) {
    const Zones zones =
        LoadZones(ZonesNamed(std::vector<SourceFile>{{"library", text}}));
    for (const Span token : Tokens(text)) {
      for (const std::string& broken : Broken(text, token)) {
        const std::vector<SourceFile> sources = {{"broken", broken}};
        const Compilation compilation = Compile(sources, zones);
        ++total;
        ++by_count[compilation.error_count];
        if (compilation.error_count < 3) continue;
        ++cascades;
        if (is_verbose) {
          std::cout << "==== " << compilation.error_count << "\n"
                    << compilation.Render();
        }
      }
    }
  }
  for (const auto& [errors, count] : by_count) {
    std::cout << errors << " errors: " << count << "\n";
  }
  ASSERT_GT(total, 4'000);
  EXPECT_LT(cascades, total / 50);
}

}  // namespace
}  // namespace sgl::tests
