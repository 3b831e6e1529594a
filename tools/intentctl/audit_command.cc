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
#include <optional>
#include <string>
#include <vector>

#include "engine/audit_head.h"
#include "engine/audit_key.h"
#include "engine/audit_reader.h"
#include "engine/audit_verifier.h"
#include "engine/files.h"
#include "storage/identity.h"
#include "tools/intentctl/audit_files.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/direct.h"

namespace sgl::tools {
namespace {

using engine::AuditFinding;
using engine::AuditReport;
using storage::SealHead;

// What verify answers where nothing is known to be wrong and not all could be
// looked at.
constexpr int kExitCantTell = kExitUsage;
constexpr int64_t kEntriesAtOnce = 5000;
// Heads that one call carries; the newest say all that the others do.
constexpr size_t kHeadsSentMax = 1000;
// Findings and unsealed entries that are printed.
constexpr size_t kShownMax = 20;

struct LogFlags {
  std::string direct_url;
  std::string tenant_slug;
  bool platform = false;
};

struct VerifyFlags {
  LogFlags log;
  std::string export_folder;
  std::string heads_path;
  std::string head_line;
  std::vector<std::string> key_paths;
};

// What outside the log its verification leans on.
struct Witnesses {
  std::vector<SealHead> heads;
  std::vector<engine::AuditPublicKey> keys;
};

absl::StatusOr<Witnesses> ReadWitnesses(const VerifyFlags& flags) {
  Witnesses witnesses;
  for (const std::string& path : flags.key_paths) {
    const absl::StatusOr<std::string> pem = engine::ReadFile(path);
    if (!pem.ok()) return pem.status();
    const auto key = engine::AuditPublicKey::FromPem(*pem);
    if (!key.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("`", path, "`: ", key.status().message()));
    }
    witnesses.keys.push_back(*key);
  }
  if (!flags.heads_path.empty()) {
    absl::StatusOr<std::vector<SealHead>> heads =
        ReadHeadsFile(flags.heads_path);
    if (!heads.ok()) return heads.status();
    witnesses.heads = *std::move(heads);
  }
  if (!flags.head_line.empty()) {
    const absl::StatusOr<std::string> text = ReadArgument(flags.head_line);
    if (!text.ok()) return text.status();
    const absl::StatusOr<SealHead> head = engine::ParseHeadJson(*text);
    if (!head.ok()) return head.status();
    witnesses.heads.push_back(*head);
  }
  return witnesses;
}

bool IsSignedByOneOf(const SealHead& head,
                     const std::vector<engine::AuditPublicKey>& keys) {
  return std::any_of(keys.begin(), keys.end(), [&](const auto& key) {
    return key.id() == head.key_id &&
           key.Verify(engine::HeadNote(head), head.signature);
  });
}

// Leaves the heads of one log. A head that the given keys didn't sign is no
// witness.
absl::Status KeepWitnessesOf(const std::string& log_id, Witnesses& witnesses) {
  std::erase_if(witnesses.heads,
                [&](const SealHead& head) { return head.log_id != log_id; });
  if (witnesses.keys.empty()) return absl::OkStatus();
  for (const SealHead& head : witnesses.heads) {
    if (IsSignedByOneOf(head, witnesses.keys)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the head of size ", head.tree_size,
        " that was kept outside is not signed by a key that was given"));
  }
  return absl::OkStatus();
}

// Everything that verify has to say about one log.
struct Verdict {
  std::string log_id;
  AuditReport report;
  bool has_heads = false;
  bool has_keys = false;

  bool IsSigned() const {
    return !has_keys || report.signed_size >= report.sealed_count;
  }
  int ExitStatus() const {
    if (report.finding_count > 0) return kExitFailed;
    return IsSigned() ? kExitOk : kExitCantTell;
  }
};

void PrintVerdictJson(const Verdict& verdict) {
  const AuditReport& report = verdict.report;
  nlohmann::ordered_json line;
  line["log"] = verdict.log_id;
  line["verdict"] = report.finding_count > 0 ? "TAMPERED"
                    : verdict.IsSigned()     ? "INTACT"
                                             : "CANNOT_TELL";
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
  std::cout << "log " << verdict.log_id << ": " << report.sealed_count
            << " sealed entries\n";
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
  if (verdict.has_heads) {
    std::cout << "head from outside: the log agrees up to entry "
              << report.head_size << "\n";
  } else {
    std::cout << "head from outside: none was given; a log that was rolled "
                 "back or written anew together with its seals would pass\n";
  }
  const int status = verdict.ExitStatus();
  std::cout << (status == kExitOk       ? "intact\n"
                : status == kExitFailed ? "tampered with\n"
                                        : "can't tell\n");
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

// Opens DIRECT_URL and finds the log that the flags name.
absl::StatusOr<std::string> FindLog(storage::Database& db,
                                    const LogFlags& flags) {
  if (flags.platform) return std::string(storage::kPlatformLog);
  if (flags.tenant_slug.empty()) {
    return absl::InvalidArgumentError(
        "which log? give --tenant SLUG or --platform");
  }
  absl::StatusOr<storage::Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  return storage::FindTenant(*tx, flags.tenant_slug);
}

absl::StatusOr<std::unique_ptr<storage::Database>> OpenDirect(
    const LogFlags& flags) {
  return storage::Database::Create(flags.direct_url,
                                   {.connections_max = 1,
                                    .statement_timeout = absl::Minutes(5),
                                    .application_name = "intentctl"});
}

absl::Status FeedDirect(storage::Database& db, const std::string& log_id,
                        engine::AuditVerifier* verifier) {
  engine::AuditCursor cursor;
  while (!cursor.is_done) {
    absl::StatusOr<storage::Transaction> tx =
        db.Begin({.tenants = {storage::ReaderOfLog(log_id)}});
    if (!tx.ok()) return tx.status();
    const absl::Status fed =
        engine::FeedVerifier(*tx, log_id, kEntriesAtOnce, &cursor, verifier);
    if (!fed.ok()) return fed;
  }
  return absl::OkStatus();
}

// Recomputes the log here, from an export or from the database's rows.
int VerifyHere(const Client& client, const VerifyFlags& flags,
               Witnesses witnesses) {
  std::unique_ptr<storage::Database> db;
  absl::StatusOr<std::string> log_id;
  if (!flags.export_folder.empty()) {
    log_id = ExportedLog(flags.export_folder);
  } else {
    absl::StatusOr<std::unique_ptr<storage::Database>> opened =
        OpenDirect(flags.log);
    if (!opened.ok()) return CantTell(opened.status());
    db = *std::move(opened);
    log_id = FindLog(*db, flags.log);
  }
  if (!log_id.ok()) return CantTell(log_id.status());
  absl::Status status = KeepWitnessesOf(*log_id, witnesses);
  if (!status.ok()) return CantTell(status);
  Verdict verdict{.log_id = *log_id,
                  .report = {},
                  .has_heads = !witnesses.heads.empty(),
                  .has_keys = !witnesses.keys.empty()};
  engine::AuditVerifier verifier(
      {.log_id = *log_id, .heads = witnesses.heads, .keys = witnesses.keys});
  status = db == nullptr ? FeedExport(flags.export_folder, &verifier)
                         : FeedDirect(*db, *log_id, &verifier);
  if (!status.ok()) return CantTell(status);
  verdict.report = verifier.Finish();
  return Conclude(client, verdict);
}

// Adds what one call found.
void Collect(const intent::v1::VerifyAuditLogResponse& response,
             AuditReport& report) {
  for (const auto& finding : response.findings()) {
    ++report.finding_count;
    AuditFinding item{.kind = finding.kind(),
                      .entry_id = finding.entry_id(),
                      .message = finding.message()};
    if (finding.has_sequence()) item.sequence = finding.sequence();
    report.findings.push_back(std::move(item));
  }
  report.sealed_count += response.sealed_count();
  report.unsealed_count += response.unsealed_count();
  report.head_size = std::max(report.head_size, response.agreed_tree_size());
  for (const auto& entry : response.unsealed_entries()) {
    report.unsealed.push_back({.id = entry.id(), .action = entry.action()});
  }
}

// Checks what the server can't make up: the signature of its newest head, and
// the proof that the newest head from outside is its beginning.
absl::Status CheckServersHead(const Connection& connection, bool platform,
                              const Witnesses& witnesses, Verdict& verdict) {
  const auto newest =
      std::max_element(witnesses.heads.begin(), witnesses.heads.end(),
                       [](const SealHead& a, const SealHead& b) {
                         return a.tree_size < b.tree_size;
                       });
  grpc::ClientContext context;
  connection.Prepare(context);
  intent::v1::GetTreeHeadRequest request;
  intent::v1::GetTreeHeadResponse response;
  request.set_platform(platform);
  if (newest != witnesses.heads.end()) {
    request.set_known_tree_size(newest->tree_size);
  }
  const grpc::Status status =
      connection.audit->GetTreeHead(&context, request, &response);
  // A log that is smaller than the head was reported as rolled back.
  if (!status.ok() || !response.has_tree_head()) return absl::OkStatus();
  const absl::StatusOr<SealHead> head =
      engine::ParseHeadJson(response.tree_head().json());
  if (!head.ok()) return head.status();
  verdict.log_id = head->log_id;
  if (IsSignedByOneOf(*head, witnesses.keys)) {
    verdict.report.signed_size = head->tree_size;
  } else if (verdict.has_keys && !head->signature.empty()) {
    ++verdict.report.finding_count;
    verdict.report.findings.push_back(
        {.kind = "WRONG_SIGNATURE",
         .message = "the newest head is not signed by a key that was given"});
  }
  if (newest == witnesses.heads.end()) return absl::OkStatus();
  const std::vector<std::string> path(response.consistency_path().begin(),
                                      response.consistency_path().end());
  if (!engine::VerifyConsistency({.old_size = newest->tree_size,
                                  .old_root = newest->root_hash,
                                  .new_size = head->tree_size,
                                  .new_root = head->root_hash},
                                 path)) {
    ++verdict.report.finding_count;
    verdict.report.findings.push_back(
        {.kind = "FORKED",
         .message = "the newest head from outside is not the beginning of "
                    "the log that the server has"});
  }
  return absl::OkStatus();
}

int VerifyOnline(const Client& client, const VerifyFlags& flags,
                 Witnesses witnesses) {
  const absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return CantTell(connection.status());
  intent::v1::VerifyAuditLogRequest request;
  request.set_platform(flags.log.platform);
  std::sort(witnesses.heads.begin(), witnesses.heads.end(),
            [](const SealHead& a, const SealHead& b) {
              return a.tree_size > b.tree_size;
            });
  // Which log it is the token says: others' heads are left aside there.
  for (const SealHead& head : witnesses.heads) {
    if (request.known_heads_size() == static_cast<int>(kHeadsSentMax)) break;
    request.add_known_heads(engine::HeadJson(head));
  }
  Verdict verdict;
  do {
    grpc::ClientContext context;
    connection->Prepare(context);
    intent::v1::VerifyAuditLogResponse response;
    const grpc::Status status =
        connection->audit->VerifyAuditLog(&context, request, &response);
    if (!status.ok()) {
      ReportError("verify the audit log", status);
      return kExitCantTell;
    }
    Collect(response, verdict.report);
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  grpc::ClientContext context;
  connection->Prepare(context);
  intent::v1::GetTreeHeadRequest head_request;
  intent::v1::GetTreeHeadResponse head;
  head_request.set_platform(flags.log.platform);
  const grpc::Status status =
      connection->audit->GetTreeHead(&context, head_request, &head);
  if (status.ok() && head.has_tree_head()) {
    const absl::Status kept =
        KeepWitnessesOf(head.tree_head().log_id(), witnesses);
    if (!kept.ok()) return CantTell(kept);
  }
  verdict.has_heads = !witnesses.heads.empty();
  verdict.has_keys = !witnesses.keys.empty();
  const absl::Status checked =
      CheckServersHead(*connection, flags.log.platform, witnesses, verdict);
  if (!checked.ok()) return CantTell(checked);
  return Conclude(client, verdict);
}

int Verify(const Client& client, const VerifyFlags& flags) {
  absl::StatusOr<Witnesses> witnesses = ReadWitnesses(flags);
  if (!witnesses.ok()) return CantTell(witnesses.status());
  const bool is_here =
      !flags.export_folder.empty() || !flags.log.direct_url.empty();
  return is_here ? VerifyHere(client, flags, *std::move(witnesses))
                 : VerifyOnline(client, flags, *std::move(witnesses));
}

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

void AddLogFlags(CLI::App& verb, LogFlags& flags, bool needs_url) {
  CLI::Option* url =
      verb.add_option("--direct-url", flags.direct_url,
                      "the database, as the tables' owner (or DIRECT_URL)");
  if (needs_url) url->envname("DIRECT_URL")->required();
  verb.add_option("--tenant", flags.tenant_slug,
                  "whose log, by slug; with --direct-url");
  verb.add_flag("--platform", flags.platform, "the platform's log");
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
