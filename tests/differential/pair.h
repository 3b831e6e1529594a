// One policy, one request, three ways to decide: by the index, by the program's
// plain scan of all rules, and by the reference.

#ifndef TESTS_DIFFERENTIAL_PAIR_H_
#define TESTS_DIFFERENTIAL_PAIR_H_

#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policy/eval/reference/reference.h"
#include "policy/policy.h"

namespace sgl::tests {

// The plainest books of what limits counted: every entry, looked at each time.
class PlainBooks : public LimitTotals {
 public:
  std::optional<int64_t> Total(const LimitDraw& draw,
                               absl::Time now) const override;
  void Count(const std::vector<LimitDraw>& draws, absl::Time now);

 private:
  std::vector<std::pair<absl::Time, LimitDraw>> entries_;
};

// A policy set for both evaluators.
struct BothPolicies {
  // Both null where the sources have errors; `diagnostics` then says which.
  std::shared_ptr<const Program> program;
  std::unique_ptr<const ReferencePolicy> reference;
  std::string diagnostics;
  // What limits counted of the lines compared so far.
  std::shared_ptr<PlainBooks> books;
  std::shared_ptr<LimitLedger> ledger;
  // Used again for every line, as an engine does.
  std::shared_ptr<EvaluationContext> indexed;
  std::shared_ptr<EvaluationContext> plain;
};

BothPolicies CompileBoth(std::span<const SourceFile> sources);

// Decides the line by all, limits counting what the lines before it were
// allowed; the program keeps books of its own kind. Returns an empty text where
// they agree, else in what they differ, with both decisions.
std::string CompareOnLine(const BothPolicies& policies, absl::string_view line);

// Returns a line's kind of outcome for statistics: the decision and its first
// code, or `ERROR`.
std::string OutcomeOnLine(const BothPolicies& policies, absl::string_view line);

}  // namespace sgl::tests

#endif  // TESTS_DIFFERENTIAL_PAIR_H_
