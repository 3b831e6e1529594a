#include "policy/eval/reference/plain_values.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace sgl::reference {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400;

bool AllDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isdigit(c); });
}

int64_t FloorDivide(int64_t dividend, int64_t divisor) {
  const int64_t quotient = dividend / divisor;
  return dividend % divisor < 0 ? quotient - 1 : quotient;
}

bool IsLeapYear(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int DaysInMonth(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[month - 1];
}

// Days from 1970-01-01, counted year by year and month by month.
int64_t DaysSince1970(int year, int month, int day) {
  int64_t days = 0;
  for (int y = 1970; y < year; ++y) days += IsLeapYear(y) ? 366 : 365;
  for (int y = year; y < 1970; ++y) days -= IsLeapYear(y) ? 366 : 365;
  for (int m = 1; m < month; ++m) days += DaysInMonth(year, m);
  return days + day - 1;
}

// The digits of an absolute value, at least `width` of them.
std::string Digits(absl::int128 value, size_t width) {
  std::string digits;
  for (absl::int128 rest = value < 0 ? -value : value; rest != 0; rest /= 10) {
    digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
  }
  while (digits.size() < width) digits.push_back('0');
  std::reverse(digits.begin(), digits.end());
  return digits;
}

struct Fixed {
  std::string whole;
  std::string fraction;  // without trailing zeros
};

Fixed SplitFixed(int64_t value, size_t decimals) {
  const std::string digits = Digits(value, decimals + 1);
  Fixed fixed;
  fixed.whole = digits.substr(0, digits.size() - decimals);
  fixed.fraction = digits.substr(digits.size() - decimals);
  while (!fixed.fraction.empty() && fixed.fraction.back() == '0') {
    fixed.fraction.pop_back();
  }
  return fixed;
}

// Takes `width` digits off the front.
std::optional<int> TakeNumber(absl::string_view* text, size_t width) {
  if (text->size() < width || !AllDigits(text->substr(0, width))) {
    return std::nullopt;
  }
  int number = 0;
  if (!absl::SimpleAtoi(text->substr(0, width), &number)) return std::nullopt;
  text->remove_prefix(width);
  return number;
}

bool TakeOneOf(absl::string_view* text, absl::string_view choices) {
  if (text->empty() || choices.find(text->front()) == choices.npos) {
    return false;
  }
  text->remove_prefix(1);
  return true;
}

// Takes `.123456` off the front: its microseconds. Decimals behind the sixth
// must be zeros. Nothing taken is zero.
std::optional<int64_t> TakeFraction(absl::string_view* text) {
  if (!absl::ConsumePrefix(text, ".")) return 0;
  std::string digits;
  while (!text->empty() && absl::ascii_isdigit(text->front())) {
    digits.push_back(text->front());
    text->remove_prefix(1);
  }
  if (digits.empty()) return std::nullopt;
  while (digits.size() < 6) digits.push_back('0');
  if (digits.find_first_not_of('0', 6) != std::string::npos) {
    return std::nullopt;
  }
  return std::stoll(digits.substr(0, 6));
}

// Takes a UTC offset that must be all of the text: its seconds.
std::optional<int64_t> TakeOffset(absl::string_view text) {
  if (text == "Z" || text == "z") return 0;
  const bool is_west = !text.empty() && text.front() == '-';
  if (!TakeOneOf(&text, "+-")) return std::nullopt;
  const std::optional<int> hours = TakeNumber(&text, 2);
  if (!hours.has_value() || !TakeOneOf(&text, ":")) return std::nullopt;
  const std::optional<int> minutes = TakeNumber(&text, 2);
  if (!minutes.has_value() || !text.empty()) return std::nullopt;
  if (*hours > 23 || *minutes > 59) return std::nullopt;
  const int64_t seconds = *hours * 3600 + *minutes * 60;
  return is_west ? -seconds : seconds;
}

int64_t LocalSeconds(int64_t micros, const absl::TimeZone& zone) {
  const int offset = zone.At(absl::FromUnixMicros(micros)).offset;
  return FloorDivide(micros, kSecond) + offset;
}

bool IsHostCharacter(char c) {
  return absl::ascii_isalnum(c) ||
         absl::string_view("-._~!$&'()*+,;=").find(c) !=
             absl::string_view::npos;
}

// Whether the text, which follows a host, is nothing or a port.
bool IsPort(absl::string_view text) {
  return text.empty() || (text.front() == ':' && AllDigits(text.substr(1)));
}

std::optional<std::string> BracketedHost(absl::string_view host_and_port) {
  const size_t close = host_and_port.find(']');
  if (close == absl::string_view::npos || close == 1) return std::nullopt;
  const absl::string_view inside = host_and_port.substr(1, close - 1);
  for (const char c : inside) {
    if (c != ':' && !IsHostCharacter(c)) return std::nullopt;
  }
  if (!IsPort(host_and_port.substr(close + 1))) return std::nullopt;
  return absl::AsciiStrToLower(host_and_port.substr(0, close + 1));
}

}  // namespace

std::optional<int64_t> NumberFromJson(absl::string_view number, int decimals,
                                      bool rounds) {
  const bool is_negative = absl::ConsumePrefix(&number, "-");
  // The value is 0.DIGITS times ten to the power of `point`.
  const size_t e = number.find_first_of("eE");
  int64_t exponent = 0;
  if (e != absl::string_view::npos) {
    absl::string_view power = number.substr(e + 1);
    const bool is_small = absl::ConsumePrefix(&power, "-");
    if (!is_small) absl::ConsumePrefix(&power, "+");
    // What int64 can't hold is cut to its end, which is far enough.
    (void)absl::SimpleAtoi(power, &exponent);
    exponent = std::min<int64_t>(exponent, int64_t{1} << 40);
    if (is_small) exponent = -exponent;
  }
  const std::vector<std::string> parts =
      absl::StrSplit(number.substr(0, e), '.');
  std::string digits = parts[0] + (parts.size() > 1 ? parts[1] : "");
  int64_t point = static_cast<int64_t>(parts[0].size()) + exponent + decimals;
  while (!digits.empty() && digits.front() == '0') {
    digits.erase(0, 1);
    --point;
  }
  while (!digits.empty() && digits.back() == '0') digits.pop_back();
  if (digits.empty()) return 0;
  if (point > 19) return std::nullopt;

  std::string whole;
  for (int64_t i = 0; i < point; ++i) {
    const size_t at = static_cast<size_t>(i);
    whole.push_back(at < digits.size() ? digits[at] : '0');
  }
  std::string fraction;
  if (point < -1) {
    fraction = "01";  // less than a tenth, and not zero
  } else {
    fraction = point < 0 ? "0" + digits
                         : digits.substr(std::min(digits.size(),
                                                  static_cast<size_t>(point)));
  }
  absl::int128 value = 0;
  for (const char c : whole) value = value * 10 + (c - '0');
  if (!fraction.empty()) {
    if (!rounds) return std::nullopt;
    const bool is_half = fraction == "5";
    const bool is_more = !is_half && fraction >= "5";
    if (is_more || (is_half && value % 2 != 0)) value += 1;
  }
  return Narrow(is_negative ? -value : value);
}

std::optional<int64_t> Narrow(absl::int128 value) {
  if (value > std::numeric_limits<int64_t>::max()) return std::nullopt;
  if (value < std::numeric_limits<int64_t>::min()) return std::nullopt;
  return static_cast<int64_t>(value);
}

absl::int128 DivideByBillion(absl::int128 dividend) {
  const absl::int128 kBillion = 1'000'000'000;
  absl::int128 quotient = dividend / kBillion;
  absl::int128 rest = dividend % kBillion;
  // Towards the floor, so that the rest is not negative.
  if (rest < 0) {
    quotient -= 1;
    rest += kBillion;
  }
  if (rest * 2 > kBillion) return quotient + 1;
  if (rest * 2 == kBillion && quotient % 2 != 0) return quotient + 1;
  return quotient;
}

std::optional<int64_t> TimeFromText(absl::string_view text) {
  const auto year = TakeNumber(&text, 4);
  if (!year.has_value() || !TakeOneOf(&text, "-")) return std::nullopt;
  const auto month = TakeNumber(&text, 2);
  if (!month.has_value() || !TakeOneOf(&text, "-")) return std::nullopt;
  const auto day = TakeNumber(&text, 2);
  if (!day.has_value() || !TakeOneOf(&text, "Tt")) return std::nullopt;
  const auto hour = TakeNumber(&text, 2);
  if (!hour.has_value() || !TakeOneOf(&text, ":")) return std::nullopt;
  const auto minute = TakeNumber(&text, 2);
  if (!minute.has_value() || !TakeOneOf(&text, ":")) return std::nullopt;
  const auto second = TakeNumber(&text, 2);
  if (!second.has_value()) return std::nullopt;
  const auto micros = TakeFraction(&text);
  if (!micros.has_value()) return std::nullopt;
  const auto offset = TakeOffset(text);
  if (!offset.has_value()) return std::nullopt;
  if (*month < 1 || *month > 12 || *day < 1 ||
      *day > DaysInMonth(*year, *month) || *hour > 23 || *minute > 59 ||
      *second > 59) {
    return std::nullopt;
  }
  const int64_t seconds = DaysSince1970(*year, *month, *day) * kDay +
                          *hour * 3600 + *minute * 60 + *second - *offset;
  return seconds * kSecond + *micros;
}

std::optional<int64_t> DurationFromText(absl::string_view text) {
  if (text.size() < 2) return std::nullopt;
  int64_t unit = 0;
  switch (text.back()) {
    case 's':
      unit = 1;
      break;
    case 'm':
      unit = 60;
      break;
    case 'h':
      unit = 3600;
      break;
    case 'd':
      unit = kDay;
      break;
    default:
      return std::nullopt;
  }
  const absl::string_view digits = text.substr(0, text.size() - 1);
  if (!AllDigits(digits)) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  if (digits.size() > 19) return std::nullopt;
  absl::int128 count = 0;
  for (const char c : digits) count = count * 10 + (c - '0');
  return Narrow(count * unit * kSecond);
}

std::string DecimalText(int64_t billionths) {
  const Fixed fixed = SplitFixed(billionths, 9);
  return absl::StrCat(billionths < 0 ? "-" : "", fixed.whole,
                      fixed.fraction.empty() ? "" : ".", fixed.fraction);
}

std::string UsdText(int64_t millionths) {
  Fixed fixed = SplitFixed(millionths, 6);
  if (fixed.fraction.size() == 1) fixed.fraction.push_back('0');
  return absl::StrCat(millionths < 0 ? "-$" : "$", fixed.whole,
                      fixed.fraction.empty() ? "" : ".", fixed.fraction);
}

std::string TimeText(int64_t micros) {
  const int64_t seconds = FloorDivide(micros, kSecond);
  int64_t days = FloorDivide(seconds, kDay);
  const int64_t of_day = seconds - days * kDay;
  int year = 1970;
  while (days < 0) days += IsLeapYear(--year) ? 366 : 365;
  while (days >= (IsLeapYear(year) ? 366 : 365)) {
    days -= IsLeapYear(year++) ? 366 : 365;
  }
  int month = 1;
  while (days >= DaysInMonth(year, month)) days -= DaysInMonth(year, month++);
  const Fixed fixed = SplitFixed(micros - seconds * kSecond, 6);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d%s%sZ", year, month,
                         days + 1, of_day / 3600, of_day / 60 % 60, of_day % 60,
                         fixed.fraction.empty() ? "" : ".", fixed.fraction);
}

std::string DurationText(int64_t micros) {
  const Fixed fixed = SplitFixed(micros, 6);
  const std::string sign = micros < 0 ? "-" : "";
  if (!fixed.fraction.empty()) {
    return absl::StrCat(sign, fixed.whole, ".", fixed.fraction, "s");
  }
  const int64_t seconds = std::stoll(fixed.whole);
  if (seconds == 0) return "0s";
  if (seconds % 3600 == 0) return absl::StrCat(sign, seconds / 3600, "h");
  if (seconds % 60 == 0) return absl::StrCat(sign, seconds / 60, "m");
  return absl::StrCat(sign, seconds, "s");
}

int64_t HourIn(int64_t micros, const absl::TimeZone& zone) {
  const int64_t seconds = LocalSeconds(micros, zone);
  return (seconds - FloorDivide(seconds, kDay) * kDay) / 3600;
}

int64_t WeekdayIn(int64_t micros, const absl::TimeZone& zone) {
  const int64_t days = FloorDivide(LocalSeconds(micros, zone), kDay);
  // 1970-01-01 was a Thursday, the fourth day of its week.
  const int64_t since_monday = days + 3;
  return since_monday - FloorDivide(since_monday, 7) * 7 + 1;
}

std::optional<std::string> HostOf(absl::string_view url) {
  for (const char c : url) {
    if (absl::ascii_iscntrl(c) || c == ' ' || c == '\\') return std::nullopt;
  }
  const size_t slashes = url.find("://");
  if (slashes == absl::string_view::npos) return std::nullopt;
  const absl::string_view scheme = url.substr(0, slashes);
  if (scheme.empty() || !absl::ascii_isalpha(scheme.front())) {
    return std::nullopt;
  }
  for (const char c : scheme) {
    if (!absl::ascii_isalnum(c) && c != '+' && c != '-' && c != '.') {
      return std::nullopt;
    }
  }
  absl::string_view rest = url.substr(slashes + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  const size_t at = rest.rfind('@');
  if (at != absl::string_view::npos) rest = rest.substr(at + 1);
  if (!rest.empty() && rest.front() == '[') return BracketedHost(rest);
  absl::string_view host = rest.substr(0, rest.find(':'));
  if (!IsPort(rest.substr(host.size()))) return std::nullopt;
  absl::ConsumeSuffix(&host, ".");
  for (const absl::string_view label : absl::StrSplit(host, '.')) {
    if (label.empty()) return std::nullopt;
    if (!std::all_of(label.begin(), label.end(), IsHostCharacter)) {
      return std::nullopt;
    }
  }
  return absl::AsciiStrToLower(host);
}

}  // namespace sgl::reference
