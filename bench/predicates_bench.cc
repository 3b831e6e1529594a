// What does each kind of predicate cost a decision, on one field, as rules
// grow; and regexes against a bare RE2::Set over the same texts and patterns?

#include <absl/strings/str_cat.h>
#include <benchmark/benchmark.h>
#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "bench/decisions.h"
#include "bench/fixture.h"
#include "bench/predicates.h"
#include "policy/policy.h"

namespace sgl::bench {
namespace {

struct Predicates {
  PredicateWorkload workload;
  std::shared_ptr<const Program> program;
  std::vector<Request> requests;
  std::vector<ParsedRequest> parsed;
  std::unique_ptr<RE2::Set> set_or_null;
};

std::unique_ptr<RE2::Set> MakeSet(const std::vector<std::string>& patterns) {
  RE2::Options options;
  options.set_log_errors(false);
  auto set = std::make_unique<RE2::Set>(options, RE2::UNANCHORED);
  for (const std::string& pattern : patterns) {
    SGL_CHECK(set->Add(pattern, nullptr) >= 0) << pattern;
  }
  SGL_CHECK(set->Compile());
  return set;
}

void CheckMatchesAgree(const Predicates& predicates) {
  EvaluationContext context(*predicates.program);
  std::vector<int> matches;
  for (size_t i = 0; i < predicates.requests.size(); ++i) {
    const std::string& vendor = predicates.workload.requests[i].vendor;
    predicates.set_or_null->Match(vendor, &matches);
    std::sort(matches.begin(), matches.end());
    const Verdict& verdict =
        Evaluate(*predicates.program, predicates.parsed[i], context);
    SGL_CHECK_EQ(verdict.hits.size(), matches.size()) << vendor;
    for (size_t k = 0; k < matches.size(); ++k) {
      SGL_CHECK_EQ(verdict.hits[k].rule, matches[k]) << vendor;
    }
  }
}

Predicates MakeReady(PredicateKind kind, int32_t rule_count) {
  Predicates predicates;
  predicates.workload = MakePredicates(kind, rule_count);
  predicates.program = MustCompile(predicates.workload.policy);
  for (const PlainRequest& plain : predicates.workload.requests) {
    predicates.requests.push_back(RequestOf(plain));
  }
  for (const Request& request : predicates.requests) {
    predicates.parsed.emplace_back(*predicates.program, request);
  }
  if (kind == PredicateKind::kRegex) {
    predicates.set_or_null = MakeSet(predicates.workload.patterns);
    CheckMatchesAgree(predicates);
  }
  return predicates;
}

void Decide(benchmark::State& state, PredicateKind kind, int32_t rule_count) {
  const Predicates predicates = MakeReady(kind, rule_count);
  EvaluationContext context(*predicates.program);
  size_t place = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Evaluate(*predicates.program, predicates.parsed[place], context));
    if (++place == predicates.requests.size()) place = 0;
  }
}

void MatchSet(benchmark::State& state, int32_t rule_count) {
  const Predicates predicates = MakeReady(PredicateKind::kRegex, rule_count);
  std::vector<int> matches;
  size_t place = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(predicates.set_or_null->Match(
        predicates.workload.requests[place].vendor, &matches));
    if (++place == predicates.requests.size()) place = 0;
  }
}

void RegisterAll() {
  for (const PredicateKind kind :
       {PredicateKind::kEquality, PredicateKind::kIn, PredicateKind::kRange,
        PredicateKind::kBound, PredicateKind::kPrefix}) {
    for (const int32_t rules : {10, 1'000, 10'000}) {
      benchmark::RegisterBenchmark(
          absl::StrCat(PredicateName(kind), "/", rules, "/ours/parsed").c_str(),
          [kind, rules](benchmark::State& state) {
            Decide(state, kind, rules);
          });
    }
  }
  for (const int32_t rules : {10, 100, 1'000}) {
    benchmark::RegisterBenchmark(
        absl::StrCat("regex/", rules, "/ours/parsed").c_str(),
        [rules](benchmark::State& state) {
          Decide(state, PredicateKind::kRegex, rules);
        });
    benchmark::RegisterBenchmark(
        absl::StrCat("regex/", rules, "/hand/parsed").c_str(),
        [rules](benchmark::State& state) { MatchSet(state, rules); });
  }
}

}  // namespace
}  // namespace sgl::bench

int main(int argc, char** argv) {
  sgl::bench::RegisterAll();
  return sgl::bench::RunBenchmarks(argc, argv);
}
