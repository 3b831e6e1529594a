// Proves that requests are read fast as they are read exactly, on random lines
// by random policies, and on the same lines with bytes changed.

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <iostream>
#include <string>

#include "policy/eval/facts_difference.h"
#include "tests/differential/pair.h"
#include "tests/differential/policy_generator.h"
#include "tests/differential/random.h"
#include "tests/differential/request_generator.h"

namespace sgl::tests {
namespace {

constexpr uint64_t kPolicies = 300;
constexpr int kLinesPerPolicy = 20;
constexpr int kMutationsPerLine = 4;

std::string Mutate(Random& random, std::string line) {
  static constexpr absl::string_view kBytes = "{}[],:\"\\ u019-.eN\n\x80";
  const size_t at = random.Below(line.size());
  switch (random.Below(3)) {
    case 0:
      line[at] = kBytes[random.Below(kBytes.size())];
      return line;
    case 1:
      return line.erase(at, 1);
    default:
      return line.insert(at, line.substr(at, 1 + random.Below(20)));
  }
}

TEST(ReadersTest, AgreeOnGeneratedAndMutatedLines) {
  int64_t line_count = 0;
  int64_t fast_count = 0;
  for (uint64_t seed = 1; seed <= kPolicies; ++seed) {
    Random random(seed);
    const GeneratedPolicy policy = GeneratePolicy(random);
    const BothPolicies both = CompileBoth(policy.Sources());
    ASSERT_NE(both.program, nullptr) << both.diagnostics;
    ReaderPair readers(both.program->compiled());
    for (int i = 0; i < kLinesPerPolicy; ++i) {
      const std::string line = GenerateRequestLine(random, policy.schema);
      ASSERT_EQ(readers.Difference(line), "")
          << "seed " << seed << ": " << line;
      ++line_count;
      if (readers.was_fast()) ++fast_count;
      for (int j = 0; j < kMutationsPerLine; ++j) {
        const std::string mutated = Mutate(random, line);
        ASSERT_EQ(readers.Difference(mutated), "")
            << "seed " << seed << ": " << mutated;
      }
    }
  }
  std::cout << fast_count << " of " << line_count << " lines read fast\n";
  EXPECT_GT(fast_count, line_count / 4);
}

}  // namespace
}  // namespace sgl::tests
