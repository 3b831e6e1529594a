#include "bench/heap_meter.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace sgl::bench {
namespace {

constinit std::atomic<bool> g_is_counting = false;
constinit std::atomic<int64_t> g_live = 0;
constinit std::atomic<int64_t> g_peak = 0;

}  // namespace

int64_t HeapMeter::LiveBytes() { return g_live.load(); }
int64_t HeapMeter::PeakBytes() { return g_peak.load(); }

void HeapMeter::Start() {
  g_live = 0;
  g_peak = 0;
  g_is_counting = true;
}

void HeapMeter::Stop() { g_is_counting = false; }

namespace {

void* Counted(void* block) {
  if (block == nullptr) std::abort();
  if (!g_is_counting.load(std::memory_order_relaxed)) return block;
  const int64_t bytes = static_cast<int64_t>(malloc_usable_size(block));
  const int64_t live = g_live.fetch_add(bytes) + bytes;
  int64_t peak = g_peak.load();
  while (live > peak && !g_peak.compare_exchange_weak(peak, live)) {
  }
  return block;
}

void Release(void* block) {
  if (block == nullptr) return;
  if (g_is_counting.load(std::memory_order_relaxed)) {
    g_live.fetch_sub(static_cast<int64_t>(malloc_usable_size(block)));
  }
  std::free(block);
}

}  // namespace
}  // namespace sgl::bench

// Array, nothrow and sized forms go through these by default.
void* operator new(size_t size) {
  return sgl::bench::Counted(std::malloc(size == 0 ? 1 : size));
}

void* operator new(size_t size, std::align_val_t alignment) {
  const size_t bytes = static_cast<size_t>(alignment);
  return sgl::bench::Counted(
      std::aligned_alloc(bytes, (size + bytes - 1) / bytes * bytes));
}

void operator delete(void* block) noexcept { sgl::bench::Release(block); }

void operator delete(void* block, size_t) noexcept {
  sgl::bench::Release(block);
}

void operator delete(void* block, std::align_val_t) noexcept {
  sgl::bench::Release(block);
}

void operator delete(void* block, size_t, std::align_val_t) noexcept {
  sgl::bench::Release(block);
}
