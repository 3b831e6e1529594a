// One policy, one request, two evaluators.

#ifndef TESTS_DIFFERENTIAL_PAIR_H_
#define TESTS_DIFFERENTIAL_PAIR_H_

#include <absl/strings/string_view.h>

#include <memory>
#include <span>
#include <string>

#include "policy/eval/reference/reference.h"
#include "policy/policy.h"

namespace sgl::tests {

// A policy set for both evaluators.
struct BothPolicies {
  // Both null where the sources have errors; `diagnostics` then says which.
  std::shared_ptr<const Program> program;
  std::unique_ptr<const ReferencePolicy> reference;
  std::string diagnostics;
};

BothPolicies CompileBoth(std::span<const SourceFile> sources);

// Decides the line by both. Returns an empty text where they agree, else in
// what they differ, with both decisions.
std::string CompareOnLine(const BothPolicies& policies, absl::string_view line);

// Returns a line's kind of outcome for statistics: the decision and its first
// code, or `ERROR`.
std::string OutcomeOnLine(const BothPolicies& policies, absl::string_view line);

}  // namespace sgl::tests

#endif  // TESTS_DIFFERENTIAL_PAIR_H_
