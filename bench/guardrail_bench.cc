// What does a decision by the four rules of a first policy cost, from a parsed
// request and from the bytes of a request line, against a few compares written
// by hand?

#include "bench/decisions.h"
#include "bench/workloads.h"

int main(int argc, char** argv) {
  using sgl::bench::WorkloadKind;
  sgl::bench::RegisterParsed(WorkloadKind::kGuardrail, 4);
  sgl::bench::RegisterBytes(WorkloadKind::kGuardrail, 4);
  return sgl::bench::RunBenchmarks(argc, argv);
}
