#include "tools/intentctl/audit_verdict.h"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

namespace sgl::tools {
namespace {

using engine::AuditFinding;
using engine::AuditReport;

// Findings and unsealed entries that are printed.
constexpr size_t kShownMax = 20;

const char* Name(const Verdict& verdict) {
  switch (verdict.ExitStatus()) {
    case kExitOk:
      return "INTACT";
    case kExitFailed:
      return "TAMPERED";
    default:
      return "CANNOT_TELL";
  }
}

void PrintVerdictJson(const Verdict& verdict) {
  const AuditReport& report = verdict.report;
  nlohmann::ordered_json line;
  line["log"] = verdict.log_id;
  line["verdict"] = Name(verdict);
  if (!verdict.doubt.empty()) line["doubt"] = verdict.doubt;
  line["sealed_count"] = report.sealed_count;
  line["unsealed_count"] = report.unsealed_count;
  line["signed_size"] = report.signed_size;
  line["outside_head_size"] = report.head_size;
  line["finding_count"] = report.finding_count;
  line["findings"] = nlohmann::json::array();
  for (const AuditFinding& finding : report.findings) {
    nlohmann::ordered_json item{{"kind", finding.kind},
                                {"entry_id", finding.entry_id},
                                {"message", finding.message}};
    if (finding.sequence.has_value()) item["sequence"] = *finding.sequence;
    line["findings"].push_back(item);
  }
  line["unsealed"] = nlohmann::json::array();
  for (const engine::UnsealedNote& entry : report.unsealed) {
    line["unsealed"].push_back({{"id", entry.id}, {"action", entry.action}});
  }
  std::cout << line.dump() << "\n";
}

void PrintUnsealed(const AuditReport& report) {
  if (report.unsealed_count == 0) return;
  std::cout << report.unsealed_count
            << " entries are younger than the last seal and not proved yet:\n";
  for (size_t i = 0; i < std::min(kShownMax, report.unsealed.size()); ++i) {
    std::cout << "  " << report.unsealed[i].id << "  "
              << report.unsealed[i].action << "\n";
  }
}

void PrintVerdict(const Verdict& verdict) {
  const AuditReport& report = verdict.report;
  std::cout << "log " << (verdict.log_id.empty() ? "?" : verdict.log_id) << ": "
            << report.sealed_count << " sealed entries\n";
  for (size_t i = 0; i < std::min(kShownMax, report.findings.size()); ++i) {
    std::cout << (i == 0 ? "TAMPERED: " : "  also: ")
              << report.findings[i].message << "\n";
  }
  const auto more = report.finding_count - static_cast<int64_t>(kShownMax);
  if (more > 0) std::cout << "  and " << more << " findings more\n";
  PrintUnsealed(report);
  if (!verdict.has_keys) {
    std::cout << "signatures: not looked at; give --public-key\n";
  } else {
    std::cout << "signatures: good for the first " << report.signed_size
              << " entries"
              << (verdict.IsSigned() ? "" : ", and none for those after them")
              << "\n";
  }
  if (!verdict.doubt.empty()) std::cout << verdict.doubt << "\n";
  if (verdict.has_heads) {
    std::cout << "head from outside: the log agrees up to entry "
              << report.head_size << "\n";
  } else {
    std::cout << "head from outside: none of this log was given; a log that "
                 "was rolled back or written anew together with its seals "
                 "would pass\n";
  }
  const int status = verdict.ExitStatus();
  std::cout << (status == kExitOk       ? "intact\n"
                : status == kExitFailed ? "tampered with\n"
                                        : "can't tell\n");
}

}  // namespace

bool Verdict::IsSigned() const {
  return !has_keys || report.signed_size >= report.sealed_count;
}

int Verdict::ExitStatus() const {
  if (report.finding_count > 0) return kExitFailed;
  return IsSigned() && doubt.empty() ? kExitOk : kExitCantTell;
}

int Conclude(const Client& client, const Verdict& verdict) {
  if (client.json) {
    PrintVerdictJson(verdict);
  } else {
    PrintVerdict(verdict);
  }
  return verdict.ExitStatus();
}

int CantTell(const absl::Status& status) {
  ReportError("verify the audit log", status);
  return kExitCantTell;
}

}  // namespace sgl::tools
