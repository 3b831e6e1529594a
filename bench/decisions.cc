#include "bench/decisions.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/fixture.h"

namespace sgl::bench {
namespace {

// Requests in one batch; divides the numbers of requests that workloads have.
constexpr size_t kBatch = 256;

// Walks a fixture's order again and again.
class Walk {
 public:
  explicit Walk(const Fixture& fixture) : order_(fixture.order()) {}

  size_t Next() {
    const size_t place = order_[position_];
    position_ = position_ + 1 == order_.size() ? 0 : position_ + 1;
    return place;
  }

 private:
  const std::vector<uint32_t>& order_;
  size_t position_ = 0;
};

void OursParsed(benchmark::State& state, const Fixture& fixture) {
  Walk walk(fixture);
  EvaluationContext context(fixture.program());
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        Evaluate(fixture.program(), fixture.request(walk.Next()), context));
  }
}

// All requests by their places, as a batch gets them, one at a time.
void OursInOrder(benchmark::State& state, const Fixture& fixture) {
  EvaluationContext context(fixture.program());
  size_t place = 0;
  int64_t hits = 0;
  for (auto _ : state) {
    hits += std::ssize(
        Evaluate(fixture.program(), fixture.request(place), context).hits);
    if (++place == fixture.size()) place = 0;
  }
  benchmark::DoNotOptimize(hits);
}

void OursBatch(benchmark::State& state, const Fixture& fixture) {
  EvaluationContext context(fixture.program());
  const auto count = static_cast<benchmark::IterationCount>(kBatch);
  const std::span<const ParsedRequest> requests = fixture.requests();
  size_t place = 0;
  int64_t hits = 0;
  while (state.KeepRunningBatch(count)) {
    EvaluateBatch(fixture.program(), requests.subspan(place, kBatch), context,
                  [&hits](size_t, const Verdict& verdict) {
                    hits += std::ssize(verdict.hits);
                  });
    place += kBatch;
    if (place == requests.size()) place = 0;
  }
  benchmark::DoNotOptimize(hits);
}

void HandParsed(benchmark::State& state, const Fixture& fixture) {
  Walk walk(fixture);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        fixture.DecideByHand(fixture.hand_request(walk.Next())));
  }
}

void OursBytes(benchmark::State& state, const Fixture& fixture) {
  Walk walk(fixture);
  RequestReader reader(fixture.program());
  EvaluationContext context(fixture.program());
  ParsedRequest parsed;
  for (auto _ : state) {
    const absl::Status status =
        reader.ReadLine(fixture.lines().Line(walk.Next()), nullptr, &parsed);
    benchmark::DoNotOptimize(status.ok());
    benchmark::DoNotOptimize(Evaluate(fixture.program(), parsed, context));
  }
}

void HandBytes(benchmark::State& state, const Fixture& fixture) {
  Walk walk(fixture);
  HandReader reader;
  for (auto _ : state) {
    HandRequest request;
    const bool is_read = fixture.ReadByHand(reader, walk.Next(), request);
    benchmark::DoNotOptimize(is_read);
    benchmark::DoNotOptimize(fixture.DecideByHand(request));
  }
}

using Body = void (*)(benchmark::State&, const Fixture&);

benchmark::internal::Benchmark* Register(WorkloadKind kind, int32_t rule_count,
                                         absl::string_view form, Body body) {
  const std::string name =
      absl::StrCat(WorkloadName(kind), "/", rule_count, "/", form);
  // The fixture is made when a filter has let the benchmark run.
  return benchmark::RegisterBenchmark(
      name.c_str(), [kind, rule_count, body](benchmark::State& state) {
        body(state, FixtureOf(kind, rule_count));
      });
}

}  // namespace

void RegisterParsed(WorkloadKind kind, int32_t rule_count) {
  Register(kind, rule_count, "ours/parsed", OursParsed);
  Register(kind, rule_count, "hand/parsed", HandParsed);
}

void RegisterBytes(WorkloadKind kind, int32_t rule_count) {
  Register(kind, rule_count, "ours/bytes", OursBytes);
  Register(kind, rule_count, "hand/bytes", HandBytes);
}

void RegisterBatch(WorkloadKind kind, int32_t rule_count) {
  Register(kind, rule_count, "single/parsed", OursInOrder);
  Register(kind, rule_count, "batch/parsed", OursBatch);
}

void RegisterThreads(WorkloadKind kind, int32_t rule_count) {
  for (const int threads : {1, 2}) {
    Register(kind, rule_count, "ours/parsed", OursParsed)
        ->Threads(threads)
        ->UseRealTime();
    Register(kind, rule_count, "hand/parsed", HandParsed)
        ->Threads(threads)
        ->UseRealTime();
  }
}

int RunBenchmarks(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

}  // namespace sgl::bench
