// Counts the heap that C++ code takes: linking it replaces operator new and
// delete of the whole program by ones that count, libraries included, between
// Start and Stop, since counting costs time.

#ifndef BENCH_HEAP_METER_H_
#define BENCH_HEAP_METER_H_

#include <cstdint>

namespace sgl::bench {

// Thread-safe; all threads together.
struct HeapMeter {
  static void Start();
  static void Stop();

  // Returns the bytes taken and not given back since Start, as the allocator
  // rounds them, and the most that these were. What was taken before and is
  // given back since counts against them.
  static int64_t LiveBytes();
  static int64_t PeakBytes();
};

}  // namespace sgl::bench

#endif  // BENCH_HEAP_METER_H_
