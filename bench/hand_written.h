// The benchmarks' rules as a good engineer would write them in C++ by hand:
// the limit that the evaluator is measured against.
//
// It knows these rules and these requests only: no declared fields to
// validate, no faults, no layers, no texts. It reports what the evaluator
// reports, the decision and the numbers of all rules that gave it.

#ifndef BENCH_HAND_WRITTEN_H_
#define BENCH_HAND_WRITTEN_H_

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>
#include <simdjson.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "bench/workloads.h"
#include "policy/policy.h"

namespace sgl::bench {

// What the rules look at, as views into whatever was read.
struct HandRequest {
  absl::string_view type;
  absl::string_view actor;
  absl::string_view vendor;
  int64_t spend_micros = 0;
  int64_t amount_micros = 0;
  DataClass data_class = DataClass::kNone;
};

struct HandVerdict {
  DecisionKind kind = DecisionKind::kAllow;
  int32_t rule_count = 0;
  // Guardrail has four rules; in the other workloads, no two rules of a type
  // have a vendor in common.
  std::array<int32_t, 4> rules;
};

// Returns views into `plain`.
HandRequest HandRequestOf(const PlainRequest& plain);

// A few compares.
HandVerdict DecideGuardrail(const HandRequest& request);

// One rule, as small as it gets.
struct HandRule {
  int64_t amount_micros = 0;
  // The eight bytes, as memory holds them.
  uint64_t vendor_prefix = 0;
  int32_t number = 0;
  bool is_regex = false;
  bool is_block = false;
};

// Scaled and tested: a hash by type, with the type's one rule beside the key
// on one cache line. Immutable after construction.
class HandScaled {
 public:
  // REQUIRES: no two rules on one type.
  explicit HandScaled(const Workload& workload);

  HandVerdict Decide(const HandRequest& request) const;

 private:
  absl::flat_hash_map<std::string, HandRule> rules_;
};

// Shared: a hash by type and then one by type and prefix, which no two rules
// have in common. Immutable after construction.
class HandShared {
 public:
  explicit HandShared(const Workload& workload);

  HandVerdict Decide(const HandRequest& request) const;

 private:
  absl::flat_hash_map<std::string, uint32_t> types_;
  absl::flat_hash_map<std::pair<uint64_t, uint32_t>, HandRule> rules_;
};

// Reads request lines into just what the rules look at; all else is skipped
// unchecked. Confined to one thread; a request's views are valid until the
// next one is read.
class HandReader {
 public:
  // Returns whether the line could be read.
  bool ReadGuardrail(simdjson::padded_string_view line, HandRequest& request);
  bool ReadIndexed(simdjson::padded_string_view line, HandRequest& request);

 private:
  simdjson::ondemand::parser parser_;
};

}  // namespace sgl::bench

#endif  // BENCH_HAND_WRITTEN_H_
