#include "bench/hand_written.h"

#include <cmath>
#include <cstring>

#include "base/check.h"

namespace sgl::bench {
namespace {

using simdjson::ondemand::object;

constexpr int64_t kSpendMax = 250'000'000;

bool IsRegulated(absl::string_view type) {
  switch (type.size()) {
    case 11:
      return type == "PAYROLL_RUN";
    case 13:
      return type == "BANK_TRANSFER" || type == "CONTRACT_SIGN";
    case 14:
      return type == "GOV_FILING_IRS";
    case 15:
      return type == "INSURANCE_CLAIM";
    case 20:
      return type == "CRYPTO_TRADE_EXECUTE";
    default:
      return false;
  }
}

uint64_t PrefixOf(absl::string_view vendor) {
  uint64_t prefix = 0;
  if (vendor.size() >= sizeof(prefix)) {
    std::memcpy(&prefix, vendor.data(), sizeof(prefix));
  }
  return prefix;
}

bool IsLetter(char c) { return c >= 'A' && c <= 'Z'; }

// Whether `[A-Z][A-Z][0-9]` follows the prefix.
bool FitsTail(absl::string_view vendor) {
  return vendor.size() >= 11 && IsLetter(vendor[8]) && IsLetter(vendor[9]) &&
         vendor[10] >= '0' && vendor[10] <= '9';
}

// Decides by the one rule that can apply.
// REQUIRES: type and prefix are the rule's.
HandVerdict DecideBy(const HandRule& rule, const HandRequest& request) {
  HandVerdict verdict;
  if (request.amount_micros <= rule.amount_micros) return verdict;
  if (rule.is_regex && !FitsTail(request.vendor)) return verdict;
  verdict.kind = rule.is_block ? DecisionKind::kBlock : DecisionKind::kReview;
  verdict.rules[0] = rule.number;
  verdict.rule_count = 1;
  return verdict;
}

HandRule HandRuleOf(const Workload& workload, size_t number) {
  const PlainRule& rule = workload.rules[number];
  return {.amount_micros = rule.amount_micros,
          .vendor_prefix = PrefixOf(rule.vendor_prefix),
          .number = static_cast<int32_t>(number),
          .is_regex = rule.is_regex,
          .is_block = rule.is_block};
}

bool ReadText(object& object, const char* key, absl::string_view* text) {
  auto value = object.find_field_unordered(key).get_string();
  if (value.error() != simdjson::SUCCESS) return false;
  *text = absl::string_view(value.value_unsafe().data(),
                            value.value_unsafe().size());
  return true;
}

// Two decimals survive a double, so that this is right for the workloads'
// amounts.
bool ReadUsd(object& object, const char* key, int64_t* micros) {
  double value = 0;
  if (object.find_field_unordered(key).get(value) != simdjson::SUCCESS) {
    return false;
  }
  *micros = std::llround(value * 1e6);
  return true;
}

}  // namespace

HandRequest HandRequestOf(const PlainRequest& plain) {
  return {.type = plain.type,
          .actor = plain.actor,
          .vendor = plain.vendor,
          .spend_micros = plain.spend_micros,
          .amount_micros = plain.amount_micros,
          .data_class = plain.data_class};
}

HandVerdict DecideGuardrail(const HandRequest& request) {
  HandVerdict verdict;
  if (request.actor != "ATLAS") {
    // Milder rules can't be heard any more.
    verdict.kind = DecisionKind::kBlock;
    verdict.rules[0] = kOnlyAtlasExecutes;
    verdict.rule_count = 1;
    return verdict;
  }
  int32_t count = 0;
  if (IsRegulated(request.type)) verdict.rules[count++] = kRegulatedAction;
  if (request.data_class == DataClass::kPhi) {
    verdict.rules[count++] = kPhiPresent;
  }
  if (request.spend_micros >= kSpendMax) {
    verdict.rules[count++] = kSpendThreshold;
  }
  verdict.rule_count = count;
  if (count > 0) verdict.kind = DecisionKind::kReview;
  return verdict;
}

HandScaled::HandScaled(const Workload& workload) {
  rules_.reserve(workload.rules.size());
  for (size_t i = 0; i < workload.rules.size(); ++i) {
    const bool is_new =
        rules_.try_emplace(workload.rules[i].type, HandRuleOf(workload, i))
            .second;
    SGL_CHECK(is_new) << workload.rules[i].type;
  }
}

HandVerdict HandScaled::Decide(const HandRequest& request) const {
  const auto found = rules_.find(request.type);
  if (found == rules_.end()) return {};
  if (PrefixOf(request.vendor) != found->second.vendor_prefix) return {};
  return DecideBy(found->second, request);
}

HandShared::HandShared(const Workload& workload) {
  rules_.reserve(workload.rules.size());
  for (size_t i = 0; i < workload.rules.size(); ++i) {
    const uint32_t type = types_
                              .try_emplace(workload.rules[i].type,
                                           static_cast<uint32_t>(types_.size()))
                              .first->second;
    const HandRule rule = HandRuleOf(workload, i);
    rules_.try_emplace({rule.vendor_prefix, type}, rule);
  }
}

HandVerdict HandShared::Decide(const HandRequest& request) const {
  const auto type = types_.find(request.type);
  if (type == types_.end()) return {};
  const auto found = rules_.find({PrefixOf(request.vendor), type->second});
  if (found == rules_.end()) return {};
  return DecideBy(found->second, request);
}

bool HandReader::ReadGuardrail(simdjson::padded_string_view line,
                               HandRequest& request) {
  simdjson::ondemand::document document;
  object root;
  object intent;
  object agent;
  absl::string_view data_class;
  if (parser_.iterate(line).get(document) != simdjson::SUCCESS ||
      document.get_object().get(root) != simdjson::SUCCESS ||
      root.find_field_unordered("intent").get(intent) != simdjson::SUCCESS ||
      !ReadText(intent, "type", &request.type) ||
      !ReadUsd(intent, "spend_usd", &request.spend_micros) ||
      !ReadText(intent, "data_class", &data_class) ||
      root.find_field_unordered("agent").get(agent) != simdjson::SUCCESS ||
      !ReadText(agent, "name", &request.actor)) {
    return false;
  }
  request.data_class = data_class == "PHI"   ? DataClass::kPhi
                       : data_class == "PII" ? DataClass::kPii
                                             : DataClass::kNone;
  return true;
}

bool HandReader::ReadIndexed(simdjson::padded_string_view line,
                             HandRequest& request) {
  simdjson::ondemand::document document;
  object root;
  object intent;
  object payload;
  return parser_.iterate(line).get(document) == simdjson::SUCCESS &&
         document.get_object().get(root) == simdjson::SUCCESS &&
         root.find_field_unordered("intent").get(intent) == simdjson::SUCCESS &&
         ReadText(intent, "type", &request.type) &&
         intent.find_field_unordered("payload").get(payload) ==
             simdjson::SUCCESS &&
         ReadUsd(payload, "amount", &request.amount_micros) &&
         ReadText(payload, "vendor", &request.vendor);
}

}  // namespace sgl::bench
