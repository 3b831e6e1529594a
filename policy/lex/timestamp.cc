#include "policy/lex/timestamp.h"

#include <absl/strings/ascii.h>
#include <absl/time/civil_time.h>

#include <cstddef>

namespace sgl {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;

// Reads fixed-width pieces off the front of a text.
class Reader {
 public:
  explicit Reader(absl::string_view text) : rest_(text) {}

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }

  // Reads exactly `width` digits.
  int Digits(size_t width) {
    int value = 0;
    if (rest_.size() < width) failed_ = true;
    for (size_t i = 0; i < width && !failed_; ++i) {
      if (!absl::ascii_isdigit(static_cast<unsigned char>(rest_[i]))) {
        failed_ = true;
      } else {
        value = value * 10 + (rest_[i] - '0');
      }
    }
    if (!failed_) rest_.remove_prefix(width);
    return value;
  }

  bool Take(char wanted) {
    if (rest_.empty() || rest_[0] != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Need(char wanted) {
    if (!Take(wanted)) failed_ = true;
  }

  // Reads `.` and 1 to 6 digits as microseconds, if a `.` is there.
  int64_t Fraction() {
    if (!Take('.')) return 0;
    int64_t micros = 0;
    int64_t unit = kMicrosPerSecond;
    while (!rest_.empty() &&
           absl::ascii_isdigit(static_cast<unsigned char>(rest_[0]))) {
      unit /= 10;
      if (unit == 0) failed_ = true;
      micros += unit * (rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    if (unit == kMicrosPerSecond) failed_ = true;
    return micros;
  }

  // Reads `Z` or `+hh:mm` as seconds east of UTC.
  int64_t Offset() {
    if (Take('Z')) return 0;
    int64_t sign = 1;
    if (!Take('+')) {
      Need('-');
      sign = -1;
    }
    const int hours = Digits(2);
    Need(':');
    const int minutes = Digits(2);
    if (hours > 23 || minutes > 59) failed_ = true;
    return sign * (hours * 3600 + minutes * 60);
  }

 private:
  absl::string_view rest_;
  bool failed_ = false;
};

}  // namespace

std::optional<int64_t> ParseTimestamp(absl::string_view text) {
  Reader reader(text);
  const int year = reader.Digits(4);
  reader.Need('-');
  const int month = reader.Digits(2);
  reader.Need('-');
  const int day = reader.Digits(2);
  reader.Need('T');
  const int hour = reader.Digits(2);
  reader.Need(':');
  const int minute = reader.Digits(2);
  reader.Need(':');
  const int second = reader.Digits(2);
  const int64_t fraction = reader.Fraction();
  const int64_t offset = reader.Offset();
  if (reader.failed() || !reader.at_end()) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;

  const absl::CivilDay date(year, month, day);
  if (date.month() != month || date.day() != day || year < 1) {
    return std::nullopt;
  }
  const int64_t days = date - absl::CivilDay(1970, 1, 1);
  const int64_t seconds =
      days * 86'400 + hour * 3600 + minute * 60 + second - offset;
  return seconds * kMicrosPerSecond + fraction;
}

}  // namespace sgl
