#include "engine/decision_json.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include <nlohmann/json.hpp>

#include "base/check.h"

namespace sgl::engine {
namespace {

// To the microsecond, like PostgreSQL's times.
constexpr char kTimeFormat[] = "%Y-%m-%dT%H:%M:%E6SZ";

// Reads a list through the decision's own reader, so that one place knows the
// form.
absl::StatusOr<Decision> ReadWith(absl::string_view reasons,
                                  absl::string_view demands) {
  const absl::StatusOr<Decision> decision = DecisionFromJson(absl::StrCat(
      R"({"decision":"REVIEW","reasons":)", reasons,
      R"(,"risk":0,"approvals":)", demands, R"(,"policy":"","tzdata":""})"));
  if (decision.ok()) return decision;
  return absl::InternalError(absl::StrCat("read a memo's reasons or demands: ",
                                          decision.status().message()));
}

// Returns how many bytes the JSON value at the head of `text` takes: a list, an
// object or a string. REQUIRES: it is valid JSON.
size_t LengthOf(absl::string_view text) {
  int depth = 0;
  for (size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
        for (++at; text[at] != '"'; ++at) {
          if (text[at] == '\\') ++at;
        }
        break;
      case '[':
      case '{':
        ++depth;
        break;
      case ']':
      case '}':
        --depth;
        break;
      default:
        continue;
    }
    if (depth == 0) return at + 1;
  }
  SGL_CHECK(false) << text;
  return 0;
}

// Returns a member of a decision that is a list, as it is written there: a
// parser would cost more than the whole decision did. `[]` where it has none.
absl::string_view ListOf(absl::string_view name, absl::string_view decision) {
  const std::string key = absl::StrCat("\"", name, "\": [");
  size_t at = 1;
  while (at < decision.size()) {
    const absl::string_view rest = decision.substr(at);
    // INVARIANT: texts are passed over whole, so this is no part of one.
    if (absl::StartsWith(rest, key)) {
      const absl::string_view list = rest.substr(key.size() - 1);
      return list.substr(0, LengthOf(list));
    }
    const bool is_value = rest[0] == '"' || rest[0] == '[' || rest[0] == '{';
    at += is_value ? LengthOf(rest) : 1;
  }
  return "[]";
}

}  // namespace

DecisionJson ToJson(const Decision& decision, absl::Time decided_at) {
  DecisionJson json;
  json.decision = DecisionToJson(decision);
  json.reasons = std::string(ListOf("reasons", json.decision));
  json.demands = std::string(ListOf("approvals", json.decision));
  // Into the text as it stands: it ends with the object's brace.
  json.decision.pop_back();
  absl::StrAppend(
      &json.decision, R"(,"decided_at":")",
      absl::FormatTime(kTimeFormat, decided_at, absl::UTCTimeZone()), "\"}");
  return json;
}

std::optional<absl::Time> DecidedAtFromJson(absl::string_view decision) {
  const nlohmann::json parsed =
      nlohmann::json::parse(decision.begin(), decision.end(), nullptr, false);
  if (!parsed.is_object()) return std::nullopt;
  const auto member = parsed.find("decided_at");
  if (member == parsed.end() || !member->is_string()) return std::nullopt;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(kTimeFormat, member->get<std::string>(), &time,
                       &error)) {
    return std::nullopt;
  }
  return time;
}

absl::StatusOr<std::vector<Reason>> ReasonsFromJson(absl::string_view reasons) {
  absl::StatusOr<Decision> decision = ReadWith(reasons, "[]");
  if (!decision.ok()) return decision.status();
  return std::move(decision->reasons);
}

absl::StatusOr<std::vector<ApprovalDemand>> DemandsFromJson(
    absl::string_view demands) {
  absl::StatusOr<Decision> decision = ReadWith("[]", demands);
  if (!decision.ok()) return decision.status();
  return std::move(decision->demands);
}

}  // namespace sgl::engine
