#include "engine/payload_map.h"

#include <absl/numeric/int128.h>
#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "engine/text.h"

namespace sgl::engine {
namespace {

constexpr int kMicrosDigits = 6;

// Walks the payload and looks at the members of its top level only. The
// parser hands each number's own text on, so nothing passes through a double.
class MapReader : public nlohmann::json::json_sax_t {
 public:
  explicit MapReader(MappedFacts* facts) : facts_(facts) {}

  bool null() override { return true; }
  bool boolean(bool) override { return Other("a boolean"); }
  bool number_integer(number_integer_t value) override {
    return Number(absl::StrCat(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Number(absl::StrCat(value));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return Number(text);
  }
  bool string(string_t& value) override {
    if (depth_ != 1) return true;
    if (key_ == "spendUsd") return Other("a string");
    if (key_ == "dataClass") return ReadDataClass(value);
    if (key_ == "requestedBy") return ReadRequestedBy(value);
    return true;
  }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return Open("an object"); }
  bool key(string_t& value) override {
    if (depth_ == 1) key_ = value;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }
  bool start_array(size_t) override { return Open("a list"); }
  bool end_array() override {
    --depth_;
    return true;
  }
  // The decision finds what is wrong with the text itself.
  bool parse_error(size_t, const std::string&,
                   const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool Open(absl::string_view what) {
    if (depth_ > 0) Other(what);
    ++depth_;
    return true;
  }

  bool Violation(absl::string_view message) {
    facts_->violations.push_back(
        {absl::StrCat("payload.", key_), std::string(message)});
    return true;
  }

  // A value of a kind that none of the fields takes.
  bool Other(absl::string_view what) {
    if (depth_ != 1) return true;
    if (key_ == "spendUsd") {
      return Violation(absl::StrCat("expected a number, found ", what));
    }
    if (key_ == "dataClass" || key_ == "requestedBy") {
      return Violation(absl::StrCat("expected a string, found ", what));
    }
    return true;
  }

  bool Number(const std::string& text) {
    if (depth_ != 1) return true;
    if (key_ != "spendUsd") return Other("a number");
    const std::optional<int64_t> micros = MicrosOfJsonNumber(text);
    if (!micros.has_value()) {
      return Violation(
          absl::StrCat(text, " is no amount with at most 6 decimals"));
    }
    if (*micros < 0) return Violation("a spend can't be negative");
    facts_->spend_micros_usd = micros;
    return true;
  }

  bool ReadDataClass(const std::string& value) {
    facts_->data_class = DataClassFromName(value);
    if (facts_->data_class.has_value()) return true;
    return Violation("expected NONE, PII or PHI");
  }

  bool ReadRequestedBy(const std::string& value) {
    if (CharacterCount(value) > kRequestedByMax) {
      return Violation(
          absl::StrCat("more than ", kRequestedByMax, " characters"));
    }
    facts_->requested_by = value;
    return true;
  }

  MappedFacts* const facts_;
  int depth_ = 0;
  // The member of the top level that is being read.
  std::string key_;
};

// A JSON number taken apart: digits without a point, and where it was.
struct NumberParts {
  bool is_negative = false;
  std::string digits;
  // Power of ten of the last digit.
  int exponent = 0;
};

std::optional<NumberParts> Split(absl::string_view number) {
  NumberParts parts;
  size_t pos = 0;
  if (pos < number.size() && number[pos] == '-') {
    parts.is_negative = true;
    ++pos;
  }
  bool has_point = false;
  for (; pos < number.size() && number[pos] != 'e' && number[pos] != 'E';
       ++pos) {
    if (number[pos] == '.') {
      has_point = true;
    } else if (absl::ascii_isdigit(number[pos])) {
      parts.digits.push_back(number[pos]);
      if (has_point) --parts.exponent;
    } else {
      return std::nullopt;
    }
  }
  if (pos == number.size()) return parts;
  absl::string_view power = number.substr(pos + 1);
  if (!power.empty() && power[0] == '+') power.remove_prefix(1);
  int value = 0;
  // The bounds keep exponents within +-64; the check keeps sums sane anyway.
  if (!absl::SimpleAtoi(power, &value) || value > 1000 || value < -1000) {
    return std::nullopt;
  }
  parts.exponent += value;
  return parts;
}

}  // namespace

std::optional<int64_t> MicrosOfJsonNumber(absl::string_view number) {
  std::optional<NumberParts> parts = Split(number);
  if (!parts.has_value()) return std::nullopt;
  int shift = parts->exponent + kMicrosDigits;
  std::string digits = parts->digits;
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return 0;
  while (shift < 0 && !digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++shift;
  }
  // 19 digits hold every int64.
  if (shift < 0 || digits.size() + static_cast<size_t>(shift) > 19) {
    return std::nullopt;
  }
  digits.append(static_cast<size_t>(shift), '0');
  absl::int128 value = 0;
  for (const char digit : digits) value = value * 10 + (digit - '0');
  if (parts->is_negative) value = -value;
  if (value > std::numeric_limits<int64_t>::max() ||
      value < std::numeric_limits<int64_t>::min()) {
    return std::nullopt;
  }
  return static_cast<int64_t>(value);
}

MappedFacts MapPayload(absl::string_view payload) {
  MappedFacts facts;
  MapReader reader(&facts);
  // A text that does not parse leaves what was found so far: the decision
  // refuses it as a whole.
  (void)nlohmann::json::sax_parse(payload.begin(), payload.end(), &reader);
  return facts;
}

}  // namespace sgl::engine
