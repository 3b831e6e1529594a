#include "bench/workloads.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>

#include <iterator>
#include <random>

#include "base/check.h"

namespace sgl::bench {
namespace {

constexpr uint64_t kSeed = 20'260'301;
constexpr int64_t kMicros = 1'000'000;

// Guardrail's fit a second-level cache together with what decides them, as in
// a gate that has just received them. The others are enough that the rules
// that they touch don't fit there, at 100,000 rules.
constexpr int32_t kGuardrailRequests = 2'048;
constexpr int32_t kIndexedRequests = 8'192;

// Types that no rule of scaled is on.
constexpr int32_t kIdleTypes = 64;

constexpr char kGuardrailPolicy[] = R"(policy bench.guardrail version 1
layer platform
default allow

const REGULATED = {
  GOV_FILING_IRS, BANK_TRANSFER, CRYPTO_TRADE_EXECUTE, CONTRACT_SIGN,
  PAYROLL_RUN, INSURANCE_CLAIM
}

intent * { workflowId: string? }

block ONLY_ATLAS_EXECUTES "only the Atlas executor may act"
  when agent.name != "ATLAS"
review REGULATED_ACTION "a regulated action needs a named human"
  when intent.type in REGULATED
review PHI_PRESENT "health data needs a named human"
  when intent.data_class == PHI
review SPEND_THRESHOLD "spend of ${intent.spend} is at or over $250"
  when intent.spend >= $250
)";

constexpr absl::string_view kFreeTypes[] = {
    "SOCIAL_POST",  "EMAIL_SEND",   "CALENDAR_BOOK", "BROWSER_TASK",
    "FILE_ARCHIVE", "CRM_UPDATE",   "REPORT_DRAFT",  "TICKET_REPLY",
    "LEAD_ENRICH",  "INVOICE_SCAN", "NOTE_TAKE",     "SEARCH_WEB"};

constexpr absl::string_view kOtherActors[] = {"HERMES", "APOLLO", "", "ATLAS2",
                                              "atlas"};

// Draws that are the same with every standard library, which
// std::uniform_int_distribution does not promise.
class Draws {
 public:
  explicit Draws(uint64_t seed) : engine_(seed) {}

  int32_t Below(int32_t bound) {
    return static_cast<int32_t>(engine_() % static_cast<uint64_t>(bound));
  }
  bool Percent(int32_t percent) { return Below(100) < percent; }

 private:
  std::mt19937_64 engine_;
};

std::string TypeOf(int32_t number) {
  return absl::StrFormat("TYPE_%06d", number);
}

// Whole cents, which a double holds and a hand-written reader rounds rightly.
std::string UsdOf(int64_t micros) {
  return absl::StrFormat("%d.%02d", micros / kMicros,
                         micros % kMicros / 10'000);
}

std::string LineOf(const PlainRequest& request) {
  return absl::StrCat(R"({"intent": {"type": ")", request.type,
                      R"(", "spend_usd": )", UsdOf(request.spend_micros),
                      R"(, "data_class": ")", DataClassName(request.data_class),
                      R"(", "payload": )", request.payload,
                      R"(}, "agent": {"name": ")", request.actor, R"("}})");
}

PlainRequest GuardrailRequest(Draws& draws, int32_t number) {
  PlainRequest request;
  request.type = std::string(
      draws.Percent(30)
          ? kGuardrailRegulated[draws.Below(std::ssize(kGuardrailRegulated))]
          : kFreeTypes[draws.Below(std::ssize(kFreeTypes))]);
  request.actor =
      draws.Percent(85)
          ? "ATLAS"
          : std::string(kOtherActors[draws.Below(std::ssize(kOtherActors))]);
  request.spend_micros = draws.Percent(50) ? 0 : draws.Below(50'000) * 10'000;
  request.data_class = draws.Percent(80)   ? DataClass::kNone
                       : draws.Percent(50) ? DataClass::kPii
                                           : DataClass::kPhi;
  request.payload = absl::StrFormat(
      R"({"workflowId": "wf-%05d", "to": "acct-%08d", "memo": "note %d"})",
      draws.Below(100'000), draws.Below(100'000'000), number);
  return request;
}

std::string Letters(Draws& draws, int32_t count) {
  std::string text;
  for (int32_t i = 0; i < count; ++i) {
    text.push_back(static_cast<char>('A' + draws.Below(26)));
  }
  return text;
}

// What follows the prefix; the regex fits the first form only.
std::string VendorTail(Draws& draws, bool fits_regex) {
  return fits_regex ? absl::StrCat(Letters(draws, 2), draws.Below(10), " Ltd")
                    : absl::StrCat(draws.Below(10), Letters(draws, 2), " Inc");
}

PlainRequest IndexedRequest(const Workload& workload, Draws& draws) {
  const int32_t rule_count = static_cast<int32_t>(workload.rules.size());
  const PlainRule& rule =
      workload.rules[static_cast<size_t>(draws.Below(rule_count))];
  PlainRequest request;
  request.actor = "ATLAS";
  request.type = rule.type;
  const bool is_idle = draws.Percent(25);
  if (is_idle) request.type = absl::StrCat("IDLE_", draws.Below(kIdleTypes));
  request.amount_micros =
      draws.Percent(70)
          ? rule.amount_micros + (1 + draws.Below(100'000)) * 10'000
          : draws.Below(static_cast<int32_t>(rule.amount_micros / 10'000)) *
                int64_t{10'000};
  absl::string_view prefix = rule.vendor_prefix;
  if (draws.Percent(25)) {
    prefix = workload.rules[static_cast<size_t>(draws.Below(rule_count))]
                 .vendor_prefix;
  }
  request.vendor = absl::StrCat(prefix, VendorTail(draws, draws.Percent(80)));
  request.payload = absl::StrCat(R"({"amount": )", UsdOf(request.amount_micros),
                                 R"(, "vendor": ")", request.vendor, R"("})");
  return request;
}

std::vector<PlainRule> MakeRules(WorkloadKind kind, int32_t rule_count,
                                 Draws& draws) {
  std::vector<PlainRule> rules;
  for (int32_t i = 0; i < rule_count; ++i) {
    PlainRule rule;
    rule.type = TypeOf(kind == WorkloadKind::kShared ? i % kSharedTypes : i);
    rule.amount_micros = (10 + draws.Below(9'990)) * kMicros;
    rule.vendor_prefix = absl::StrFormat("V%06d-", i);
    rule.is_regex = i % 2 == 1;
    rule.is_block = i % 4 >= 2;
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::string IndexedPolicy(WorkloadKind kind,
                          const std::vector<PlainRule>& rules) {
  std::string policy = absl::StrCat("policy bench.", WorkloadName(kind),
                                    " version 1\nlayer platform\n"
                                    "default allow\n\n");
  const auto declare = [&](absl::string_view type) {
    absl::StrAppend(&policy, "intent ", type,
                    " { amount: usd, vendor: string }\n");
  };
  const bool is_tested = kind == WorkloadKind::kTested;
  if (is_tested) {
    declare("*");
  } else {
    const int32_t type_count =
        kind == WorkloadKind::kShared ? kSharedTypes : std::ssize(rules);
    for (int32_t i = 0; i < type_count; ++i) declare(TypeOf(i));
    for (int32_t i = 0; i < kIdleTypes; ++i) declare(absl::StrCat("IDLE_", i));
  }
  for (size_t i = 0; i < rules.size(); ++i) {
    const PlainRule& rule = rules[i];
    absl::StrAppend(&policy, rule.is_block ? "block R" : "review R", i);
    absl::StrAppend(&policy, is_tested ? " when intent.type == " : " on ",
                    rule.type, is_tested ? " and" : " when");
    absl::StrAppend(&policy, " payload.amount > $",
                    rule.amount_micros / kMicros, " and payload.vendor ");
    if (rule.is_regex) {
      absl::StrAppend(&policy, "matches /^", rule.vendor_prefix,
                      "[A-Z][A-Z][0-9]/\n");
    } else {
      absl::StrAppend(&policy, "starts_with \"", rule.vendor_prefix, "\"\n");
    }
  }
  return policy;
}

}  // namespace

absl::string_view WorkloadName(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::kGuardrail:
      return "guardrail";
    case WorkloadKind::kScaled:
      return "scaled";
    case WorkloadKind::kShared:
      return "shared";
    case WorkloadKind::kTested:
      return "tested";
  }
  return "";
}

Workload MakeWorkload(WorkloadKind kind, int32_t rule_count) {
  SGL_CHECK(rule_count >= 1 && rule_count <= 1'000'000) << rule_count;
  Draws draws(kSeed);
  Workload workload;
  workload.kind = kind;
  if (kind == WorkloadKind::kGuardrail) {
    workload.policy = kGuardrailPolicy;
    for (int32_t i = 0; i < kGuardrailRequests; ++i) {
      workload.requests.push_back(GuardrailRequest(draws, i));
    }
  } else {
    workload.rules = MakeRules(kind, rule_count, draws);
    workload.policy = IndexedPolicy(kind, workload.rules);
    for (int32_t i = 0; i < kIndexedRequests; ++i) {
      workload.requests.push_back(IndexedRequest(workload, draws));
    }
  }
  for (PlainRequest& request : workload.requests) {
    request.line = LineOf(request);
  }
  return workload;
}

Request RequestOf(const PlainRequest& plain) {
  Request request;
  request.intent.type = plain.type;
  request.intent.spend_micros_usd = plain.spend_micros;
  request.intent.data_class = plain.data_class;
  request.intent.payload = plain.payload;
  request.agent.known = true;
  request.agent.name = plain.actor;
  return request;
}

}  // namespace sgl::bench
