// Counts the heap that C++ code takes: linking it replaces operator new and
// delete of the whole program by ones that count, libraries included. For
// benchmarks of memory only, since counting costs time.

#ifndef BENCH_HEAP_METER_H_
#define BENCH_HEAP_METER_H_

#include <cstdint>

namespace sgl::bench {

// Thread-safe; all threads together.
struct HeapMeter {
  // Returns the bytes taken and not given back, as the allocator rounds them.
  static int64_t LiveBytes();

  // Returns the most that LiveBytes was since ResetPeak.
  static int64_t PeakBytes();
  static void ResetPeak();
};

}  // namespace sgl::bench

#endif  // BENCH_HEAP_METER_H_
