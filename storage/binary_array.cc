#include "storage/binary_array.h"

#include <absl/status/status.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include <limits>

#include "base/check.h"
#include "storage/guard.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

// The sender's length of a null.
constexpr int32_t kNullLength = -1;

// Appends the `width` low bytes, the highest first, as the protocol has them.
void AppendNumber(int64_t number, int width, std::string* out) {
  for (int shift = 8 * (width - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((number >> shift) & 0xff));
  }
}

std::string UuidBytes(absl::string_view id) {
  if (!IsUuid(id)) {
    Raise(absl::NotFoundError(absl::StrCat("`", id, "` is no UUID")));
  }
  return absl::HexStringToBytes(absl::StrCat(id.substr(0, 8), id.substr(9, 4),
                                             id.substr(14, 4), id.substr(19, 4),
                                             id.substr(24)));
}

}  // namespace

void BinaryArray::Add(absl::string_view element) {
  SGL_CHECK(type_ == Of::kText || type_ == Of::kUuid);
  ++count_;
  if (type_ == Of::kUuid) {
    const std::string bytes = UuidBytes(element);
    AppendNumber(static_cast<int64_t>(bytes.size()), 4, &elements_);
    elements_ += bytes;
    return;
  }
  if (element.find('\0') != absl::string_view::npos) {
    Raise(absl::InvalidArgumentError("a text contains a NUL byte"));
  }
  AppendNumber(static_cast<int64_t>(element.size()), 4, &elements_);
  elements_.append(element.data(), element.size());
}

void BinaryArray::AddInt(int64_t element) {
  const bool is_big = type_ == Of::kBigint;
  SGL_CHECK(is_big || (type_ == Of::kInteger &&
                       element >= std::numeric_limits<int32_t>::min() &&
                       element <= std::numeric_limits<int32_t>::max()))
      << element;
  ++count_;
  const int width = is_big ? 8 : 4;
  AppendNumber(width, 4, &elements_);
  AppendNumber(element, width, &elements_);
}

void BinaryArray::AddNull() {
  ++count_;
  has_null_ = true;
  AppendNumber(kNullLength, 4, &elements_);
}

void BinaryArray::AddNullable(absl::string_view element) {
  if (element.empty()) {
    AddNull();
  } else {
    Add(element);
  }
}

std::string BinaryArray::Finish() const {
  std::string whole;
  whole.reserve(20 + elements_.size());
  // Dimensions; whether there are nulls; the elements' type; and of the one
  // dimension its size and its first index.
  AppendNumber(count_ == 0 ? 0 : 1, 4, &whole);
  AppendNumber(has_null_ ? 1 : 0, 4, &whole);
  AppendNumber(static_cast<int64_t>(type_), 4, &whole);
  if (count_ == 0) return whole;
  AppendNumber(count_, 4, &whole);
  AppendNumber(1, 4, &whole);
  whole += elements_;
  return whole;
}

}  // namespace sgl::storage
