#include "policy/eval/payload_bounds.h"

#include <absl/status/statusor.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <string>

#include "policy/eval/json.h"

namespace sgl {
namespace {

// Returns what is wrong with a number, or nothing.
std::string NumberProblem(absl::string_view text) {
  const size_t e = text.find_first_of("eE");
  const absl::string_view mantissa = text.substr(0, e);
  const size_t digits = static_cast<size_t>(
      std::count_if(mantissa.begin(), mantissa.end(), absl::ascii_isdigit));
  if (digits > kNumberDigitsMax) {
    return absl::StrCat("has ", digits, " digits; at most ", kNumberDigitsMax,
                        " are taken, send it as a string");
  }
  int64_t exponent = 0;
  if (e != absl::string_view::npos) {
    for (const char c : text.substr(e + 1)) {
      if (!absl::ascii_isdigit(c)) continue;
      exponent = std::min(exponent * 10 + (c - '0'), kNumberExponentMax + 1);
    }
  }
  if (exponent <= kNumberExponentMax) return "";
  return absl::StrCat("has an exponent beyond ", kNumberExponentMax,
                      ", send it as a string");
}

std::string NodeProblem(const JsonNode& node) {
  if (absl::StrContains(node.key, '\0')) {
    return "has `\\u0000` in its key, leave it out";
  }
  switch (node.kind) {
    case JsonKind::kNumber:
      return NumberProblem(node.text);
    case JsonKind::kNotANumber:
      return "is NaN, which is no JSON, send null or a string";
    case JsonKind::kString:
      return absl::StrContains(node.text, '\0')
                 ? "has `\\u0000` in its text, leave it out"
                 : "";
    default:
      return "";
  }
}

}  // namespace

absl::Status CheckPayloadBounds(absl::string_view json) {
  if (json.size() > kPayloadBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "payload of ", json.size(), " bytes: at most ", kPayloadBytesMax,
        " are taken, store it elsewhere and send a reference"));
  }
  const absl::StatusOr<JsonDocument> document =
      ParseJson(json, kPayloadDepthMax);
  if (!document.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "payload: ", document.status().message(), ", send one JSON object"));
  }
  if (document->root().kind != JsonKind::kObject) {
    return absl::InvalidArgumentError(
        "payload: not a JSON object, send one JSON object");
  }
  for (const JsonNode& node : document->nodes()) {
    const std::string problem = NodeProblem(node);
    if (problem.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("`", document->PathOf(document->root(), "payload", node),
                     "` ", problem));
  }
  return absl::OkStatus();
}

}  // namespace sgl
