// A seeded source of choices: one seed gives the same choices everywhere.

#ifndef TESTS_DIFFERENTIAL_RANDOM_H_
#define TESTS_DIFFERENTIAL_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace sgl::tests {

// Confined to one generator at a time.
class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}

  // Returns one of 0..count-1. REQUIRES: count > 0. (The library's
  // distributions differ between implementations.)
  size_t Below(size_t count) { return engine_() % count; }

  // Returns low..high, both inclusive.
  int Between(int low, int high) {
    return low + static_cast<int>(Below(static_cast<size_t>(high - low + 1)));
  }

  bool Chance(int percent) { return Below(100) < static_cast<size_t>(percent); }

  template <typename T>
  const T& Pick(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace sgl::tests

#endif  // TESTS_DIFFERENTIAL_RANDOM_H_
