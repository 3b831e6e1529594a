#include "bench/predicates.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <cstdlib>
#include <random>
#include <utility>

namespace sgl::bench {
namespace {

constexpr uint64_t kSeed = 42;
constexpr int32_t kRequests = 4'096;
constexpr int32_t kVendorsInSet = 10;

std::string VendorOf(int32_t number) {
  return absl::StrFormat("vendor-%07d", number);
}

std::string PatternOf(int32_t rule) {
  return absl::StrFormat("order [A-Z]%06d-[0-9]+", rule);
}

std::string ConditionOf(PredicateKind kind, int32_t rule) {
  switch (kind) {
    case PredicateKind::kEquality:
      return absl::StrCat("payload.vendor == \"", VendorOf(rule), "\"");
    case PredicateKind::kIn: {
      std::vector<std::string> vendors;
      for (int32_t i = 0; i < kVendorsInSet; ++i) {
        vendors.push_back(
            absl::StrCat("\"", VendorOf(rule * kVendorsInSet + i), "\""));
      }
      return absl::StrCat("payload.vendor in {", absl::StrJoin(vendors, ", "),
                          "}");
    }
    case PredicateKind::kRange:
      return absl::StrCat("payload.amount in $", rule * 10, "..$",
                          rule * 10 + 9);
    case PredicateKind::kBound:
      return absl::StrCat("payload.amount > $", 1'000'000 + rule);
    case PredicateKind::kPrefix:
      return absl::StrCat("payload.vendor starts_with \"", VendorOf(rule),
                          "-\"");
    case PredicateKind::kRegex:
      return absl::StrCat("payload.vendor matches /", PatternOf(rule), "/");
  }
  return "";
}

// Fills in what makes `rule` apply.
void Aim(PredicateKind kind, int32_t rule, int32_t salt,
         PlainRequest& request) {
  switch (kind) {
    case PredicateKind::kEquality:
      request.vendor = VendorOf(rule);
      return;
    case PredicateKind::kIn:
      request.vendor = VendorOf(rule * kVendorsInSet + salt % kVendorsInSet);
      return;
    case PredicateKind::kRange:
      request.amount_micros = (rule * int64_t{10} + salt % 10) * 1'000'000;
      return;
    case PredicateKind::kBound:
      // Above the first and below the second rule's.
      request.amount_micros = 1'000'000'500'000;
      return;
    case PredicateKind::kPrefix:
      request.vendor = absl::StrCat(VendorOf(rule), "-", salt);
      return;
    case PredicateKind::kRegex:
      request.vendor = absl::StrFormat("payment %d for order %c%06d-%d, thanks",
                                       salt, 'A' + salt % 26, rule, salt);
      return;
  }
}

}  // namespace

absl::string_view PredicateName(PredicateKind kind) {
  switch (kind) {
    case PredicateKind::kEquality:
      return "equality";
    case PredicateKind::kIn:
      return "in";
    case PredicateKind::kRange:
      return "range";
    case PredicateKind::kBound:
      return "bound";
    case PredicateKind::kPrefix:
      return "prefix";
    case PredicateKind::kRegex:
      return "regex";
  }
  return "";
}

PredicateWorkload MakePredicates(PredicateKind kind, int32_t rule_count) {
  PredicateWorkload workload;
  workload.policy =
      "policy bench.predicates version 1\nlayer platform\ndefault allow\n\n"
      "intent ORDER { amount: usd, vendor: string }\n";
  for (int32_t i = 0; i < rule_count; ++i) {
    absl::StrAppend(&workload.policy, "review R", i, " on ORDER when ",
                    ConditionOf(kind, i), "\n");
    if (kind == PredicateKind::kRegex) {
      workload.patterns.push_back(PatternOf(i));
    }
  }
  std::mt19937_64 engine(kSeed);
  const auto below = [&engine](int32_t bound) {
    return static_cast<int32_t>(engine() % static_cast<uint64_t>(bound));
  };
  for (int32_t i = 0; i < kRequests; ++i) {
    PlainRequest request;
    request.type = "ORDER";
    request.vendor = absl::StrFormat(
        "payment %d to the vendor whom nobody minds", below(1'000));
    request.amount_micros = -1'000'000;
    if (below(4) != 0) Aim(kind, below(rule_count), below(1'000), request);
    request.payload = absl::StrFormat(
        R"({"amount": %d.%02d, "vendor": "%s"})",
        request.amount_micros / 1'000'000,
        std::abs(request.amount_micros) % 1'000'000 / 10'000, request.vendor);
    workload.requests.push_back(std::move(request));
  }
  return workload;
}

}  // namespace sgl::bench
