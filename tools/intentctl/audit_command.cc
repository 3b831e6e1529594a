// `intentctl audit keygen|list|verify|export`: what happened, and the proof of
// it. Listing and verifying go over gRPC; with DIRECT_URL, or from an export,
// everything is recomputed here and no server is trusted.

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/audit_key.h"
#include "engine/files.h"
#include "tools/intentctl/audit_files.h"
#include "tools/intentctl/audit_source.h"
#include "tools/intentctl/audit_verify.h"
#include "tools/intentctl/commands.h"

namespace sgl::tools {
namespace {

int Export(const Client& client, const LogFlags& flags,
           const std::string& folder) {
  absl::StatusOr<std::unique_ptr<storage::Database>> db = OpenDirect(flags);
  if (!db.ok()) return ReportError("export the audit log", db.status());
  const absl::StatusOr<std::string> log_id = FindLog(**db, flags);
  if (!log_id.ok()) return ReportError("export the audit log", log_id.status());
  const absl::StatusOr<ExportCounts> counts =
      ExportAuditLog(**db, *log_id, folder);
  if (!counts.ok()) return ReportError("export the audit log", counts.status());
  if (client.json) {
    std::cout << nlohmann::ordered_json{{"log", *log_id},
                                        {"entries", counts->entries},
                                        {"seals", counts->seals},
                                        {"segments", counts->segments},
                                        {"unsealed", counts->unsealed}}
                     .dump()
              << "\n";
  } else {
    std::cout << "log " << *log_id << ": " << counts->entries << " entries in "
              << counts->segments << " segments; " << counts->unsealed
              << " not sealed yet\n";
  }
  return kExitOk;
}

int Keygen(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    std::cerr << "error: `" << path << "` is there already: a key that is "
              << "overwritten can't sign any more\n";
    return kExitFailed;
  }
  const engine::AuditKey key = engine::AuditKey::Generate();
  const absl::Status written = engine::WriteFileWhole(path, key.Pem(), 0600);
  if (!written.ok()) return ReportError("write the key", written);
  std::cout << key.public_key().Pem();
  std::cerr << "key " << key.public_key().id()
            << "; the public half is on stdout: keep it where the database's "
               "administrators can't change it\n";
  return kExitOk;
}

struct ListFlags {
  intent::v1::ListAuditEntriesRequest request;
  std::string level;
  std::string since;
  std::string until;
  int count = 50;
};

absl::Status FillFilter(ListFlags& flags) {
  using google::protobuf::util::TimeUtil;
  auto* filter = flags.request.mutable_filter();
  if (!flags.level.empty()) {
    intent::v1::AuditLevel level;
    if (!intent::v1::AuditLevel_Parse(absl::StrCat("AUDIT_LEVEL_", flags.level),
                                      &level)) {
      return absl::InvalidArgumentError(
          "--level takes INFO, WARN, ERROR or SECURITY");
    }
    filter->set_level(level);
  }
  if (!flags.since.empty() &&
      !TimeUtil::FromString(flags.since, filter->mutable_start_time())) {
    return absl::InvalidArgumentError(
        "--since takes a time such as 2026-11-01T00:00:00Z");
  }
  if (!flags.until.empty() &&
      !TimeUtil::FromString(flags.until, filter->mutable_end_time())) {
    return absl::InvalidArgumentError(
        "--until takes a time such as 2026-12-01T00:00:00Z");
  }
  return absl::OkStatus();
}

void PrintEntry(const intent::v1::AuditEntry& entry) {
  using google::protobuf::util::TimeUtil;
  const std::string level = intent::v1::AuditLevel_Name(entry.level());
  std::cout << absl::StreamFormat(
      "%s  %-8s  %-24s %s %s\n", TimeUtil::ToString(entry.create_time()),
      level.substr(sizeof("AUDIT_LEVEL_") - 1), absl::CEscape(entry.action()),
      absl::CEscape(entry.entity_type()), entry.entity_id());
}

int List(const Client& client, ListFlags& flags) {
  const absl::Status filled = FillFilter(flags);
  if (!filled.ok()) {
    ReportError("list audit entries", filled);
    return kExitUsage;
  }
  const absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) {
    return ReportError("list audit entries", connection.status());
  }
  constexpr int kPageMax = 200;
  int left = flags.count;
  do {
    grpc::ClientContext context;
    connection->Prepare(context);
    flags.request.set_page_size(std::min(left, kPageMax));
    intent::v1::ListAuditEntriesResponse response;
    const grpc::Status status =
        connection->audit->ListAuditEntries(&context, flags.request, &response);
    if (!status.ok()) return ReportError("list audit entries", status);
    for (const auto& entry : response.audit_entries()) {
      if (client.json) {
        PrintJson(entry);
      } else {
        PrintEntry(entry);
      }
    }
    left -= response.audit_entries_size();
    flags.request.set_page_token(response.next_page_token());
  } while (left > 0 && !flags.request.page_token().empty());
  return kExitOk;
}

void AddList(CLI::App& audit, Client& client, Run& run) {
  auto flags = std::make_shared<ListFlags>();
  CLI::App* list = audit.add_subcommand("list", "show entries, newest first");
  list->footer(
      "example:\n  intentctl audit list --entity 0190d3f6-… --level SECURITY");
  auto* filter = flags->request.mutable_filter();
  list->add_option("--entity", *filter->mutable_entity_id(),
                   "of this intent, memo, token, …");
  list->add_option("--entity-type", *filter->mutable_entity_type(),
                   "intent, decision_memo, token, …");
  list->add_option("--action", *filter->mutable_action(),
                   "such as SGL_EVALUATED");
  list->add_option("--level", flags->level, "INFO, WARN, ERROR or SECURITY");
  list->add_option("--since", flags->since, "from this time on");
  list->add_option("--until", flags->until, "before this time");
  list->add_option("--count", flags->count, "at most so many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  auto platform = std::make_shared<bool>(false);
  list->add_flag("--platform", *platform, "the platform's log");
  list->callback([&client, &run, flags, platform] {
    if (client.principal.empty()) client.principal = "operator";
    flags->request.set_platform(*platform);
    run = [&client, flags] { return List(client, *flags); };
  });
}

void AddVerify(CLI::App& audit, Client& client, Run& run) {
  auto flags = std::make_shared<VerifyFlags>();
  CLI::App* verify = audit.add_subcommand(
      "verify",
      "recompute a log and name the first entry that was changed, dropped, "
      "added or reordered; exits 0 where it is intact, 1 where it was tampered "
      "with, 2 where that can't be told");
  verify->footer(
      "examples:\n"
      "  intentctl audit verify --heads heads.jsonl --public-key key.pub\n"
      "  intentctl audit verify --direct-url postgresql://… --tenant acme\n"
      "  intentctl audit verify --export DIR --public-key key.pub");
  AddLogFlags(*verify, flags->log, /*needs_url=*/false);
  verify->add_option("--export", flags->export_folder,
                     "a folder that `audit export` wrote; needs no server");
  verify->add_option("--heads", flags->heads_path,
                     "heads that were kept outside: the file of "
                     "`--audit-heads`");
  verify->add_option("--head", flags->head_line,
                     "one of them, as its line of JSON, or @FILE");
  verify->add_option("--public-key", flags->key_paths,
                     "PEM file of the key that signs; may be repeated");
  verify->callback([&client, &run, flags] {
    if (client.principal.empty()) client.principal = "operator";
    run = [&client, flags] { return Verify(client, *flags); };
  });
}

}  // namespace

void AddAuditCommand(CLI::App& app, Client& client, Run& run) {
  CLI::App* audit = app.add_subcommand(
      "audit", "the audit log, and the proof that nobody changed it");
  audit->require_subcommand(1);
  AddList(*audit, client, run);
  AddVerify(*audit, client, run);

  auto log = std::make_shared<LogFlags>();
  auto folder = std::make_shared<std::string>();
  CLI::App* exported = audit->add_subcommand(
      "export", "write a log into a folder that can be verified anywhere");
  exported->footer(
      "example:\n  intentctl audit export --tenant acme --out DIR");
  AddLogFlags(*exported, *log, /*needs_url=*/true);
  exported->add_option("--out", *folder, "where to")->required();
  exported->callback([&client, &run, log, folder] {
    run = [&client, log, folder] { return Export(client, *log, *folder); };
  });

  auto path = std::make_shared<std::string>();
  CLI::App* keygen = audit->add_subcommand(
      "keygen", "make the key that signs heads; prints its public half");
  keygen->footer(
      "example:\n  intentctl audit keygen --out audit-key.pem > audit-key.pub");
  keygen->add_option("--out", *path, "file of the private key, mode 0600")
      ->required();
  keygen->callback([&run, path] { run = [path] { return Keygen(*path); }; });
}

}  // namespace sgl::tools
