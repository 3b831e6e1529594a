#include "engine/rpc/page_token.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <cstdint>
#include <vector>

#include "base/sha256.h"
#include "engine/error.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

// Names the form, so that a later one can be told apart.
constexpr absl::string_view kVersion = "1";
// 48 bits are enough to catch a mistake; nobody is kept out by them.
constexpr size_t kFingerprintDigits = 12;
// The years 1 to 9999: PostgreSQL's times reach further on both sides, and an
// integer further than those.
constexpr int64_t kMicrosMin = -62'135'596'800'000'000;
constexpr int64_t kMicrosMax = 253'402'300'799'999'999;

std::string Fingerprint(absl::string_view filter) {
  return Sha256Hex(filter).substr(0, kFingerprintDigits);
}

}  // namespace

std::string EncodePageToken(const storage::PageCursor& position,
                            absl::string_view filter) {
  return absl::WebSafeBase64Escape(
      absl::StrCat(kVersion, ",", absl::ToUnixMicros(position.created_at), ",",
                   position.id, ",", Fingerprint(filter)));
}

absl::StatusOr<storage::PageCursor> DecodePageToken(absl::string_view token,
                                                    absl::string_view filter) {
  std::string text;
  int64_t micros = 0;
  if (!absl::WebSafeBase64Unescape(token, &text)) {
    return BadField("page_token", "it is no token of this list");
  }
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  if (parts.size() != 4 || parts[0] != kVersion ||
      !absl::SimpleAtoi(parts[1], &micros) || micros < kMicrosMin ||
      micros > kMicrosMax || !storage::IsUuid(parts[2])) {
    return BadField("page_token", "it is no token of this list");
  }
  if (parts[3] != Fingerprint(filter)) {
    return BadField("page_token",
                    "it was made for another filter; start at the first page");
  }
  return storage::PageCursor{.created_at = absl::FromUnixMicros(micros),
                             .id = parts[2]};
}

absl::StatusOr<int> PageSize(int requested) {
  if (requested == 0) return kPageSizeDefault;
  if (requested < 0 || requested > kPageSizeMax) {
    return BadField("page_size",
                    absl::StrCat("it must be 1 to ", kPageSizeMax,
                                 ", or left out for ", kPageSizeDefault));
  }
  return requested;
}

}  // namespace sgl::engine
