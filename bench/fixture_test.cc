// Proves that the workloads are the same on every machine and hold hits and
// misses, and that the rules written by hand give the evaluator's decisions on
// them: a fixture checks each request when it is made.

#include "bench/fixture.h"

#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <string>
#include <utility>

#include "base/sha256.h"
#include "bench/predicates.h"
#include "bench/workloads.h"

namespace sgl::bench {
namespace {

constexpr int32_t kRules = 64;

constexpr WorkloadKind kKinds[] = {WorkloadKind::kGuardrail,
                                   WorkloadKind::kScaled, WorkloadKind::kShared,
                                   WorkloadKind::kTested};

std::string DigestOf(const Workload& workload) {
  std::string text = workload.policy;
  for (const PlainRequest& request : workload.requests) text += request.line;
  return Sha256Hex(text);
}

TEST(WorkloadsTest, FiguresOfAllMachinesAreOfTheSameRequests) {
  const char* const digests[] = {
      "d7492faa5d2970fb90dbde84a0bc1ea0fd7de7f5a58d1f3892f947da98344ec6",
      "6f13c1385b278d33e48adb9f007b8447d2bb8052b45ee0806628b3134d5cdabd",
      "1e1d2331eb1c00ae1fa774dbf630d08a6210d179b6bc1893572c52f72a885cd7",
      "11e973d21a2abb0361709476a8747c268e90dd136bd6ac8d63d80c0b0d6b79d1"};
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    EXPECT_EQ(DigestOf(MakeWorkload(kKinds[i], kRules)), digests[i])
        << WorkloadName(kKinds[i]);
  }
}

TEST(WorkloadsTest, RequestsDiffer) {
  for (const WorkloadKind kind : kKinds) {
    const Workload workload = MakeWorkload(kind, kRules);
    std::set<std::string> lines;
    for (const PlainRequest& request : workload.requests) {
      lines.insert(request.line);
    }
    EXPECT_GE(lines.size(), 1'000u) << WorkloadName(kind);
  }
}

// Fixture's constructor ends the process where they don't.
TEST(FixtureTest, BothEvaluatorsAgree) {
  for (const WorkloadKind kind : kKinds) {
    const Fixture fixture(kind, kRules);
    EXPECT_GE(fixture.size(), 1'000u);
  }
}

TEST(FixtureTest, MistakeInARuleWrittenByHandIsFound) {
  Workload workload = MakeWorkload(WorkloadKind::kScaled, kRules);
  for (PlainRule& rule : workload.rules) rule.amount_micros += 1'000'000'000;
  EXPECT_DEATH(Fixture{std::move(workload)}, "AnswerOf");
}

TEST(PredicatesTest, EachKindCompilesWithARulePerQuestion) {
  for (const PredicateKind kind :
       {PredicateKind::kEquality, PredicateKind::kIn, PredicateKind::kRange,
        PredicateKind::kBound, PredicateKind::kPrefix, PredicateKind::kRegex}) {
    const PredicateWorkload workload = MakePredicates(kind, kRules);
    const auto program = MustCompile(workload.policy);
    EXPECT_EQ(program->rules().size(), size_t{kRules});
    std::set<int32_t> hits;
    EvaluationContext context(*program);
    for (const PlainRequest& plain : workload.requests) {
      const Request request = RequestOf(plain);
      const ParsedRequest parsed(*program, request);
      const Verdict& verdict = Evaluate(*program, parsed, context);
      for (const Hit& hit : verdict.hits) {
        ASSERT_EQ(hit.fault, Fault::kNone);
        hits.insert(hit.rule);
      }
    }
    // Bounds beyond the first are above every amount.
    const size_t want = kind == PredicateKind::kBound ? 1 : kRules;
    EXPECT_EQ(hits.size(), want) << PredicateName(kind);
  }
}

}  // namespace
}  // namespace sgl::bench
