#include "policy/eval/reference/line.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "policy/eval/reference/json_tree.h"
#include "policy/eval/reference/plain_values.h"

namespace sgl {
namespace {

using reference::JsonTree;
using Kind = JsonTree::Kind;

// Each function returns false where the line is an error.

bool ReadText(const JsonTree& tree, absl::string_view* text) {
  *text = tree.text;
  return tree.kind == Kind::kString;
}

bool ReadTexts(const JsonTree& tree, std::vector<absl::string_view>* texts) {
  for (const JsonTree& item : tree.items) {
    if (!ReadText(item, &texts->emplace_back())) return false;
  }
  return tree.kind == Kind::kArray;
}

bool ReadBool(const JsonTree& tree, bool* value) {
  *value = tree.boolean;
  return tree.kind == Kind::kBool;
}

bool ReadNumber(const JsonTree& tree, int decimals, int64_t* value) {
  if (tree.kind != Kind::kNumber) return false;
  const auto number = reference::NumberFromJson(tree.text, decimals, false);
  *value = number.value_or(0);
  return number.has_value();
}

std::optional<absl::Time> ReadTime(const JsonTree& tree) {
  if (tree.kind != Kind::kString) return std::nullopt;
  const auto micros = reference::TimeFromText(tree.text);
  if (!micros.has_value()) return std::nullopt;
  return absl::FromUnixMicros(*micros);
}

// Whether the value is an object whose keys are all among `keys`, none twice
// unless that is allowed.
bool HasOnlyKeys(const JsonTree& tree, const std::set<std::string>& keys,
                 bool allows_twice) {
  std::set<std::string> seen;
  for (const std::string& key : tree.keys) {
    if (!keys.contains(key)) return false;
    if (!seen.insert(key).second && !allows_twice) return false;
  }
  return tree.kind == Kind::kObject;
}

bool ReadAgent(const JsonTree& tree, AgentFacts* agent) {
  agent->known = true;
  bool good = HasOnlyKeys(
      tree, {"known", "id", "name", "role", "status", "tier", "labels"}, false);
  for (size_t i = 0; i < tree.keys.size(); ++i) {
    const std::string& key = tree.keys[i];
    const JsonTree& value = tree.items[i];
    if (key == "known") good &= ReadBool(value, &agent->known);
    if (key == "id") good &= ReadText(value, &agent->id);
    if (key == "name") good &= ReadText(value, &agent->name);
    if (key == "role") good &= ReadText(value, &agent->role);
    if (key == "status") good &= ReadText(value, &agent->status);
    if (key == "tier") good &= ReadNumber(value, 0, &agent->tier);
    if (key == "labels") good &= ReadTexts(value, &agent->labels);
  }
  return good;
}

bool ReadSeat(const JsonTree& tree, Seat* seat) {
  if (tree.kind != Kind::kString) return false;
  for (const Seat each :
       {Seat::kFreeBeta, Seat::kStarter, Seat::kPro, Seat::kEnterprise}) {
    if (SeatName(each) != tree.text) continue;
    *seat = each;
    return true;
  }
  return false;
}

bool ReadTenant(const JsonTree& tree, TenantFacts* tenant) {
  bool good = HasOnlyKeys(tree, {"id", "slug", "seat", "connected"}, false);
  for (size_t i = 0; i < tree.keys.size(); ++i) {
    const std::string& key = tree.keys[i];
    const JsonTree& value = tree.items[i];
    if (key == "id") good &= ReadText(value, &tenant->id);
    if (key == "slug") good &= ReadText(value, &tenant->slug);
    if (key == "seat") good &= ReadSeat(value, &tenant->seat);
    if (key == "connected") good &= ReadTexts(value, &tenant->connected);
  }
  return good;
}

bool ReadBudget(const JsonTree& tree, BudgetFacts* budget) {
  budget->exists = true;
  bool good =
      HasOnlyKeys(tree, {"exists", "remaining_usd", "limit_usd"}, false);
  for (size_t i = 0; i < tree.keys.size(); ++i) {
    const std::string& key = tree.keys[i];
    const JsonTree& value = tree.items[i];
    if (key == "exists") good &= ReadBool(value, &budget->exists);
    if (key == "remaining_usd") {
      good &= ReadNumber(value, 6, &budget->remaining_micros_usd);
    }
    if (key == "limit_usd") {
      good &= ReadNumber(value, 6, &budget->limit_micros_usd);
    }
  }
  return good;
}

// Reads what does not fit a field of the intent as a violation of it.
void ReadIntentField(const std::string& key, const JsonTree& value,
                     Request* request) {
  IntentFacts& intent = request->intent;
  bool fits = true;
  if (key == "id") {
    fits = ReadText(value, &intent.id);
  } else if (key == "requested_by") {
    fits = ReadText(value, &intent.requested_by);
  } else if (key == "spend_usd") {
    fits = ReadNumber(value, 6, &intent.spend_micros_usd) &&
           intent.spend_micros_usd >= 0;
  } else if (key == "data_class") {
    const bool is_text = value.kind == Kind::kString;
    if (is_text && value.text == "PII") {
      intent.data_class = DataClass::kPii;
    } else if (is_text && value.text == "PHI") {
      intent.data_class = DataClass::kPhi;
    } else {
      fits = is_text && value.text == "NONE";
    }
  } else if (key == "created_at") {
    const std::optional<absl::Time> time = ReadTime(value);
    intent.created_at = time.value_or(absl::UnixEpoch());
    fits = time.has_value();
  }
  if (!fits) request->violations.push_back({absl::StrCat("intent.", key), ""});
}

bool ReadIntent(const JsonTree& tree, absl::string_view line,
                Request* request) {
  if (!HasOnlyKeys(tree,
                   {"id", "type", "requested_by", "spend_usd", "data_class",
                    "created_at", "payload"},
                   true)) {
    return false;
  }
  std::set<std::string> seen;
  for (size_t i = 0; i < tree.keys.size(); ++i) {
    const std::string& key = tree.keys[i];
    const JsonTree& value = tree.items[i];
    if (!seen.insert(key).second) {
      request->violations.push_back({absl::StrCat("intent.", key), ""});
    } else if (key == "type") {
      if (!ReadText(value, &request->intent.type)) return false;
    } else if (key == "payload") {
      if (value.kind != Kind::kObject) return false;
      request->intent.payload =
          line.substr(value.begin, value.end - value.begin);
    } else {
      ReadIntentField(key, value, request);
    }
  }
  return seen.contains("type");
}

bool ReadRequest(const JsonTree& tree, absl::string_view line,
                 Request* request) {
  bool good =
      HasOnlyKeys(tree, {"intent", "agent", "tenant", "budget", "now"}, false);
  bool has_intent = false;
  for (size_t i = 0; i < tree.keys.size(); ++i) {
    const std::string& key = tree.keys[i];
    const JsonTree& value = tree.items[i];
    if (key == "intent") {
      has_intent = true;
      good = good && ReadIntent(value, line, request);
    }
    if (key == "agent") good = good && ReadAgent(value, &request->agent);
    if (key == "tenant") good = good && ReadTenant(value, &request->tenant);
    if (key == "budget") good = good && ReadBudget(value, &request->budget);
    if (key == "now") {
      const std::optional<absl::Time> now = ReadTime(value);
      good = good && now.has_value();
      request->now = now.value_or(absl::UnixEpoch());
    }
  }
  return good && has_intent;
}

}  // namespace

struct ReferenceLine::Text {
  std::string line;
  std::optional<JsonTree> tree;
};

ReferenceLine::ReferenceLine(absl::string_view line)
    : text_(std::make_unique<Text>()) {
  text_->line = std::string(line);
  text_->tree = reference::ReadJsonTree(text_->line);
}

ReferenceLine::~ReferenceLine() = default;

std::unique_ptr<const ReferenceLine> ReferenceLine::Read(
    absl::string_view line) {
  std::unique_ptr<ReferenceLine> result(new ReferenceLine(line));
  const Text& text = *result->text_;
  if (!text.tree.has_value() ||
      !ReadRequest(*text.tree, text.line, &result->request_)) {
    return nullptr;
  }
  return result;
}

}  // namespace sgl
