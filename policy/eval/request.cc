#include "policy/eval/request.h"

#include <iterator>

namespace sgl {
namespace {

// In the order of their enumerators.
constexpr absl::string_view kDataClasses[] = {"NONE", "PII", "PHI"};
constexpr absl::string_view kSeats[] = {"free_beta", "starter", "pro",
                                        "enterprise"};

template <typename Enum, size_t kSize>
std::optional<Enum> FromName(const absl::string_view (&names)[kSize],
                             absl::string_view name) {
  for (size_t i = 0; i < kSize; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

absl::string_view DataClassName(DataClass data_class) {
  return kDataClasses[static_cast<size_t>(data_class)];
}

std::optional<DataClass> DataClassFromName(absl::string_view name) {
  return FromName<DataClass>(kDataClasses, name);
}

absl::string_view SeatName(Seat seat) {
  return kSeats[static_cast<size_t>(seat)];
}

std::optional<Seat> SeatFromName(absl::string_view name) {
  return FromName<Seat>(kSeats, name);
}

}  // namespace sgl
