// The program held against itself: the index must change no decision.
//
// Requests are made from the program's own constants. Each rule's tests are
// met first, so that the rule applies; then one value after the other is moved
// to its constant's neighbours, or is left out. Each request is decided by the
// index and by looking at every rule, and both must say the same.
//
// Internal to the policy layer.

#ifndef POLICY_EVAL_SELF_CHECK_H_
#define POLICY_EVAL_SELF_CHECK_H_

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <optional>
#include <string>

#include "policy/compile/program.h"

namespace sgl {

// Rules that the check of a program that is being compiled looks at: some tens
// of milliseconds. `sgl check --verify` looks at all.
inline constexpr int64_t kSelfCheckRuleRunsMax = 200'000;

// A request that is decided differently with the index.
struct IndexFault {
  // The rule that only one of the two found.
  int32_t rule = 0;
  // `BANK_TRANSFER with payload.amount = $250, agent.name = "x"`.
  std::string request;
};

struct SelfCheckOptions {
  // Rules that may be looked at in all, which bounds the time. Where not every
  // request has room, rules are drawn at random.
  int64_t rule_runs_max = INT64_MAX;
  // The same program is checked the same way each time.
  uint64_t seed = 1;
};

// Returns the first request that the two decide differently, if any. Calls
// `progress` now and then with the rules checked and those to check.
std::optional<IndexFault> CheckIndex(
    const DecisionProgram& program, const SelfCheckOptions& options,
    absl::FunctionRef<void(int64_t, int64_t)> progress);

// Returns an error for people, which names the rule and the request.
std::string IndexFaultText(const DecisionProgram& program,
                           const IndexFault& fault);

}  // namespace sgl

#endif  // POLICY_EVAL_SELF_CHECK_H_
