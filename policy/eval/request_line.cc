#include "policy/eval/request_line.h"

#include <absl/status/status.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policy/diagnostics/suggest.h"
#include "policy/eval/exact.h"
#include "policy/eval/json.h"
#include "policy/eval/time_text.h"

namespace sgl {
namespace {

// As deep as a payload may be, and the request around it.
constexpr int kLineDepthMax = 1'000;

// Reads the parts of one request. Confined to one Read call.
class LineReader {
 public:
  LineReader(const JsonDocument& document, Request& request)
      : document_(document), request_(request) {}

  absl::Status Read();

 private:
  void ReadIntent(const JsonNode& intent);
  void ReadSpend(const JsonNode& node);
  void ReadDataClass(const JsonNode& node);
  void ReadAgent(const JsonNode& agent);
  void ReadTenant(const JsonNode& tenant);
  void ReadBudget(const JsonNode& budget);

  // Calls `read` with each member of an object; an error where it is none.
  template <typename ReadMember>
  void ForEachMember(const JsonNode& object, ReadMember read);

  absl::string_view Text(const JsonNode& node);
  void Texts(const JsonNode& node, std::vector<absl::string_view>* texts);
  int64_t Number(const JsonNode& node, int decimals);

  std::string PathOf(const JsonNode& node) const {
    const std::string path = document_.PathOf(document_.root(), "", node);
    return path.empty() || path.front() != '.' ? path : path.substr(1);
  }
  void Violation(const JsonNode& node, absl::string_view message) {
    request_.violations.push_back({PathOf(node), std::string(message)});
  }
  void Fail(const JsonNode& node, absl::string_view message) {
    if (!status_.ok()) return;
    status_ = absl::InvalidArgumentError(
        absl::StrCat("`", PathOf(node), "` ", message));
  }
  void Unknown(const JsonNode& node, const std::vector<std::string>& known);

  const JsonDocument& document_;
  Request& request_;
  absl::Status status_;
};

// Refuses a key with the known one that is nearest, or that goes on from it:
// `spend_usd` for `spend`.
void LineReader::Unknown(const JsonNode& node,
                         const std::vector<std::string>& known) {
  std::string near = Suggest(node.key, known);
  for (const std::string& name : known) {
    if (absl::StartsWith(name, absl::StrCat(node.key, "_"))) near = name;
  }
  Fail(node, near.empty()
                 ? "is no known key"
                 : absl::StrCat("is no known key; did you mean `", near, "`?"));
}

template <typename ReadMember>
void LineReader::ForEachMember(const JsonNode& object, ReadMember read) {
  if (object.kind != JsonKind::kObject) {
    return Fail(object, absl::StrCat("is ", JsonKindPhrase(object.kind),
                                     " where an object belongs"));
  }
  const JsonNode* member = JsonDocument::FirstChild(object);
  for (uint32_t i = 0; i < object.size; ++i) {
    read(*member);
    member = document_.NextChild(*member);
  }
}

absl::Status LineReader::Read() {
  const JsonNode& root = document_.root();
  if (root.kind != JsonKind::kObject) {
    return absl::InvalidArgumentError("a request is a JSON object");
  }
  bool has_intent = false;
  ForEachMember(root, [&](const JsonNode& node) {
    if (node.is_duplicate) return Fail(node, "is given twice");
    if (node.key == "intent") {
      has_intent = true;
      ReadIntent(node);
    } else if (node.key == "agent") {
      ReadAgent(node);
    } else if (node.key == "tenant") {
      ReadTenant(node);
    } else if (node.key == "budget") {
      ReadBudget(node);
    } else if (node.key == "now") {
      const std::optional<int64_t> now = ReadTimestamp(Text(node));
      if (!now.has_value()) Fail(node, "is no RFC 3339 time");
      request_.now = absl::FromUnixMicros(now.value_or(0));
    } else {
      Unknown(node, {"intent", "agent", "tenant", "budget", "now"});
    }
  });
  if (status_.ok() && !has_intent) {
    return absl::InvalidArgumentError("`intent` is missing");
  }
  return status_;
}

void LineReader::ReadIntent(const JsonNode& intent) {
  IntentFacts& facts = request_.intent;
  bool has_type = false;
  ForEachMember(intent, [&](const JsonNode& node) {
    if (node.is_duplicate) return Violation(node, "is given twice; leave one");
    if (node.key == "type") {
      facts.type = Text(node);
      has_type = true;
    } else if (node.key == "payload") {
      if (node.kind != JsonKind::kObject) Fail(node, "is no object");
      facts.payload = node.text;
    } else if (node.key == "spend_usd") {
      ReadSpend(node);
    } else if (node.key == "data_class") {
      ReadDataClass(node);
    } else if (node.key == "id" || node.key == "requested_by") {
      if (node.kind != JsonKind::kString) {
        return Violation(node, "is no string");
      }
      (node.key == "id" ? facts.id : facts.requested_by) = node.text;
    } else if (node.key == "created_at") {
      std::optional<int64_t> time;
      if (node.kind == JsonKind::kString) time = ReadTimestamp(node.text);
      if (!time.has_value()) Violation(node, "is no RFC 3339 time");
      facts.created_at = absl::FromUnixMicros(time.value_or(0));
    } else {
      Unknown(node, {"id", "type", "requested_by", "spend_usd", "data_class",
                     "created_at", "payload"});
    }
  });
  if (status_.ok() && !has_type) Fail(intent, "has no `type`");
}

void LineReader::ReadSpend(const JsonNode& node) {
  if (node.kind != JsonKind::kNumber) {
    return Violation(node, absl::StrCat("is ", JsonKindPhrase(node.kind),
                                        " where a number belongs"));
  }
  switch (ReadNumber(node.text, kUsdDecimals, Decimals::kExact,
                     &request_.intent.spend_micros_usd)) {
    case NumberFit::kFits:
      // The decision finds a negative one.
      return;
    case NumberFit::kTooLarge:
      return Violation(node, "is outside the range of `usd`");
    case NumberFit::kTooPrecise:
      return Violation(node, "has more than 6 decimals");
  }
}

void LineReader::ReadDataClass(const JsonNode& node) {
  std::optional<DataClass> data_class;
  if (node.kind == JsonKind::kString) data_class = DataClassFromName(node.text);
  if (!data_class.has_value()) {
    return Violation(node, "is none of NONE, PII, PHI");
  }
  request_.intent.data_class = *data_class;
}

void LineReader::ReadAgent(const JsonNode& agent) {
  AgentFacts& facts = request_.agent;
  facts.known = true;
  ForEachMember(agent, [&](const JsonNode& node) {
    if (node.is_duplicate) return Fail(node, "is given twice");
    if (node.key == "known") {
      if (node.kind != JsonKind::kBool) return Fail(node, "is no boolean");
      facts.known = node.boolean;
    } else if (node.key == "id") {
      facts.id = Text(node);
    } else if (node.key == "name") {
      facts.name = Text(node);
    } else if (node.key == "role") {
      facts.role = Text(node);
    } else if (node.key == "status") {
      facts.status = Text(node);
    } else if (node.key == "tier") {
      facts.tier = Number(node, 0);
    } else if (node.key == "labels") {
      Texts(node, &facts.labels);
    } else {
      Unknown(node,
              {"known", "id", "name", "role", "status", "tier", "labels"});
    }
  });
}

void LineReader::ReadTenant(const JsonNode& tenant) {
  TenantFacts& facts = request_.tenant;
  ForEachMember(tenant, [&](const JsonNode& node) {
    if (node.is_duplicate) return Fail(node, "is given twice");
    if (node.key == "id") {
      facts.id = Text(node);
    } else if (node.key == "slug") {
      facts.slug = Text(node);
    } else if (node.key == "seat") {
      const std::optional<Seat> seat = SeatFromName(Text(node));
      if (!seat.has_value())
        Fail(node, "is none of free_beta, starter, pro, enterprise");
      facts.seat = seat.value_or(Seat::kFreeBeta);
    } else if (node.key == "connected") {
      Texts(node, &facts.connected);
    } else {
      Unknown(node, {"id", "slug", "seat", "connected"});
    }
  });
}

void LineReader::ReadBudget(const JsonNode& budget) {
  BudgetFacts& facts = request_.budget;
  facts.exists = true;
  ForEachMember(budget, [&](const JsonNode& node) {
    if (node.is_duplicate) return Fail(node, "is given twice");
    if (node.key == "exists") {
      if (node.kind != JsonKind::kBool) return Fail(node, "is no boolean");
      facts.exists = node.boolean;
    } else if (node.key == "remaining_usd") {
      facts.remaining_micros_usd = Number(node, kUsdDecimals);
    } else if (node.key == "limit_usd") {
      facts.limit_micros_usd = Number(node, kUsdDecimals);
    } else {
      Unknown(node, {"exists", "remaining_usd", "limit_usd"});
    }
  });
}

absl::string_view LineReader::Text(const JsonNode& node) {
  if (node.kind == JsonKind::kString) return node.text;
  Fail(node, absl::StrCat("is ", JsonKindPhrase(node.kind),
                          " where a string belongs"));
  return "";
}

void LineReader::Texts(const JsonNode& node,
                       std::vector<absl::string_view>* texts) {
  if (node.kind != JsonKind::kArray) return Fail(node, "is no list");
  const JsonNode* item = JsonDocument::FirstChild(node);
  for (uint32_t i = 0; i < node.size; ++i) {
    texts->push_back(Text(*item));
    item = document_.NextChild(*item);
  }
}

int64_t LineReader::Number(const JsonNode& node, int decimals) {
  int64_t number = 0;
  if (node.kind != JsonKind::kNumber ||
      ReadNumber(node.text, decimals, Decimals::kExact, &number) !=
          NumberFit::kFits) {
    Fail(node, decimals == 0 ? "is no whole number within range"
                             : "is no amount of at most 6 decimals");
  }
  return number;
}

}  // namespace

RequestLine::RequestLine() = default;
RequestLine::RequestLine(RequestLine&&) noexcept = default;
RequestLine& RequestLine::operator=(RequestLine&&) noexcept = default;
RequestLine::~RequestLine() = default;

absl::StatusOr<RequestLine> RequestLine::Read(absl::string_view line) {
  absl::StatusOr<JsonDocument> document = ParseJson(line, kLineDepthMax);
  if (!document.ok()) return document.status();
  RequestLine result;
  result.document_ = std::make_unique<JsonDocument>(*std::move(document));
  const absl::Status status =
      LineReader(*result.document_, result.request_).Read();
  if (!status.ok()) return status;
  return result;
}

}  // namespace sgl
