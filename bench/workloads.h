// The rules and requests that the benchmarks run: made by a fixed rule from a
// fixed seed, so that two runs, and two evaluators, work on the same.
//
//   const Workload workload = MakeWorkload(WorkloadKind::kScaled, 10'000);
//   Compile({{{"scaled.sgl", workload.policy}}}, Zones());
//   for (const PlainRequest& request : workload.requests) ...
//
// *guardrail*: four rules on actor, type, data class and spend, as a team
// writes them first. *scaled*: N rules, each on its own type, bounding an
// amount and a vendor. *shared*: the same rules on 50 types, so that an index
// by type alone does not help. *tested*: scaled, with the type compared in the
// condition and not named by `on`.
//
// Rules alternate: an even one asks for a prefix of the vendor, an odd one for
// a regex behind such a prefix. Every fourth request applies to no rule's
// type; of the others some fail by amount, some by vendor.

#ifndef BENCH_WORKLOADS_H_
#define BENCH_WORKLOADS_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace sgl::bench {

enum class WorkloadKind : uint8_t { kGuardrail, kScaled, kShared, kTested };

// Returns `guardrail`, `scaled`, `shared` or `tested`.
absl::string_view WorkloadName(WorkloadKind kind);

// One rule of scaled, shared and tested, for those who write it in another
// language or by hand.
struct PlainRule {
  std::string type;
  // Applies above it.
  int64_t amount_micros = 0;
  // Eight bytes, no two rules alike: `V000017-`. The vendor starts with it.
  std::string vendor_prefix;
  // Then two letters A-Z and a digit follow it: `^V000017-[A-Z][A-Z][0-9]`.
  bool is_regex = false;
  // Else a review.
  bool is_block = false;
};

// A request as plain values, and the same as JSON. Owns its text.
struct PlainRequest {
  std::string type;
  std::string actor;
  int64_t spend_micros = 0;
  DataClass data_class = DataClass::kNone;
  // Of the payload; guardrail has none of the two.
  int64_t amount_micros = 0;
  std::string vendor;
  // A JSON object.
  std::string payload;
  // A request line, as `sgl eval` reads them.
  std::string line;
};

struct Workload {
  WorkloadKind kind = WorkloadKind::kGuardrail;
  // SGL, one file.
  std::string policy;
  // Guardrail's are not listed; see kGuardrailRegulated.
  std::vector<PlainRule> rules;
  std::vector<PlainRequest> requests;
};

// Guardrail's regulated set.
inline constexpr absl::string_view kGuardrailRegulated[] = {
    "GOV_FILING_IRS", "BANK_TRANSFER", "CRYPTO_TRADE_EXECUTE",
    "CONTRACT_SIGN",  "PAYROLL_RUN",   "INSURANCE_CLAIM"};

// Guardrail's rules, by their places in the policy.
inline constexpr int32_t kOnlyAtlasExecutes = 0;
inline constexpr int32_t kRegulatedAction = 1;
inline constexpr int32_t kPhiPresent = 2;
inline constexpr int32_t kSpendThreshold = 3;

// Types of shared.
inline constexpr int32_t kSharedTypes = 50;

// Returns the workload; the rule count of guardrail is four whatever is asked.
// REQUIRES: rule_count is between 1 and 1,000,000.
Workload MakeWorkload(WorkloadKind kind, int32_t rule_count);

// Returns the request that the values give, with views into `plain`.
Request RequestOf(const PlainRequest& plain);

}  // namespace sgl::bench

#endif  // BENCH_WORKLOADS_H_
