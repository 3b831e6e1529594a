// The deployment's map: where an intent that came by plain SQL keeps its
// spend, data class and requester inside the payload.
//
//   const MappedFacts facts = MapPayload(R"({"spendUsd": 12.5})");
//   // facts.spend_micros_usd == 12'500'000
//
// Strict: what is there but does not fit is a violation, which makes the
// decision INVALID_PAYLOAD. It never counts as 0 or NONE.

#ifndef ENGINE_PAYLOAD_MAP_H_
#define ENGINE_PAYLOAD_MAP_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace sgl::engine {

// What the payload says. A field that is missing or null is unset.
struct MappedFacts {
  std::optional<int64_t> spend_micros_usd;
  std::optional<DataClass> data_class;
  std::optional<std::string> requested_by;
  // What is there and does not fit, by its path from `payload`.
  std::vector<FieldViolation> violations;
};

// Longer requesters are violations, as they are over gRPC (characters).
inline constexpr size_t kRequestedByMax = 200;

// Reads `spendUsd`, `dataClass` and `requestedBy` of the payload's top level.
// REQUIRES: the payload passed CheckPayloadBounds.
MappedFacts MapPayload(absl::string_view payload);

// Returns the amount of a JSON number in millionths of a dollar: exactly, or
// not at all where it has more than 6 decimals or does not fit. `5.0000000`
// is 5'000'000, `1e2` is 100'000'000.
std::optional<int64_t> MicrosOfJsonNumber(absl::string_view number);

}  // namespace sgl::engine

#endif  // ENGINE_PAYLOAD_MAP_H_
