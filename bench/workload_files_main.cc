// Writes a workload for evaluators that are no C++:
//
//   workload_files FOLDER guardrail|scaled|shared|tested RULES
//
// policy.sgl and requests.jsonl are what `sgl` reads; rules.json lists the same
// rules as plain values (none of guardrail's, which are four lines in any
// language).

#include <absl/strings/numbers.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "bench/workloads.h"

namespace sgl::bench {
namespace {

std::optional<WorkloadKind> KindOf(absl::string_view name) {
  for (const WorkloadKind kind :
       {WorkloadKind::kGuardrail, WorkloadKind::kScaled, WorkloadKind::kShared,
        WorkloadKind::kTested}) {
    if (WorkloadName(kind) == name) return kind;
  }
  return std::nullopt;
}

// Returns whether all was written.
bool WriteFiles(const std::string& folder, const Workload& workload) {
  std::ofstream policy(folder + "/policy.sgl", std::ios::binary);
  policy << workload.policy;
  std::ofstream requests(folder + "/requests.jsonl", std::ios::binary);
  for (const PlainRequest& request : workload.requests) {
    requests << request.line << "\n";
  }
  nlohmann::json list = nlohmann::json::array();
  for (const PlainRule& rule : workload.rules) {
    list.push_back({{"type", rule.type},
                    {"amount_cents", rule.amount_micros / 10'000},
                    {"vendor_prefix", rule.vendor_prefix},
                    {"is_regex", rule.is_regex},
                    {"is_block", rule.is_block}});
  }
  std::ofstream rules(folder + "/rules.json", std::ios::binary);
  rules << list.dump() << "\n";
  policy.close();
  requests.close();
  rules.close();
  return !policy.fail() && !requests.fail() && !rules.fail();
}

}  // namespace
}  // namespace sgl::bench

int main(int argc, char** argv) {
  int rules = 0;
  const std::optional<sgl::bench::WorkloadKind> kind =
      argc == 4 ? sgl::bench::KindOf(argv[2]) : std::nullopt;
  if (!kind.has_value() || !absl::SimpleAtoi(argv[3], &rules) || rules < 1 ||
      rules > 1'000'000) {
    std::cerr << "usage: workload_files FOLDER "
                 "guardrail|scaled|shared|tested RULES\n";
    return 2;
  }
  if (!sgl::bench::WriteFiles(argv[1],
                              sgl::bench::MakeWorkload(*kind, rules))) {
    std::cerr << "workload_files: can't write into `" << argv[1] << "`\n";
    return 2;
  }
  return 0;
}
