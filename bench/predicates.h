// Rules that ask one kind of question of one field, and requests that answer
// it: what an index costs for each kind of predicate.
//
// All rules are on one type. About three requests in four make some rule
// apply, seldom more than one.

#ifndef BENCH_PREDICATES_H_
#define BENCH_PREDICATES_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bench/workloads.h"

namespace sgl::bench {

enum class PredicateKind : uint8_t {
  kEquality,  // vendor == "..."
  kIn,        // vendor in {ten vendors}
  kRange,     // amount in $a..$b, none overlapping
  kBound,     // amount > $t, beyond most requests' amounts
  kPrefix,    // vendor starts_with "..."
  kRegex,     // memo matches /...[0-9]+/, unanchored
};

// Returns `equality` and so on.
absl::string_view PredicateName(PredicateKind kind);

struct PredicateWorkload {
  std::string policy;
  // The rules' patterns by their numbers, for kRegex; else empty.
  std::vector<std::string> patterns;
  // The texts that regexes search are the requests' vendors.
  std::vector<PlainRequest> requests;
};

PredicateWorkload MakePredicates(PredicateKind kind, int32_t rule_count);

}  // namespace sgl::bench

#endif  // BENCH_PREDICATES_H_
