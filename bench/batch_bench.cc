// What does a batch save a request against deciding one at a time, as replays
// and settlement do?

#include "bench/decisions.h"
#include "bench/workloads.h"

int main(int argc, char** argv) {
  using sgl::bench::WorkloadKind;
  sgl::bench::RegisterBatch(WorkloadKind::kGuardrail, 4);
  for (const int rules : {10'000, 100'000}) {
    sgl::bench::RegisterBatch(WorkloadKind::kScaled, rules);
    sgl::bench::RegisterBatch(WorkloadKind::kShared, rules);
  }
  return sgl::bench::RunBenchmarks(argc, argv);
}
