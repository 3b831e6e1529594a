// Exact numbers: JSON numbers and arithmetic in fixed point, without floating
// point anywhere.
//
// A value is an int64 of some power of ten: int 10^0, usd 10^-6, decimal
// 10^-9. What does not fit is nothing at all, and its caller decides whether
// that is a fault of a rule or of a request. Results are rounded half to even.

#ifndef POLICY_EVAL_EXACT_H_
#define POLICY_EVAL_EXACT_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>
#include <string>

namespace sgl {

inline constexpr int kUsdDecimals = 6;
inline constexpr int kDecimalDecimals = 9;
inline constexpr int64_t kDecimalOne = 1'000'000'000;

// What a JSON number is as fixed point.
enum class NumberFit : uint8_t {
  kFits,
  // Its value lies outside int64.
  kTooLarge,
  // It has more decimals than there is place for.
  kTooPrecise,
};

// How decimals are treated that have no place.
enum class Decimals : uint8_t { kExact, kHalfEven };

// Reads a JSON number by its value, however it is spelled: `2.0` is the int 2.
// REQUIRES: `text` is a number of the JSON grammar.
NumberFit ReadNumber(absl::string_view text, int decimals, Decimals treatment,
                     int64_t* value);

// Each returns nothing where the result lies outside int64.
std::optional<int64_t> CheckedAdd(int64_t left, int64_t right);
std::optional<int64_t> CheckedSubtract(int64_t left, int64_t right);
std::optional<int64_t> CheckedMultiply(int64_t left, int64_t right);
std::optional<int64_t> CheckedNegate(int64_t value);

// Returns left * right / 10^9, half to even: a product in which one factor is
// a decimal.
std::optional<int64_t> CheckedMultiplyDecimal(int64_t left, int64_t right);

// Returns 1 - remaining / limit as a decimal, rounded up, within 0..1; 1 where
// the limit is not positive.
int64_t BudgetUsed(int64_t remaining, int64_t limit);

// Appends the value as a person writes it: `0.61`, `2`, `-0.5`.
void AppendDecimal(int64_t value, std::string* out);

// Appends a fixed-point number of so many decimals as JSON writes it, without
// needless zeros: `-0.5`, `900`.
void AppendJsonNumber(int64_t value, int decimals, std::string* out);

// Appends an amount as SGL writes it: `$900`, `$250.50`, `$0.000001`, `-$5`.
// Cents have two digits; more decimals only where they are not zero.
void AppendUsd(int64_t micros, std::string* out);

}  // namespace sgl

#endif  // POLICY_EVAL_EXACT_H_
