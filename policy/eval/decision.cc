#include "policy/eval/decision.h"

#include <absl/status/status.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <utility>

#include "policy/eval/exact.h"
#include "policy/eval/json.h"
#include "policy/eval/time_text.h"

namespace sgl {
namespace {

// What we wrote nests five deep.
constexpr int kDecisionDepthMax = 16;

// Appends `"name": "text"`.
void AppendMember(absl::string_view name, absl::string_view text,
                  std::string* out) {
  AppendJsonString(name, out);
  out->append(": ");
  AppendJsonString(text, out);
}

void AppendReason(const Reason& reason, std::string* out) {
  out->push_back('{');
  AppendMember("code", reason.code, out);
  out->append(", ");
  AppendMember("message", reason.message, out);
  out->append(", ");
  AppendMember("layer", reason.layer, out);
  out->append(", ");
  AppendMember("at", reason.at, out);
  if (!reason.field_violations.empty()) {
    out->append(", \"fields\": [");
    absl::string_view separator = "";
    for (const FieldViolation& violation : reason.field_violations) {
      absl::StrAppend(out, separator, "{");
      AppendMember("path", violation.path, out);
      out->append(", ");
      AppendMember("message", violation.message, out);
      out->push_back('}');
      separator = ", ";
    }
    out->push_back(']');
  }
  out->push_back('}');
}

void AppendDemand(const ApprovalDemand& demand, std::string* out) {
  absl::StrAppend(out, "{\"count\": ", demand.count, ", \"roles\": [");
  absl::string_view separator = "";
  for (const std::string& role : demand.roles) {
    absl::StrAppend(out, separator);
    AppendJsonString(role, out);
    separator = ", ";
  }
  out->append("]}");
}

// Appends an amount of a limit: a number of intents or of dollars.
void AppendAmount(absl::string_view name, const LimitDraw& draw, int64_t amount,
                  std::string* out) {
  absl::StrAppend(out, ", \"", name, draw.is_spend ? "_usd\": " : "\": ");
  if (draw.is_spend) {
    AppendJsonNumber(amount, kUsdDecimals, out);
  } else {
    absl::StrAppend(out, amount);
  }
}

void AppendDraw(const LimitDraw& draw, std::string* out) {
  out->push_back('{');
  AppendMember("code", draw.code, out);
  out->append(", ");
  AppendMember("layer", draw.layer, out);
  out->append(", ");
  AppendMember("per", LimitScopeName(draw.scope), out);
  AppendAmount(draw.is_spend ? "spend" : "count", draw, draw.amount, out);
  if (draw.total.has_value()) AppendAmount("total", draw, *draw.total, out);
  AppendAmount("max", draw, draw.amount_max, out);
  out->push_back('}');
}

void AppendDraws(const std::vector<LimitDraw>& draws, std::string* out) {
  if (draws.empty()) return;
  out->append(", \"limits\": [");
  absl::string_view separator = "";
  for (const LimitDraw& draw : draws) {
    absl::StrAppend(out, separator);
    AppendDraw(draw, out);
    separator = ", ";
  }
  out->push_back(']');
}

// Reads a decision line. What is missing or of another kind is remembered, and
// reading goes on: the caller looks at `good()` once, at the end.
class Reader {
 public:
  explicit Reader(const JsonDocument& document) : document_(document) {}

  bool good() const { return good_; }

  std::string Text(const JsonNode& object, absl::string_view key) {
    const JsonNode* const node = Member(object, key, JsonKind::kString);
    return node == nullptr ? std::string() : std::string(node->text);
  }

  int64_t Number(const JsonNode& object, absl::string_view key) {
    int64_t number = 0;
    const JsonNode* const node = Member(object, key, JsonKind::kNumber);
    if (node != nullptr) {
      good_ &= ReadNumber(node->text, 0, Decimals::kExact, &number) ==
               NumberFit::kFits;
    }
    return number;
  }

  // Calls `read` with each item of a list.
  template <typename Read>
  void ForEach(const JsonNode& object, absl::string_view key, Read read) {
    const JsonNode* const list = Member(object, key, JsonKind::kArray);
    if (list == nullptr) return;
    const JsonNode* item = JsonDocument::FirstChild(*list);
    for (uint32_t i = 0; i < list->size; ++i) {
      read(*item);
      item = document_.NextChild(*item);
    }
  }

  bool Has(const JsonNode& object, absl::string_view key) const {
    return object.kind == JsonKind::kObject &&
           document_.Find(object, key) != nullptr;
  }

  void Expect(bool condition) { good_ &= condition; }

 private:
  const JsonNode* Member(const JsonNode& object, absl::string_view key,
                         JsonKind kind) {
    const JsonNode* const node = object.kind == JsonKind::kObject
                                     ? document_.Find(object, key)
                                     : nullptr;
    if (node != nullptr && node->kind == kind) return node;
    good_ = false;
    return nullptr;
  }

  const JsonDocument& document_;
  bool good_ = true;
};

Reason ReadReason(const JsonNode& node, Reader& reader) {
  Reason reason;
  reason.code = reader.Text(node, "code");
  reason.message = reader.Text(node, "message");
  reason.layer = reader.Text(node, "layer");
  reason.at = reader.Text(node, "at");
  if (reader.Has(node, "fields")) {
    reader.ForEach(node, "fields", [&](const JsonNode& field) {
      reason.field_violations.push_back(
          {reader.Text(field, "path"), reader.Text(field, "message")});
    });
  }
  return reason;
}

void ReadReviewPart(const JsonNode& root, Reader& reader, Decision* decision) {
  decision->risk = reader.Number(root, "risk");
  reader.ForEach(root, "approvals", [&](const JsonNode& node) {
    ApprovalDemand demand;
    demand.count = reader.Number(node, "count");
    reader.ForEach(node, "roles", [&](const JsonNode& role) {
      reader.Expect(role.kind == JsonKind::kString);
      demand.roles.emplace_back(role.text);
    });
    decision->demands.push_back(std::move(demand));
  });
  if (reader.Has(root, "within")) {
    const auto micros = ReadDuration(reader.Text(root, "within"));
    reader.Expect(micros.has_value());
    decision->within = absl::Microseconds(micros.value_or(0));
  }
}

}  // namespace

absl::string_view DecisionKindName(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::kAllow:
      return "ALLOW";
    case DecisionKind::kReview:
      return "REVIEW";
    case DecisionKind::kBlock:
      break;
  }
  return "BLOCK";
}

std::string DecisionToJson(const Decision& decision) {
  std::string out = "{";
  AppendMember("decision", DecisionKindName(decision.kind), &out);
  out.append(", \"reasons\": [");
  absl::string_view separator = "";
  for (const Reason& reason : decision.reasons) {
    absl::StrAppend(&out, separator);
    AppendReason(reason, &out);
    separator = ", ";
  }
  out.push_back(']');
  if (decision.kind == DecisionKind::kReview) {
    absl::StrAppend(&out, ", \"risk\": ", decision.risk, ", \"approvals\": [");
    separator = "";
    for (const ApprovalDemand& demand : decision.demands) {
      absl::StrAppend(&out, separator);
      AppendDemand(demand, &out);
      separator = ", ";
    }
    out.push_back(']');
    if (decision.within.has_value()) {
      std::string within;
      AppendDuration(absl::ToInt64Microseconds(*decision.within), &within);
      out.append(", ");
      AppendMember("within", within, &out);
    }
  }
  AppendDraws(decision.limit_draws, &out);
  out.append(", ");
  AppendMember("policy", decision.policy_digest, &out);
  out.append(", ");
  AppendMember("tzdata", decision.tzdata_version, &out);
  out.push_back('}');
  return out;
}

absl::StatusOr<Decision> DecisionFromJson(absl::string_view json) {
  const absl::StatusOr<JsonDocument> document =
      ParseJson(json, kDecisionDepthMax);
  if (!document.ok()) return document.status();
  const JsonNode& root = document->root();
  Reader reader(*document);
  Decision decision;
  const std::string kind = reader.Text(root, "decision");
  if (kind == "ALLOW") {
    decision.kind = DecisionKind::kAllow;
  } else if (kind == "REVIEW") {
    decision.kind = DecisionKind::kReview;
  } else {
    reader.Expect(kind == "BLOCK");
  }
  reader.ForEach(root, "reasons", [&](const JsonNode& node) {
    decision.reasons.push_back(ReadReason(node, reader));
  });
  if (decision.kind == DecisionKind::kReview) {
    ReadReviewPart(root, reader, &decision);
  }
  decision.policy_digest = reader.Text(root, "policy");
  decision.tzdata_version = reader.Text(root, "tzdata");
  if (!reader.good()) {
    return absl::InvalidArgumentError("not a decision line");
  }
  return decision;
}

std::string ErrorToJson(absl::string_view message) {
  std::string out = "{";
  AppendMember("error", message, &out);
  out.push_back('}');
  return out;
}

}  // namespace sgl
