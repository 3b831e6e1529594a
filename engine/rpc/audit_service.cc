#include "engine/rpc/audit_service.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/audit_head.h"
#include "engine/audit_reader.h"
#include "engine/audit_verifier.h"
#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/page_token.h"
#include "engine/text.h"
#include "storage/audit_records.h"
#include "storage/identity.h"
#include "storage/seals.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

using storage::AuditColumn;
using storage::AuditRecord;

constexpr int kVerifiedDefault = 5000;
constexpr int kVerifiedMax = 20'000;
constexpr int kKnownHeadsMax = 1000;

// Returns the log that a call is about. PERMISSION_DENIED: the platform's is
// for operators of the system tenant.
absl::StatusOr<std::string> LogOf(const CallScope& scope, bool platform) {
  const storage::Principal& caller = scope.principal();
  if (!platform) return caller.tenant_id;
  if (caller.kind == storage::PrincipalKind::kOperator &&
      caller.tenant_id == storage::kSystemTenantId) {
    return std::string(storage::kPlatformLog);
  }
  return Refusal(absl::StatusCode::kPermissionDenied, "PLATFORM_ONLY",
                 "the platform's log is for operators of the system tenant");
}

absl::StatusOr<storage::Transaction> BeginFor(storage::Database* db,
                                              const CallScope& scope) {
  return db->Begin({.tenants = {scope.principal().tenant_id},
                    .statement_timeout = scope.StatementTimeout()});
}

intent::v1::AuditLevel LevelOf(absl::string_view name) {
  if (name == "info") return intent::v1::AUDIT_LEVEL_INFO;
  if (name == "warn") return intent::v1::AUDIT_LEVEL_WARN;
  if (name == "error") return intent::v1::AUDIT_LEVEL_ERROR;
  if (name == "security") return intent::v1::AUDIT_LEVEL_SECURITY;
  return intent::v1::AUDIT_LEVEL_UNSPECIFIED;
}

void ToProto(const AuditRecord& record, intent::v1::AuditEntry* entry) {
  const auto text = [&](AuditColumn column) {
    return std::string(record.Text(column));
  };
  entry->set_id(text(AuditColumn::kId));
  if (record[AuditColumn::kTenantId].has_value()) {
    entry->set_tenant_id(text(AuditColumn::kTenantId));
  }
  if (record[AuditColumn::kActorUserId].has_value()) {
    entry->set_actor_user_id(text(AuditColumn::kActorUserId));
  }
  if (record[AuditColumn::kActorExternalId].has_value()) {
    entry->set_actor_external_id(text(AuditColumn::kActorExternalId));
  }
  entry->set_actor_type(text(AuditColumn::kActorType));
  entry->set_level(LevelOf(record.Text(AuditColumn::kLevel)));
  entry->set_action(text(AuditColumn::kAction));
  entry->set_entity_type(text(AuditColumn::kEntityType));
  if (record[AuditColumn::kEntityId].has_value()) {
    entry->set_entity_id(text(AuditColumn::kEntityId));
  }
  entry->set_meta(text(AuditColumn::kMeta));
  int64_t number = 0;
  if (absl::SimpleAtoi(record.Text(AuditColumn::kCreatedAt), &number)) {
    *entry->mutable_create_time() = ToProtoTime(absl::FromUnixMicros(number));
  }
  if (absl::SimpleAtoi(record.Text(AuditColumn::kTransitionNumber), &number)) {
    entry->set_transition_number(number);
  }
  entry->set_xact_id(text(AuditColumn::kXactId));
}

void ToProto(const storage::SealHead& head, intent::v1::TreeHead* message) {
  message->set_log_id(head.log_id);
  message->set_tree_size(head.tree_size);
  message->set_root_hash(head.root_hash);
  *message->mutable_seal_time() = ToProtoTime(head.sealed_at);
  message->set_key_id(head.key_id);
  message->set_signature(head.signature);
  message->set_note(HeadNote(head));
  message->set_json(HeadJson(head));
}

absl::StatusOr<storage::AuditFilter> FromProto(
    const intent::v1::AuditFilter& filter) {
  storage::AuditFilter result{.entity_type = filter.entity_type(),
                              .entity_id = filter.entity_id(),
                              .action = filter.action()};
  if (!result.entity_id.empty() && !storage::IsUuid(result.entity_id)) {
    return BadField("filter.entity_id", "it is no UUID");
  }
  if (HasNul(result.entity_type)) {
    return BadField("filter.entity_type", "it holds a NUL character");
  }
  if (HasNul(result.action)) {
    return BadField("filter.action", "it holds a NUL character");
  }
  if (filter.level() < 0 || filter.level() > intent::v1::AUDIT_LEVEL_SECURITY) {
    return BadField("filter.level", "this number is no level");
  }
  if (filter.level() != intent::v1::AUDIT_LEVEL_UNSPECIFIED) {
    result.level = static_cast<storage::AuditLevel>(filter.level() - 1);
  }
  const auto start = FromProtoTime("filter.start_time", filter.has_start_time(),
                                   filter.start_time());
  if (!start.ok()) return start.status();
  const auto end = FromProtoTime("filter.end_time", filter.has_end_time(),
                                 filter.end_time());
  if (!end.ok()) return end.status();
  result.start = *start;
  result.end = *end;
  return result;
}

// Where a verification goes on: the cursor, and the root up to there, which
// must be the same when it does.
struct VerifyPosition {
  AuditCursor cursor;
  std::string root;
};

// Whether PostgreSQL reads this text, in its own spelling, as a time: empty,
// infinite, or of the years that it knows.
bool IsTime(absl::string_view text) {
  if (text.empty() || text == "infinity" || text == "-infinity") return true;
  const bool is_bc = absl::ConsumeSuffix(&text, " BC");
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%d %H:%M:%E*S%Ez", text, &time, &error)) {
    return false;
  }
  constexpr absl::civil_year_t kYearMax = 294'276;
  constexpr absl::civil_year_t kYearMaxBc = 4713;
  const absl::civil_year_t year =
      absl::ToCivilYear(time, absl::UTCTimeZone()).year();
  return year >= 1 && year < (is_bc ? kYearMaxBc : kYearMax);
}

std::string EncodePosition(const VerifyPosition& position) {
  const AuditCursor& cursor = position.cursor;
  return absl::WebSafeBase64Escape(absl::StrCat(
      "1|", cursor.next_sequence, "|", cursor.are_seals_done ? 1 : 0, "|",
      cursor.entries.created_at, "|", cursor.entries.id, "|",
      absl::BytesToHexString(position.root)));
}

absl::StatusOr<VerifyPosition> DecodePosition(absl::string_view token) {
  VerifyPosition position;
  if (token.empty()) return position;
  const absl::Status wrong =
      BadField("page_token", "it is no token of this method");
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text)) return wrong;
  const std::vector<std::string> parts = absl::StrSplit(text, '|');
  AuditCursor& cursor = position.cursor;
  if (parts.size() != 6 || parts[0] != "1" ||
      !absl::SimpleAtoi(parts[1], &cursor.next_sequence) ||
      cursor.next_sequence < 0 || HasNul(text) ||
      !(parts[4].empty() || storage::IsUuid(parts[4]))) {
    return wrong;
  }
  cursor.are_seals_done = parts[2] == "1";
  cursor.entries = {.created_at = parts[3], .id = parts[4]};
  if (!IsTime(parts[3])) return wrong;
  position.root = absl::HexStringToBytes(parts[5]);
  return position;
}

// Sets the verifier to where the one of the call before was.
absl::Status Resume(storage::Transaction& tx, const std::string& log_id,
                    const VerifyPosition& position, AuditVerifier* verifier) {
  if (position.cursor.next_sequence == 0) return absl::OkStatus();
  const absl::StatusOr<std::optional<storage::Seal>> seal =
      storage::SealBefore(tx, log_id, position.cursor.next_sequence);
  if (!seal.ok()) return seal.status();
  std::optional<MerkleTree> tree;
  if (seal->has_value()) {
    tree = MerkleTree::FromFrontier((*seal)->head.tree_size, (*seal)->frontier);
  }
  if (!tree.has_value() || tree->Root() != position.root) {
    return Refusal(absl::StatusCode::kAborted, "AUDIT_LOG_CHANGED",
                   "the part that was verified before is another by now; "
                   "begin again without a page token");
  }
  verifier->StartAt(*std::move(tree));
  return absl::OkStatus();
}

void ToProto(const AuditReport& report,
             intent::v1::VerifyAuditLogResponse* response) {
  for (const AuditFinding& finding : report.findings) {
    intent::v1::AuditFinding* message = response->add_findings();
    message->set_kind(finding.kind);
    if (finding.sequence.has_value()) message->set_sequence(*finding.sequence);
    message->set_entry_id(finding.entry_id);
    message->set_message(finding.message);
  }
  response->set_sealed_count(report.sealed_count);
  response->set_unsealed_count(report.unsealed_count);
  response->set_agreed_tree_size(report.head_size);
  for (const UnsealedNote& entry : report.unsealed) {
    if (!entry.is_queued) continue;
    intent::v1::UnsealedEntry* message = response->add_unsealed_entries();
    message->set_id(entry.id);
    message->set_action(entry.action);
  }
}

absl::StatusOr<std::vector<storage::SealHead>> KnownHeads(
    const intent::v1::VerifyAuditLogRequest& request) {
  if (request.known_heads_size() > kKnownHeadsMax) {
    return BadField("known_heads", absl::StrCat("at most ", kKnownHeadsMax,
                                                " heads; the newest do"));
  }
  std::vector<storage::SealHead> heads;
  for (const std::string& line : request.known_heads()) {
    const absl::StatusOr<storage::SealHead> head = ParseHeadJson(line);
    if (!head.ok()) return BadField("known_heads", head.status().message());
    heads.push_back(*head);
  }
  return heads;
}

}  // namespace

AuditService::AuditService(Calls* calls, storage::Database* db)
    : calls_(calls), db_(db) {}

grpc::ServerUnaryReactor* AuditService::ListAuditEntries(
    grpc::CallbackServerContext* context,
    const intent::v1::ListAuditEntriesRequest* request,
    intent::v1::ListAuditEntriesResponse* response) {
  return calls_->Start(context, Method::kListAuditEntries,
                       [=, this](const CallScope& scope) {
                         return List(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AuditService::GetTreeHead(
    grpc::CallbackServerContext* context,
    const intent::v1::GetTreeHeadRequest* request,
    intent::v1::GetTreeHeadResponse* response) {
  return calls_->Start(context, Method::kGetTreeHead,
                       [=, this](const CallScope& scope) {
                         return Head(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AuditService::GetInclusionProof(
    grpc::CallbackServerContext* context,
    const intent::v1::GetInclusionProofRequest* request,
    intent::v1::GetInclusionProofResponse* response) {
  return calls_->Start(context, Method::kGetInclusionProof,
                       [=, this](const CallScope& scope) {
                         return Prove(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* AuditService::VerifyAuditLog(
    grpc::CallbackServerContext* context,
    const intent::v1::VerifyAuditLogRequest* request,
    intent::v1::VerifyAuditLogResponse* response) {
  return calls_->Start(context, Method::kVerifyAuditLog,
                       [=, this](const CallScope& scope) {
                         return Verify(scope, *request, response);
                       });
}

absl::Status AuditService::List(
    const CallScope& scope, const intent::v1::ListAuditEntriesRequest& request,
    intent::v1::ListAuditEntriesResponse* response) {
  const absl::StatusOr<std::string> log = LogOf(scope, request.platform());
  if (!log.ok()) return log.status();
  const absl::StatusOr<int> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  const absl::StatusOr<storage::AuditFilter> filter =
      FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  const std::string fingerprint =
      absl::StrCat(*log, request.filter().SerializeAsString());
  std::optional<storage::PageCursor> after;
  if (!request.page_token().empty()) {
    const absl::StatusOr<storage::PageCursor> cursor =
        DecodePageToken(request.page_token(), fingerprint);
    if (!cursor.ok()) return cursor.status();
    after = *cursor;
  }
  absl::StatusOr<storage::Transaction> tx = BeginFor(db_, scope);
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::ListedRecord>> rows =
      storage::ListAuditRecords(*tx, *log, *filter, after, *size);
  if (!rows.ok()) return rows.status();
  bool is_full = static_cast<int>(rows->size()) == *size;
  size_t bytes = 0;
  for (const storage::ListedRecord& row : *rows) {
    intent::v1::AuditEntry* entry = response->add_audit_entries();
    ToProto(row.record, entry);
    bytes += entry->ByteSizeLong();
    if (bytes <= kPageBytesMax || response->audit_entries_size() == 1) continue;
    response->mutable_audit_entries()->RemoveLast();
    is_full = true;
    break;
  }
  if (is_full) {
    const auto last = static_cast<size_t>(response->audit_entries_size()) - 1;
    response->set_next_page_token(
        EncodePageToken((*rows)[last].position, fingerprint));
  }
  return absl::OkStatus();
}

absl::Status AuditService::Head(const CallScope& scope,
                                const intent::v1::GetTreeHeadRequest& request,
                                intent::v1::GetTreeHeadResponse* response) {
  const absl::StatusOr<std::string> log = LogOf(scope, request.platform());
  if (!log.ok()) return log.status();
  absl::StatusOr<storage::Transaction> tx = BeginFor(db_, scope);
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::optional<storage::Seal>> last =
      storage::SealBefore(*tx, *log, std::numeric_limits<int64_t>::max());
  if (!last.ok()) return last.status();
  const int64_t known = request.known_tree_size();
  const int64_t size = last->has_value() ? (*last)->head.tree_size : 0;
  if (known < 0 || known > size) {
    return BadField("known_tree_size",
                    absl::StrCat("the log has ", size, " sealed entries"));
  }
  if (!last->has_value()) return absl::OkStatus();
  ToProto((*last)->head, response->mutable_tree_head());
  const absl::StatusOr<std::vector<std::string>> path =
      ProveConsistency(*tx, *log, known, size);
  if (!path.ok()) return path.status();
  for (const std::string& hash : *path) response->add_consistency_path(hash);
  return absl::OkStatus();
}

absl::Status AuditService::Prove(
    const CallScope& scope, const intent::v1::GetInclusionProofRequest& request,
    intent::v1::GetInclusionProofResponse* response) {
  const absl::StatusOr<std::string> log = LogOf(scope, request.platform());
  if (!log.ok()) return log.status();
  absl::StatusOr<storage::Transaction> tx = BeginFor(db_, scope);
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<InclusionProof> proof =
      ProveInclusion(*tx, *log, request.id());
  if (!proof.ok()) return proof.status();
  ToProto(proof->record, response->mutable_audit_entry());
  response->set_leaf_index(proof->index);
  response->set_leaf_hash(AuditLeafHash(proof->record));
  for (const std::string& hash : proof->path) response->add_path(hash);
  ToProto(proof->head, response->mutable_tree_head());
  return absl::OkStatus();
}

absl::Status AuditService::Verify(
    const CallScope& scope, const intent::v1::VerifyAuditLogRequest& request,
    intent::v1::VerifyAuditLogResponse* response) {
  const absl::StatusOr<std::string> log = LogOf(scope, request.platform());
  if (!log.ok()) return log.status();
  if (request.max_entries() < 0 || request.max_entries() > kVerifiedMax) {
    return BadField("max_entries",
                    absl::StrCat("it must be 1 to ", kVerifiedMax));
  }
  const int entries_max =
      request.max_entries() == 0 ? kVerifiedDefault : request.max_entries();
  const absl::StatusOr<std::vector<storage::SealHead>> heads =
      KnownHeads(request);
  if (!heads.ok()) return heads.status();
  absl::StatusOr<VerifyPosition> position =
      DecodePosition(request.page_token());
  if (!position.ok()) return position.status();
  absl::StatusOr<storage::Transaction> tx = BeginFor(db_, scope);
  if (!tx.ok()) return tx.status();
  AuditVerifier verifier({.log_id = *log, .heads = *heads});
  absl::Status status = Resume(*tx, *log, *position, &verifier);
  AuditCursor& cursor = position->cursor;
  if (status.ok()) {
    status = FeedVerifier(*tx, *log, entries_max, &cursor, &verifier);
  }
  if (!status.ok()) return status;
  ToProto(cursor.is_done ? verifier.Finish() : verifier.report(), response);
  if (cursor.is_done) return absl::OkStatus();
  position->root = verifier.tree().Root();
  response->set_next_page_token(EncodePosition(*position));
  return absl::OkStatus();
}

}  // namespace sgl::engine
