// RFC 3339 text to microseconds, exactly or not at all.

#ifndef POLICY_LEX_TIMESTAMP_H_
#define POLICY_LEX_TIMESTAMP_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>

namespace sgl {

// Returns the microseconds since 1970-01-01T00:00:00Z that a text like
// `2026-01-31T00:00:00Z` or `2026-01-31T00:00:00.250+02:00` names. Nothing for
// any other text: a day that doesn't exist, a leap second, more than 6
// fractional digits, a missing zone.
std::optional<int64_t> ParseTimestamp(absl::string_view text);

}  // namespace sgl

#endif  // POLICY_LEX_TIMESTAMP_H_
