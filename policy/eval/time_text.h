// Times and durations as text: RFC 3339 and SGL's own spelling, both as int64
// microseconds.

#ifndef POLICY_EVAL_TIME_TEXT_H_
#define POLICY_EVAL_TIME_TEXT_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sgl {

// Reads an RFC 3339 timestamp, `2026-01-31T09:00:00.5-06:00`, as microseconds
// since 1970. Nothing for any other text, for a time that does not exist, a
// leap second, and one with more than six decimals that count.
std::optional<int64_t> ReadTimestamp(absl::string_view text);

// Appends the time in UTC: `2026-01-31T15:00:00.5Z`.
void AppendTimestamp(int64_t micros, std::string* out);

// Reads a duration as SGL spells it, `24h` or `15m`, as microseconds. Nothing
// for any other text and for what int64 can't hold.
std::optional<int64_t> ReadDuration(absl::string_view text);

// Appends the duration in the largest of h, m, s that divides it (`168h`,
// `90s`, `0s`, `-5m`); parts of a second are decimals (`0.25s`).
void AppendDuration(int64_t micros, std::string* out);

}  // namespace sgl

#endif  // POLICY_EVAL_TIME_TEXT_H_
