#include "tools/intentctl/audit_verify.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "engine/audit_head.h"
#include "engine/audit_key.h"
#include "engine/audit_reader.h"
#include "engine/audit_verifier.h"
#include "engine/files.h"
#include "storage/seals.h"
#include "tools/intentctl/audit_files.h"
#include "tools/intentctl/audit_verdict.h"

namespace sgl::tools {
namespace {

using engine::AuditFinding;
using engine::AuditReport;
using storage::SealHead;

constexpr int64_t kEntriesAtOnce = 5000;
// Heads that one call carries; the newest say all that the others do.
constexpr size_t kHeadsSentMax = 1000;

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
  Verdict verdict;
  verdict.log_id = *log_id;
  verdict.has_heads = !witnesses.heads.empty();
  verdict.has_keys = !witnesses.keys.empty();
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

// Asks for the newest head, and the proof that the one of `known_size` is its
// beginning.
grpc::Status AskForHead(const Connection& connection, bool platform,
                        int64_t known_size,
                        intent::v1::GetTreeHeadResponse* response) {
  grpc::ClientContext context;
  connection.Prepare(context);
  intent::v1::GetTreeHeadRequest request;
  request.set_platform(platform);
  request.set_known_tree_size(known_size);
  return connection.audit->GetTreeHead(&context, request, response);
}

void AddFinding(const char* kind, const char* message, Verdict& verdict) {
  ++verdict.report.finding_count;
  verdict.report.findings.push_back({.kind = kind, .message = message});
}

// Checks what the server can't make up: the signature of its newest head, and
// the proof that the newest head from outside is its beginning. What it leaves
// unproved is doubt.
void CheckServersHead(const Connection& connection, bool platform,
                      const Witnesses& witnesses, Verdict& verdict) {
  // The largest is the first.
  const SealHead* newest =
      witnesses.heads.empty() ? nullptr : &witnesses.heads.front();
  intent::v1::GetTreeHeadResponse response;
  const grpc::Status status =
      AskForHead(connection, platform,
                 newest == nullptr ? 0 : newest->tree_size, &response);
  if (!status.ok()) {
    verdict.doubt = absl::StrCat("the server's newest head: none was given: ",
                                 status.error_message());
    return;
  }
  if (!response.has_tree_head()) {
    if (newest == nullptr && verdict.report.sealed_count == 0) return;
    verdict.doubt =
        "the server's newest head: it has none, so nothing from outside could "
        "be held against it";
    return;
  }
  const absl::StatusOr<SealHead> head =
      engine::ParseHeadJson(response.tree_head().json());
  if (head.ok() && verdict.log_id.empty()) verdict.log_id = head->log_id;
  if (!head.ok() || head->log_id != verdict.log_id ||
      (newest != nullptr && newest->log_id != head->log_id)) {
    verdict.doubt = "the server's newest head: it is no head of this log";
    return;
  }
  if (IsSignedByOneOf(*head, witnesses.keys)) {
    verdict.report.signed_size = head->tree_size;
  } else if (verdict.has_keys && !head->signature.empty()) {
    AddFinding("WRONG_SIGNATURE",
               "the newest head is not signed by a key that was given",
               verdict);
  }
  if (newest == nullptr) return;
  const std::vector<std::string> path(response.consistency_path().begin(),
                                      response.consistency_path().end());
  if (!engine::VerifyConsistency({.old_size = newest->tree_size,
                                  .old_root = newest->root_hash,
                                  .new_size = head->tree_size,
                                  .new_root = head->root_hash},
                                 path)) {
    AddFinding("FORKED",
               "the newest head from outside is not the beginning of the log "
               "that the server has",
               verdict);
  }
}

// Lets the server recompute the log, and collects what it found.
grpc::Status VerifyThere(const Connection& connection, bool platform,
                         const std::vector<SealHead>& heads,
                         AuditReport& report) {
  intent::v1::VerifyAuditLogRequest request;
  request.set_platform(platform);
  for (const SealHead& head : heads) {
    if (request.known_heads_size() == static_cast<int>(kHeadsSentMax)) break;
    request.add_known_heads(engine::HeadJson(head));
  }
  do {
    grpc::ClientContext context;
    connection.Prepare(context);
    intent::v1::VerifyAuditLogResponse response;
    const grpc::Status status =
        connection.audit->VerifyAuditLog(&context, request, &response);
    if (!status.ok()) return status;
    Collect(response, report);
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return grpc::Status::OK;
}

int VerifyOnline(const Client& client, const VerifyFlags& flags,
                 Witnesses witnesses) {
  const absl::StatusOr<Connection> connection = client.Connect();
  if (!connection.ok()) return CantTell(connection.status());
  Verdict verdict;
  verdict.has_keys = !witnesses.keys.empty();
  // Whose log it is the token says, and the head tells. A log of which nothing
  // is sealed has none: then all heads are sent, and the server knows which
  // are its own.
  intent::v1::GetTreeHeadResponse first;
  grpc::Status status = AskForHead(*connection, flags.log.platform,
                                   /*known_size=*/0, &first);
  if (status.ok() && first.has_tree_head()) {
    verdict.log_id = first.tree_head().log_id();
    const absl::Status kept = KeepWitnessesOf(verdict.log_id, witnesses);
    if (!kept.ok()) return CantTell(kept);
  }
  std::sort(witnesses.heads.begin(), witnesses.heads.end(),
            [](const SealHead& a, const SealHead& b) {
              return a.tree_size > b.tree_size;
            });
  verdict.has_heads = !witnesses.heads.empty();
  if (status.ok()) {
    status = VerifyThere(*connection, flags.log.platform, witnesses.heads,
                         verdict.report);
  }
  if (!status.ok()) {
    ReportError("verify the audit log", status);
    return kExitCantTell;
  }
  CheckServersHead(*connection, flags.log.platform, witnesses, verdict);
  return Conclude(client, verdict);
}

}  // namespace

int Verify(const Client& client, const VerifyFlags& flags) {
  absl::StatusOr<Witnesses> witnesses = ReadWitnesses(flags);
  if (!witnesses.ok()) return CantTell(witnesses.status());
  const bool is_here =
      !flags.export_folder.empty() || !flags.log.direct_url.empty();
  return is_here ? VerifyHere(client, flags, *std::move(witnesses))
                 : VerifyOnline(client, flags, *std::move(witnesses));
}

}  // namespace sgl::tools
