#include "policy/eval/time_text.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include "policy/eval/exact.h"

namespace sgl {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

// Takes exactly `count` digits off the front. Returns -1 where they are none.
int64_t TakeDigits(absl::string_view* text, size_t count) {
  if (text->size() < count) return -1;
  int64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!absl::ascii_isdigit((*text)[i])) return -1;
    value = value * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(count);
  return value;
}

// Takes one character of `allowed` off the front.
bool TakeOneOf(absl::string_view* text, absl::string_view allowed) {
  if (text->empty() || allowed.find(text->front()) == absl::string_view::npos) {
    return false;
  }
  text->remove_prefix(1);
  return true;
}

// Takes `.` and digits off the front, if there, as microseconds; -1 where
// they are broken or finer than a microsecond.
int64_t TakeFraction(absl::string_view* text) {
  if (!TakeOneOf(text, ".")) return 0;
  int64_t micros = 0;
  int places = 0;
  for (; !text->empty() && absl::ascii_isdigit(text->front()); ++places) {
    const int digit = text->front() - '0';
    if (places >= 6 && digit != 0) return -1;
    if (places < 6) micros = micros * 10 + digit;
    text->remove_prefix(1);
  }
  if (places == 0) return -1;
  for (; places < 6; ++places) micros *= 10;
  return micros;
}

// Takes `Z` or an offset off the front, as microseconds east.
std::optional<int64_t> TakeOffset(absl::string_view* text) {
  if (TakeOneOf(text, "Zz")) return 0;
  const bool is_west = !text->empty() && text->front() == '-';
  if (!TakeOneOf(text, "+-")) return std::nullopt;
  const int64_t hours = TakeDigits(text, 2);
  if (!TakeOneOf(text, ":")) return std::nullopt;
  const int64_t minutes = TakeDigits(text, 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
    return std::nullopt;
  }
  const int64_t offset = hours * kHour + minutes * kMinute;
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<int64_t> ReadTimestamp(absl::string_view text) {
  const int64_t year = TakeDigits(&text, 4);
  if (year < 0 || !TakeOneOf(&text, "-")) return std::nullopt;
  const int64_t month = TakeDigits(&text, 2);
  if (month < 0 || !TakeOneOf(&text, "-")) return std::nullopt;
  const int64_t day = TakeDigits(&text, 2);
  if (day < 0 || !TakeOneOf(&text, "Tt")) return std::nullopt;
  const int64_t hour = TakeDigits(&text, 2);
  if (hour < 0 || hour > 23 || !TakeOneOf(&text, ":")) return std::nullopt;
  const int64_t minute = TakeDigits(&text, 2);
  if (minute < 0 || minute > 59 || !TakeOneOf(&text, ":")) return std::nullopt;
  const int64_t second = TakeDigits(&text, 2);
  if (second < 0 || second > 59) return std::nullopt;
  const int64_t fraction = TakeFraction(&text);
  if (fraction < 0) return std::nullopt;
  const std::optional<int64_t> offset = TakeOffset(&text);
  if (!offset.has_value() || !text.empty()) return std::nullopt;
  const absl::CivilDay civil(year, month, day);
  if (civil.month() != month || civil.day() != day) return std::nullopt;
  const int64_t days = civil - absl::CivilDay(1970, 1, 1);
  return days * kDay + hour * kHour + minute * kMinute + second * kSecond +
         fraction - *offset;
}

void AppendTimestamp(int64_t micros, std::string* out) {
  const absl::Time time = absl::FromUnixMicros(micros);
  out->append(
      absl::FormatTime("%E4Y-%m-%d%ET%H:%M:%E*S", time, absl::UTCTimeZone()));
  out->push_back('Z');
}

std::optional<int64_t> ReadDuration(absl::string_view text) {
  if (text.size() < 2) return std::nullopt;
  int64_t unit = 0;
  switch (text.back()) {
    case 's':
      unit = kSecond;
      break;
    case 'm':
      unit = kMinute;
      break;
    case 'h':
      unit = kHour;
      break;
    case 'd':
      unit = kDay;
      break;
    default:
      return std::nullopt;
  }
  text.remove_suffix(1);
  // As in a rule, a number has no extra leading zero.
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  for (const char c : text) {
    if (!absl::ascii_isdigit(c)) return std::nullopt;
  }
  int64_t count = 0;
  if (ReadNumber(text, 0, Decimals::kExact, &count) != NumberFit::kFits) {
    return std::nullopt;
  }
  return CheckedMultiply(count, unit);
}

void AppendDuration(int64_t micros, std::string* out) {
  if (micros != 0 && micros % kHour == 0) {
    absl::StrAppend(out, micros / kHour, "h");
  } else if (micros != 0 && micros % kMinute == 0) {
    absl::StrAppend(out, micros / kMinute, "m");
  } else if (micros % kSecond == 0) {
    absl::StrAppend(out, micros / kSecond, "s");
  } else {
    std::string fraction = absl::StrFormat("%06d", std::abs(micros % kSecond));
    fraction.erase(fraction.find_last_not_of('0') + 1);
    absl::StrAppend(out, micros < 0 ? "-" : "", std::abs(micros / kSecond), ".",
                    fraction, "s");
  }
}

}  // namespace sgl
