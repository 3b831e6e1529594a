// The benchmarks that several questions share: one decision of a fixture, by
// the policy layer or by hand, from a parsed request or from a line's bytes.
//
// Names are WORKLOAD/RULES/ours/parsed and so on; `bench/run` sets `ours`
// against `hand` by them.

#ifndef BENCH_DECISIONS_H_
#define BENCH_DECISIONS_H_

#include <benchmark/benchmark.h>

#include <cstdint>

#include "bench/workloads.h"

namespace sgl::bench {

// Registers ours and hand from parsed requests.
void RegisterParsed(WorkloadKind kind, int32_t rule_count);

// Registers ours and hand from the bytes of request lines.
void RegisterBytes(WorkloadKind kind, int32_t rule_count);

// Registers ours from parsed requests, one at a time and by the batch.
void RegisterBatch(WorkloadKind kind, int32_t rule_count);

// Registers ours and hand from parsed requests, by one thread and by two that
// share the program, on the wall's clock.
void RegisterThreads(WorkloadKind kind, int32_t rule_count);

// Runs what was registered, with Google Benchmark's own flags, as main().
int RunBenchmarks(int argc, char** argv);

}  // namespace sgl::bench

#endif  // BENCH_DECISIONS_H_
