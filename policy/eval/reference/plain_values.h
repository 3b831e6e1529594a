// The reference evaluator's own numbers, times and URLs: digit strings and
// 128-bit integers, written from the language's description.
//
// Internal to the reference evaluator and its tests.

#ifndef POLICY_EVAL_REFERENCE_PLAIN_VALUES_H_
#define POLICY_EVAL_REFERENCE_PLAIN_VALUES_H_

#include <absl/numeric/int128.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sgl::reference {

// Returns a JSON number as an integer of 10^-decimals. Nothing where it is not
// exactly one, unless `rounds`: then half to even; nor where int64 can't hold
// it.
std::optional<int64_t> NumberFromJson(absl::string_view number, int decimals,
                                      bool rounds);

// Returns the value where int64 holds it.
std::optional<int64_t> Narrow(absl::int128 value);

// Returns dividend / 10^9, half to even.
absl::int128 DivideByBillion(absl::int128 dividend);

// Microseconds since 1970 of an RFC 3339 time, and those of a duration such as
// `24h`; nothing for any other text.
std::optional<int64_t> TimeFromText(absl::string_view text);
std::optional<int64_t> DurationFromText(absl::string_view text);

// What messages show.
std::string DecimalText(int64_t billionths);
std::string UsdText(int64_t millionths);
std::string TimeText(int64_t micros);
std::string DurationText(int64_t micros);

// Hour of the day, and weekday with Monday as 1, that clocks of the zone show.
int64_t HourIn(int64_t micros, const absl::TimeZone& zone);
int64_t WeekdayIn(int64_t micros, const absl::TimeZone& zone);

// Returns what `domain` gives; nothing where it is a fault.
std::optional<std::string> HostOf(absl::string_view url);

}  // namespace sgl::reference

#endif  // POLICY_EVAL_REFERENCE_PLAIN_VALUES_H_
