#include "policy/eval/exact.h"

#include <absl/numeric/int128.h>
#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <limits>

namespace sgl {
namespace {

constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
// No int64 has more digits.
constexpr int64_t kDigitsMax = 19;
// Exponents beyond it are far outside every bound; kept from overflowing.
constexpr int64_t kExponentMax = int64_t{1} << 40;

// A JSON number as 0.DIGITS * 10^exponent, without a zero at either end. The
// digits stand in `whole` and behind it in `fraction`, as the text has them.
struct Digits {
  bool is_negative = false;
  absl::string_view whole;
  absl::string_view fraction;
  int64_t exponent = 0;

  int64_t size() const {
    return static_cast<int64_t>(whole.size() + fraction.size());
  }
  int operator[](int64_t place) const {
    const size_t at = static_cast<size_t>(place);
    return (at < whole.size() ? whole[at] : fraction[at - whole.size()]) - '0';
  }
};

// Takes the zeros off the front and returns how many there were.
int64_t TakeZeros(absl::string_view* digits) {
  const size_t zeros = std::min(digits->find_first_not_of('0'), digits->size());
  digits->remove_prefix(zeros);
  return static_cast<int64_t>(zeros);
}

void DropLastZeros(absl::string_view* digits) {
  // Where there are none but zeros, npos + 1 is 0.
  *digits = digits->substr(0, digits->find_last_not_of('0') + 1);
}

Digits Split(absl::string_view text) {
  Digits result;
  if (text.front() == '-') {
    result.is_negative = true;
    text.remove_prefix(1);
  }
  const size_t e = text.find_first_of("eE");
  const absl::string_view mantissa = text.substr(0, e);
  int64_t exponent = 0;
  if (e != absl::string_view::npos) {
    absl::string_view power = text.substr(e + 1);
    const bool is_down = power.front() == '-';
    if (power.front() == '-' || power.front() == '+') power.remove_prefix(1);
    for (const char c : power) {
      exponent = std::min(exponent * 10 + (c - '0'), kExponentMax);
    }
    if (is_down) exponent = -exponent;
  }
  const size_t point = mantissa.find('.');
  result.whole = mantissa.substr(0, point);
  if (point != absl::string_view::npos) {
    result.fraction = mantissa.substr(point + 1);
  }
  exponent += static_cast<int64_t>(result.whole.size());
  exponent -= TakeZeros(&result.whole);
  DropLastZeros(&result.fraction);
  if (result.whole.empty()) exponent -= TakeZeros(&result.fraction);
  if (result.fraction.empty()) DropLastZeros(&result.whole);
  result.exponent = exponent;
  return result;
}

std::optional<int64_t> Narrow(absl::int128 value) {
  if (value > kInt64Max || value < kInt64Min) return std::nullopt;
  return static_cast<int64_t>(value);
}

// Appends |value| / 10^decimals with at least `least` and no more decimals
// than needed.
void AppendFixed(uint64_t magnitude, int decimals, size_t least,
                 std::string* out) {
  std::string digits = absl::StrCat(magnitude);
  const size_t places = static_cast<size_t>(decimals);
  if (digits.size() <= places)
    digits.insert(0, places + 1 - digits.size(), '0');
  absl::string_view fraction(digits);
  fraction.remove_prefix(digits.size() - places);
  while (fraction.size() > least && fraction.back() == '0') {
    fraction.remove_suffix(1);
  }
  out->append(digits, 0, digits.size() - places);
  if (!fraction.empty()) absl::StrAppend(out, ".", fraction);
}

uint64_t Magnitude(int64_t value) {
  return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value)
                   : static_cast<uint64_t>(value);
}

}  // namespace

NumberFit ReadNumber(absl::string_view text, int decimals, Decimals treatment,
                     int64_t* value) {
  const Digits number = Split(text);
  *value = 0;
  const int64_t size = number.size();
  if (size == 0) return NumberFit::kFits;
  // How many of the digits stand before the last place that there is.
  const int64_t kept = number.exponent + decimals;
  if (kept > kDigitsMax) return NumberFit::kTooLarge;
  if (kept < size && treatment == Decimals::kExact) {
    return NumberFit::kTooPrecise;
  }
  absl::int128 total = 0;
  for (int64_t i = 0; i < kept; ++i) {
    total *= 10;
    if (i < size) total += number[i];
  }
  if (kept >= 0 && kept < size) {
    // The digits end in no zero, so only a lone 5 is exactly half.
    const bool is_half = number[kept] == 5 && kept + 1 == size;
    if (is_half ? total % 2 != 0 : number[kept] >= 5) total += 1;
  }
  if (number.is_negative) total = -total;
  const std::optional<int64_t> narrow = Narrow(total);
  if (!narrow.has_value()) return NumberFit::kTooLarge;
  *value = *narrow;
  return NumberFit::kFits;
}

std::optional<int64_t> CheckedAdd(int64_t left, int64_t right) {
  return Narrow(absl::int128(left) + right);
}

std::optional<int64_t> CheckedSubtract(int64_t left, int64_t right) {
  return Narrow(absl::int128(left) - right);
}

std::optional<int64_t> CheckedMultiply(int64_t left, int64_t right) {
  return Narrow(absl::int128(left) * right);
}

std::optional<int64_t> CheckedNegate(int64_t value) {
  if (value == kInt64Min) return std::nullopt;
  return -value;
}

std::optional<int64_t> CheckedMultiplyDecimal(int64_t left, int64_t right) {
  const absl::int128 product = absl::int128(left) * right;
  absl::int128 quotient = product / kDecimalOne;
  const absl::int128 remainder = product % kDecimalOne;
  const absl::int128 twice = (remainder < 0 ? -remainder : remainder) * 2;
  if (twice > kDecimalOne || (twice == kDecimalOne && quotient % 2 != 0)) {
    quotient += product < 0 ? -1 : 1;
  }
  return Narrow(quotient);
}

int64_t BudgetUsed(int64_t remaining, int64_t limit) {
  if (limit <= 0) return kDecimalOne;
  const absl::int128 spent = absl::int128(limit) - remaining;
  if (spent <= 0) return 0;
  if (spent >= limit) return kDecimalOne;
  const absl::int128 scaled = spent * kDecimalOne;
  return static_cast<int64_t>((scaled + limit - 1) / limit);
}

void AppendDecimal(int64_t value, std::string* out) {
  if (value < 0) out->push_back('-');
  AppendFixed(Magnitude(value), kDecimalDecimals, 0, out);
}

void AppendJsonNumber(int64_t value, int decimals, std::string* out) {
  if (value < 0) out->push_back('-');
  AppendFixed(Magnitude(value), decimals, 0, out);
}

void AppendUsd(int64_t micros, std::string* out) {
  out->append(micros < 0 ? "-$" : "$");
  const bool is_whole = micros % 1'000'000 == 0;
  AppendFixed(Magnitude(micros), kUsdDecimals, is_whole ? 0 : 2, out);
}

}  // namespace sgl
