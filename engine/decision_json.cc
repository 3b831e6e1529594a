#include "engine/decision_json.h"

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

}  // namespace

DecisionJson ToJson(const Decision& decision, absl::Time decided_at) {
  DecisionJson json;
  json.decision = DecisionToJson(decision);
  const nlohmann::ordered_json parsed =
      nlohmann::ordered_json::parse(json.decision, nullptr, false);
  SGL_CHECK(parsed.is_object() && !parsed.empty()) << json.decision;
  // Into the text as it stands: it ends with the object's brace.
  json.decision.pop_back();
  absl::StrAppend(
      &json.decision, R"(,"decided_at":")",
      absl::FormatTime(kTimeFormat, decided_at, absl::UTCTimeZone()), "\"}");
  json.reasons =
      parsed.value("reasons", nlohmann::ordered_json::array()).dump();
  json.demands =
      parsed.value("approvals", nlohmann::ordered_json::array()).dump();
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
