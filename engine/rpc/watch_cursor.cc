#include "engine/rpc/watch_cursor.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <vector>

#include "base/sha256.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

// Names the form, so that a later one can be told apart.
constexpr absl::string_view kVersion = "1";
// Enough to catch a mistake; nobody is kept out by them.
constexpr size_t kFingerprintDigits = 12;
// Two snapshots and what stands beside them, in base64.
constexpr size_t kCursorBytesMax = 3 * storage::kSnapshotBytesMax;

std::string Fingerprint(absl::string_view watch) {
  return Sha256Hex(watch).substr(0, kFingerprintDigits);
}

}  // namespace

std::string EncodeWatchCursor(const storage::WatchPosition& position,
                              absl::string_view watch) {
  return absl::WebSafeBase64Escape(absl::StrJoin(
      {std::string(kVersion), Fingerprint(watch), position.since,
       position.until, position.after_transaction, position.after_id},
      "|"));
}

absl::StatusOr<storage::WatchPosition> DecodeWatchCursor(
    absl::string_view cursor, absl::string_view watch) {
  const absl::Status refused =
      BadField("cursor", "it is no cursor of such a watch");
  std::string text;
  if (cursor.size() > kCursorBytesMax ||
      !absl::WebSafeBase64Unescape(cursor, &text)) {
    return refused;
  }
  const std::vector<std::string> parts = absl::StrSplit(text, '|');
  if (parts.size() != 6 || parts[0] != kVersion || parts[2].empty()) {
    return refused;
  }
  if (parts[1] != Fingerprint(watch)) {
    return BadField("cursor",
                    "it is of a watch of something else or with another "
                    "filter; leave it out to start anew");
  }
  const storage::WatchPosition position = {.since = parts[2],
                                           .until = parts[3],
                                           .after_transaction = parts[4],
                                           .after_id = parts[5]};
  if (!storage::CheckWatchPosition(position).ok()) return refused;
  return position;
}

}  // namespace sgl::engine
