// How does the cost of a decision grow with the number of rules, each on its
// own type (scaled), on a few types (shared), and on types that conditions
// compare (tested), against the best index written by hand?

#include "bench/decisions.h"
#include "bench/workloads.h"

int main(int argc, char** argv) {
  using sgl::bench::WorkloadKind;
  for (const WorkloadKind kind :
       {WorkloadKind::kScaled, WorkloadKind::kShared}) {
    for (const int rules : {10, 100, 1'000, 10'000, 100'000}) {
      sgl::bench::RegisterParsed(kind, rules);
    }
    sgl::bench::RegisterBytes(kind, 10'000);
  }
  sgl::bench::RegisterParsed(WorkloadKind::kTested, 10'000);
  return sgl::bench::RunBenchmarks(argc, argv);
}
