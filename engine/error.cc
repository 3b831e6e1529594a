#include "engine/error.h"

#include <absl/strings/cord.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "engine/text.h"

namespace sgl::engine {
namespace {

constexpr absl::string_view kReasonUrl = "intent-engine/reason";
constexpr absl::string_view kFieldsUrl = "intent-engine/fields";

// A status travels in a trailer, of which clients take 8 KiB by default, and
// its text is in there more than once. Whoever has more faults than this mends
// the first ones and is told the rest.
constexpr size_t kFieldsMax = 10;
constexpr size_t kFieldNameMax = 80;
constexpr size_t kDescriptionMax = 200;

// Neither occurs in field paths, nor in descriptions, which are ours.
constexpr char kPartSeparator = '\x1f';
constexpr char kFieldSeparator = '\x1e';

}  // namespace

absl::Status Refusal(absl::StatusCode code, absl::string_view reason,
                     absl::string_view message) {
  SGL_CHECK(code != absl::StatusCode::kOk);
  absl::Status status(code, message);
  status.SetPayload(kReasonUrl, absl::Cord(reason));
  return status;
}

absl::Status BadFields(const std::vector<FieldError>& fields) {
  SGL_CHECK(!fields.empty());
  std::string message;
  std::string packed;
  const size_t told = std::min(fields.size(), kFieldsMax);
  for (size_t i = 0; i < told; ++i) {
    const absl::string_view name = Cut(fields[i].field, kFieldNameMax);
    const absl::string_view description =
        Cut(fields[i].description, kDescriptionMax);
    absl::StrAppend(&message, message.empty() ? "" : "; ", "`", name,
                    "`: ", description);
    if (!packed.empty()) packed.push_back(kFieldSeparator);
    absl::StrAppend(&packed, name, std::string(1, kPartSeparator), description);
  }
  if (told < fields.size()) {
    absl::StrAppend(&message, "; and ", fields.size() - told, " more");
  }
  absl::Status status =
      Refusal(absl::StatusCode::kInvalidArgument, "BAD_REQUEST", message);
  status.SetPayload(kFieldsUrl, absl::Cord(packed));
  return status;
}

absl::Status BadField(absl::string_view field, absl::string_view description) {
  return BadFields({{std::string(field), std::string(description)}});
}

std::string ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonUrl);
  return payload.has_value() ? std::string(*payload) : "";
}

std::vector<FieldError> FieldErrorsOf(const absl::Status& status) {
  std::vector<FieldError> fields;
  const auto payload = status.GetPayload(kFieldsUrl);
  if (!payload.has_value()) return fields;
  const std::string packed(*payload);
  for (absl::string_view one : absl::StrSplit(packed, kFieldSeparator)) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(one, absl::MaxSplits(kPartSeparator, 1));
    fields.push_back({std::string(parts.first), std::string(parts.second)});
  }
  return fields;
}

bool IsTransient(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

}  // namespace sgl::engine
