// What does compiling a policy cost as rules grow: time, the most memory while
// at it, and what the program keeps a rule?

#include <absl/strings/str_cat.h>
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>

#include "bench/decisions.h"
#include "bench/fixture.h"
#include "bench/heap_meter.h"
#include "bench/workloads.h"
#include "policy/policy.h"

namespace sgl::bench {
namespace {

constexpr double kMebibyte = 1 << 20;

void CompileOnce(benchmark::State& state, WorkloadKind kind,
                 int32_t rule_count) {
  const std::string policy = MakeWorkload(kind, rule_count).policy;
  HeapMeter::Start();
  std::shared_ptr<const Program> program = MustCompile(policy);
  HeapMeter::Stop();
  const int64_t kept = HeapMeter::LiveBytes();
  const int64_t peak = HeapMeter::PeakBytes();
  for (auto _ : state) {
    state.PauseTiming();
    program.reset();
    state.ResumeTiming();
    program = MustCompile(policy);
    benchmark::DoNotOptimize(program);
  }
  state.counters["peak_mib"] = static_cast<double>(peak) / kMebibyte;
  state.counters["program_mib"] = static_cast<double>(kept) / kMebibyte;
  state.counters["program_bytes_per_rule"] =
      static_cast<double>(kept) / static_cast<double>(rule_count);
}

}  // namespace
}  // namespace sgl::bench

int main(int argc, char** argv) {
  using sgl::bench::WorkloadKind;
  for (const WorkloadKind kind :
       {WorkloadKind::kScaled, WorkloadKind::kShared}) {
    for (const int32_t rules : {10, 100, 1'000, 10'000, 100'000}) {
      benchmark::RegisterBenchmark(absl::StrCat(sgl::bench::WorkloadName(kind),
                                                "/", rules, "/ours/compile")
                                       .c_str(),
                                   [kind, rules](benchmark::State& state) {
                                     sgl::bench::CompileOnce(state, kind,
                                                             rules);
                                   })
          ->Unit(benchmark::kMillisecond);
    }
  }
  return sgl::bench::RunBenchmarks(argc, argv);
}
