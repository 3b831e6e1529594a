// Proves that the compiled program and the reference evaluator decide alike,
// on random policies and random requests. Every pair comes from a seed that is
// printed where they differ, with the policy reduced to the items that matter:
//
//   bazel run //tests/differential:differential_test -- --pairs 2000000
//   bazel run //tests/differential:differential_test -- --seed 77 --pairs 20

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "tests/differential/pair.h"
#include "tests/differential/policy_generator.h"
#include "tests/differential/random.h"
#include "tests/differential/request_generator.h"

namespace sgl::tests {
namespace {

// Requests for each policy; what one seed makes.
constexpr int64_t kRequestsPerPolicy = 20;
// Enough to see a pattern; the rest would be the same mistake.
constexpr int kFailuresMax = 5;

int64_t pair_count = 20'000;
uint64_t first_seed = 1;

// Drops items for as long as the evaluators still differ on the line.
GeneratedPolicy Shrink(GeneratedPolicy policy, const std::string& line) {
  bool is_smaller = true;
  while (is_smaller) {
    is_smaller = false;
    for (size_t file = 0; file < policy.files.size(); ++file) {
      for (size_t item = policy.files[file].items.size(); item-- > 0;) {
        GeneratedPolicy without = policy;
        auto& items = without.files[file].items;
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(item));
        const BothPolicies both = CompileBoth(without.Sources());
        if (both.program == nullptr) continue;
        if (CompareOnLine(both, line).empty()) continue;
        policy = without;
        is_smaller = true;
      }
    }
  }
  return policy;
}

std::string Describe(const GeneratedPolicy& policy) {
  std::string text;
  for (const SourceFile& source : policy.Sources()) {
    absl::StrAppend(&text, "---- ", source.name, "\n", source.text);
  }
  return text;
}

// Returns how many of the policy's requests were decided differently.
int RunPolicy(uint64_t seed, std::map<std::string, int64_t>* outcomes) {
  Random random(seed);
  const GeneratedPolicy policy = GeneratePolicy(random);
  const BothPolicies both = CompileBoth(policy.Sources());
  if (both.program == nullptr) {
    ADD_FAILURE() << "--seed " << seed << ": a policy that is well-typed by "
                  << "construction does not compile\n"
                  << both.diagnostics << Describe(policy);
    return 1;
  }
  for (int64_t i = 0; i < kRequestsPerPolicy; ++i) {
    const std::string line = GenerateRequestLine(random, policy.schema);
    ++(*outcomes)[OutcomeOnLine(both, line)];
    if (CompareOnLine(both, line).empty()) continue;
    const GeneratedPolicy small = Shrink(policy, line);
    ADD_FAILURE() << "--seed " << seed << " --pairs " << kRequestsPerPolicy
                  << ", request " << i << ": "
                  << CompareOnLine(CompileBoth(small.Sources()), line)
                  << "---- the request\n"
                  << line << "\n"
                  << Describe(small);
    return 1;
  }
  return 0;
}

TEST(DifferentialTest, ProgramAndReferenceDecideAlike) {
  std::cout << "--seed " << first_seed << " --pairs " << pair_count << "\n";
  const uint64_t policy_count = static_cast<uint64_t>(
      (pair_count + kRequestsPerPolicy - 1) / kRequestsPerPolicy);
  std::map<std::string, int64_t> outcomes;
  int failures = 0;
  for (uint64_t i = 0; i < policy_count && failures < kFailuresMax; ++i) {
    failures += RunPolicy(first_seed + i, &outcomes);
  }
  int64_t compared = 0;
  for (const auto& [outcome, count] : outcomes) {
    std::cout << "  " << outcome << ": " << count << "\n";
    compared += count;
  }
  std::cout << "compared " << compared << " pairs\n";
  if (pair_count < 20'000 || failures > 0) return;
  // Every kind of outcome was met often, so that agreement means something.
  for (const char* outcome :
       {"ALLOW ", "ALLOW a rule", "REVIEW a rule", "REVIEW DEFAULT",
        "BLOCK a rule", "BLOCK DEFAULT", "BLOCK EVALUATION_FAULT",
        "BLOCK INVALID_PAYLOAD", "BLOCK UNKNOWN_INTENT_TYPE", "ERROR"}) {
    EXPECT_GE(outcomes[outcome], compared / 500) << outcome;
  }
}

}  // namespace
}  // namespace sgl::tests

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    bool is_good = false;
    if (flag == "--pairs") {
      is_good = absl::SimpleAtoi(argv[i + 1], &sgl::tests::pair_count);
    }
    if (flag == "--seed") {
      is_good = absl::SimpleAtoi(argv[i + 1], &sgl::tests::first_seed);
    }
    if (!is_good) {
      std::cerr << "flags: --pairs N --seed S\n";
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
