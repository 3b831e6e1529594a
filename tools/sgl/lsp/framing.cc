#include "tools/sgl/lsp/framing.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>

namespace sgl::tools {
namespace {

constexpr absl::string_view kHeaderEnd = "\r\n\r\n";
constexpr size_t kReadBytes = 64 * 1024;

std::optional<uint64_t> ContentLength(absl::string_view header) {
  std::optional<uint64_t> length;
  for (const absl::string_view line : absl::StrSplit(header, "\r\n")) {
    const size_t colon = line.find(':');
    if (colon == absl::string_view::npos) return std::nullopt;
    if (!absl::EqualsIgnoreCase(line.substr(0, colon), "content-length")) {
      continue;
    }
    const absl::string_view digits =
        absl::StripAsciiWhitespace(line.substr(colon + 1));
    uint64_t value = 0;
    const bool is_number =
        !digits.empty() &&
        std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) &&
        absl::SimpleAtoi(digits, &value);
    if (!is_number || length.has_value()) return std::nullopt;
    length = value;
  }
  return length;
}

}  // namespace

bool MessageReader::Fill() {
  char bytes[kReadBytes];
  ssize_t count = 0;
  do {
    count = read(descriptor_, bytes, sizeof(bytes));
  } while (count < 0 && errno == EINTR);
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(count));
  return true;
}

bool MessageReader::Skip(size_t bytes) {
  while (bytes > buffer_.size()) {
    bytes -= buffer_.size();
    buffer_.clear();
    if (!Fill()) return false;
  }
  buffer_.erase(0, bytes);
  return true;
}

ReadResult MessageReader::Read(std::string* body) {
  body->clear();
  size_t end = buffer_.find(kHeaderEnd.data());
  while (end == std::string::npos) {
    if (buffer_.size() > kHeaderBytesMax) return ReadResult::kBroken;
    if (!Fill()) return ReadResult::kEnd;
    end = buffer_.find(kHeaderEnd.data());
  }
  const std::optional<uint64_t> length =
      ContentLength(absl::string_view(buffer_).substr(0, end));
  if (!length.has_value()) return ReadResult::kBroken;
  buffer_.erase(0, end + kHeaderEnd.size());
  if (*length > kMessageBytesMax) {
    return Skip(*length) ? ReadResult::kTooLong : ReadResult::kEnd;
  }
  while (buffer_.size() < *length) {
    if (!Fill()) return ReadResult::kEnd;
  }
  *body = buffer_.substr(0, *length);
  buffer_.erase(0, *length);
  return ReadResult::kMessage;
}

bool MessageReader::HasInput() const {
  if (!buffer_.empty()) return true;
  pollfd input = {descriptor_, POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}

bool WriteMessage(int descriptor, absl::string_view body) {
  const std::string frame =
      absl::StrCat("Content-Length: ", body.size(), "\r\n\r\n", body);
  absl::string_view rest = frame;
  while (!rest.empty()) {
    const ssize_t count = write(descriptor, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    rest.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

}  // namespace sgl::tools
