// Proves that a reused context decides without allocating, that verdicts carry
// the values that decided them, that a batch says what single evaluations say,
// and that neither index nor BLOCK-first order changes a decision.

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "policy/inspect.h"
#include "policy/policy.h"

namespace {

// Counts only while a test asks for it.
bool is_counting = false;
int64_t allocations = 0;

void* Allocate(size_t size, size_t unit = alignof(std::max_align_t)) {
  if (is_counting) ++allocations;
  void* const memory = std::aligned_alloc(
      unit, (std::max(size, size_t{1}) + unit - 1) / unit * unit);
  if (memory == nullptr) std::abort();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Allocate(size, static_cast<size_t>(alignment));
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace sgl {
namespace {

// Every kind of index, faults, loops, texts that are made, and a limit.
std::string MixedPolicy() {
  std::string text = R"(policy test.mixed version 1
default allow
intent * { note: string? }
intent PAY {
  amount: usd, count: int, vendor: string, url: string?,
  lines: list<{ sku: string, price: usd }>
}
block BAD_LINE on PAY when any x in payload.lines: lower(x.sku) == "bad"
block OVERFLOW on PAY when payload.count + 1 > 100 and payload.vendor == "v7"
review MANY on PAY when sum(payload.lines, price) > $500
limit RATE_OF_PAYMENTS_BY_AGENT 3 per agent per 1d on PAY
  when payload.vendor == "v3" else review
review LABEL on PAY when agent.labels contains "hot"
)";
  for (int i = 0; i < 12; ++i) {
    absl::StrAppend(
        &text, "review EQ", i, " on PAY when payload.vendor == \"v", i, "\"\n",
        "block GT", i, " on PAY when payload.amount > $", 80 * i + 400, "\n",
        "review IN", i, " on PAY when payload.count in ", i * 3, "..",
        i * 3 + 4, " and payload.amount < $", 10 * i, "\n", "review PRE", i,
        " on PAY when payload.vendor starts_with \"w", i, "-\"\n", "review RE",
        i, " on PAY when payload.vendor matches /z", i, "$/\n", "review URL", i,
        " on PAY when has payload.url and domain(payload.url) == \"h", i,
        ".example\"\n", "review NOTE", i,
        " when has payload.note and lower(payload.note) == \"n", i, "\"\n");
  }
  return text;
}

std::string MixedPayload(std::mt19937& random) {
  const auto below = [&random](unsigned bound) { return random() % bound; };
  static const char* const kVendors[] = {"v", "w1", "az", "w1-x", "q"};
  std::string vendor = absl::StrCat(kVendors[below(5)], below(14));
  if (below(4) == 0) vendor = absl::StrCat("w", below(14), "-shop");
  std::string text = absl::StrCat(
      R"({"amount": )", below(1500), R"(, "count": )",
      below(20) == 0 ? "9223372036854775807" : absl::StrCat(below(45)),
      R"(, "vendor": ")", vendor, R"(", "lines": [)");
  const unsigned lines = below(4);
  for (unsigned i = 0; i < lines; ++i) {
    absl::StrAppend(&text, i > 0 ? "," : "", R"({"sku": ")",
                    below(9) == 0 ? "BAD" : "Fine and rather long name",
                    R"(", "price": )", below(400), "}");
  }
  text += "]";
  if (below(2) == 0) {
    absl::StrAppend(&text, R"(, "url": ")",
                    below(8) == 0 ? "no url" : "https://H", below(14),
                    R"(.example/path")");
  }
  if (below(2) == 0) absl::StrAppend(&text, R"(, "note": "N)", below(14), "\"");
  return text + "}";
}

// A program, and requests decoded against it.
struct Corpus {
  explicit Corpus(int count) {
    const std::vector<SourceFile> sources = {{"mixed.sgl", MixedPolicy()}};
    const Compilation compilation = Compile(sources, Zones());
    program = compilation.program;
    EXPECT_NE(program, nullptr) << compilation.Render();
    std::mt19937 random(7);
    for (int i = 0; i < count; ++i) {
      payloads.push_back(MixedPayload(random));
      Request& request = requests.emplace_back();
      request.intent.type = i % 16 == 0 ? "UNKNOWN_TYPE" : "PAY";
      request.intent.payload = payloads.back();
      request.agent.name = "ATLAS";
      if (i % 5 == 0) request.agent.labels = {"cold", "hot"};
      parsed.emplace_back(*program, request);
    }
  }

  std::shared_ptr<const Program> program;
  std::deque<std::string> payloads;
  std::deque<Request> requests;
  std::vector<ParsedRequest> parsed;
};

TEST(EvaluationTest, DecidesWithoutAllocating) {
  const Corpus corpus(4'000);
  EvaluationContext context(*corpus.program);
  int64_t hits = 0;
  int64_t faults = 0;
  int64_t draws = 0;
  const auto decide_all = [&] {
    for (const ParsedRequest& parsed : corpus.parsed) {
      const Verdict& verdict = Evaluate(*corpus.program, parsed, context);
      for (const Hit& hit : verdict.hits) {
        ++(hit.fault == Fault::kNone ? hits : faults);
      }
      draws += static_cast<int64_t>(verdict.limit_draws.size());
    }
  };
  decide_all();
  is_counting = true;
  decide_all();
  is_counting = false;
  // RE2::Set allocates where it says which of its regexes match: one such set
  // and a request that none of its regexes match costs nothing.
  int64_t matched = 0;
  for (const std::string& payload : corpus.payloads) {
    matched += payload.find("\"vendor\": \"az") != std::string::npos ? 1 : 0;
  }
  EXPECT_LE(allocations, 4 * matched);
  EXPECT_GT(hits, 2'000);
  EXPECT_GT(faults, 100);
  EXPECT_GT(draws, 50);
}

TEST(EvaluationTest, IndexAndOrderChangeNoDecision) {
  const Corpus corpus(4'000);
  EvaluationContext indexed(*corpus.program);
  EvaluationContext plain(*corpus.program, {.use_index = false});
  for (const ParsedRequest& parsed : corpus.parsed) {
    const Decision one =
        Render(*corpus.program, parsed,
               Evaluate(*corpus.program, parsed, indexed), indexed);
    const Decision other =
        Render(*corpus.program, parsed,
               Evaluate(*corpus.program, parsed, plain), plain);
    ASSERT_EQ(DecisionToJson(one), DecisionToJson(other))
        << parsed.request().intent.payload;
  }
}

TEST(EvaluationTest, BatchSaysWhatSingleEvaluationsSay) {
  const Corpus corpus(500);
  EvaluationContext context(*corpus.program);
  std::vector<std::vector<int32_t>> rules(corpus.parsed.size());
  size_t calls = 0;
  EvaluateBatch(*corpus.program, corpus.parsed, context,
                [&](size_t number, const Verdict& verdict) {
                  EXPECT_EQ(number, calls++);
                  for (const Hit& hit : verdict.hits) {
                    rules[number].push_back(hit.rule);
                  }
                });
  EXPECT_EQ(calls, corpus.parsed.size());
  for (size_t i = 0; i < corpus.parsed.size(); ++i) {
    std::vector<int32_t> single;
    for (const Hit& hit :
         Evaluate(*corpus.program, corpus.parsed[i], context).hits) {
      single.push_back(hit.rule);
    }
    EXPECT_EQ(single, rules[i]);
  }
}

TEST(EvaluationTest, HitsCarryTheValuesThatDecided) {
  const std::vector<SourceFile> sources = {{"a.sgl", R"(policy a version 1
default allow
intent PAY { amount: usd, vendor: string }
review LARGE on PAY
  when payload.amount > $250 and payload.vendor starts_with "acme"
)"}};
  const Compilation compilation = Compile(sources, Zones());
  ASSERT_NE(compilation.program, nullptr) << compilation.Render();
  Request request;
  request.intent.type = "PAY";
  request.intent.payload = R"({"amount": 300, "vendor": "acme ltd"})";
  const ParsedRequest parsed(*compilation.program, request);
  EvaluationContext context(*compilation.program);
  const Verdict& verdict = Evaluate(*compilation.program, parsed, context);
  ASSERT_EQ(verdict.hits.size(), 1u);
  const Hit& hit = verdict.hits[0];
  ASSERT_EQ(hit.value_count, 2u);
  EXPECT_EQ(verdict.values[hit.first_value].value.number, 300'000'000);
  EXPECT_EQ(verdict.values[hit.first_value + 1].value.text(), "acme ltd");
}

TEST(EvaluationTest, DumpShowsHowRulesAreFound) {
  const Corpus corpus(0);
  const std::string dump = Dump(*corpus.program);
  for (const char* line :
       {"index payload.vendor by text, 12 keys",
        "index payload.vendor by prefix, 12 keys of 3, 4 bytes: 12 rules",
        "index payload.vendor by one automaton of 12 regexes: 12 rules",
        "index payload.amount by range",
        "index domain(payload.url) by text, 12 keys: 12 rules",
        "always run, too few rules test what it tests"}) {
    EXPECT_NE(dump.find(line), std::string::npos) << line << "\n" << dump;
  }
}

TEST(EvaluationTest, VerifyFindsNothingWrong) {
  const Corpus corpus(0);
  int64_t last = 0;
  int64_t all = 0;
  const auto fault =
      Verify(*corpus.program, [&](int64_t checked, int64_t rules) {
        last = checked;
        all = rules;
      });
  EXPECT_FALSE(fault.has_value()) << *fault;
  EXPECT_EQ(last, all);
  EXPECT_GT(all, 80);
}

}  // namespace
}  // namespace sgl
