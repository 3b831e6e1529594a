// Do two threads that share one program decide twice as many requests in the
// same time? The hand-written index, which shares nothing that is written,
// says what the machine itself allows.

#include "bench/decisions.h"
#include "bench/workloads.h"

int main(int argc, char** argv) {
  using sgl::bench::WorkloadKind;
  sgl::bench::RegisterThreads(WorkloadKind::kGuardrail, 4);
  sgl::bench::RegisterThreads(WorkloadKind::kScaled, 10'000);
  sgl::bench::RegisterThreads(WorkloadKind::kShared, 10'000);
  return sgl::bench::RunBenchmarks(argc, argv);
}
