#include "engine/rpc/decision_service.h"

#include <optional>
#include <vector>

#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/page_token.h"
#include "engine/rpc/watch_reads.h"
#include "engine/text.h"
#include "storage/memos.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

// Both votes have the same fields and the same answer.
template <typename Request, typename Response>
absl::Status Vote(Approvals* approvals, const CallScope& scope,
                  storage::Verdict verdict, const Request& request,
                  Response* response) {
  const absl::StatusOr<VoteOutcome> outcome =
      approvals->Vote(scope, {.memo_id = request.id(),
                              .verdict = verdict,
                              .revision = request.revision(),
                              .payload_sha256 = request.payload_sha256(),
                              .comment = request.comment()});
  if (!outcome.ok()) return outcome.status();
  const absl::Status converted =
      ToProto(outcome->memo, response->mutable_decision_memo());
  if (!converted.ok()) return converted;
  return ToProto(outcome->intent, response->mutable_intent());
}

}  // namespace

DecisionService::DecisionService(Calls* calls, storage::Database* db,
                                 Approvals* approvals)
    : calls_(calls), db_(db), approvals_(approvals) {}

grpc::ServerUnaryReactor* DecisionService::GetDecisionMemo(
    grpc::CallbackServerContext* context,
    const intent::v1::GetDecisionMemoRequest* request,
    intent::v1::GetDecisionMemoResponse* response) {
  return calls_->Start(context, Method::kGetDecisionMemo,
                       [=, this](const CallScope& scope) {
                         return Get(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* DecisionService::ListDecisionMemos(
    grpc::CallbackServerContext* context,
    const intent::v1::ListDecisionMemosRequest* request,
    intent::v1::ListDecisionMemosResponse* response) {
  return calls_->Start(context, Method::kListDecisionMemos,
                       [=, this](const CallScope& scope) {
                         return List(scope, *request, response);
                       });
}

grpc::ServerWriteReactor<intent::v1::WatchDecisionMemosResponse>*
DecisionService::WatchDecisionMemos(
    grpc::CallbackServerContext* context,
    const intent::v1::WatchDecisionMemosRequest* request) {
  return calls_->StartWatch<intent::v1::WatchDecisionMemosResponse>(
      context, Method::kWatchDecisionMemos, MemoWatchReader(db_, *request));
}

grpc::ServerUnaryReactor* DecisionService::ApproveDecisionMemo(
    grpc::CallbackServerContext* context,
    const intent::v1::ApproveDecisionMemoRequest* request,
    intent::v1::ApproveDecisionMemoResponse* response) {
  return calls_->Start(
      context, Method::kApproveDecisionMemo, [=, this](const CallScope& scope) {
        return Vote(approvals_, scope, storage::Verdict::kApprove, *request,
                    response);
      });
}

grpc::ServerUnaryReactor* DecisionService::RejectDecisionMemo(
    grpc::CallbackServerContext* context,
    const intent::v1::RejectDecisionMemoRequest* request,
    intent::v1::RejectDecisionMemoResponse* response) {
  return calls_->Start(
      context, Method::kRejectDecisionMemo, [=, this](const CallScope& scope) {
        return Vote(approvals_, scope, storage::Verdict::kReject, *request,
                    response);
      });
}

absl::Status DecisionService::Get(
    const CallScope& scope, const intent::v1::GetDecisionMemoRequest& request,
    intent::v1::GetDecisionMemoResponse* response) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<storage::MemoRow> row =
      storage::GetMemo(*tx, request.id());
  if (row.status().code() == absl::StatusCode::kNotFound) {
    return Refusal(absl::StatusCode::kNotFound, "MEMO_NOT_FOUND",
                   "there is no decision memo with this id");
  }
  if (!row.ok()) return row.status();
  return ToProto(*row, response->mutable_decision_memo());
}

absl::Status DecisionService::List(
    const CallScope& scope, const intent::v1::ListDecisionMemosRequest& request,
    intent::v1::ListDecisionMemosResponse* response) {
  const absl::StatusOr<int> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  const absl::StatusOr<storage::MemoFilter> filter =
      FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  const std::string fingerprint = request.filter().SerializeAsString();
  std::optional<storage::PageCursor> after;
  if (!request.page_token().empty()) {
    const absl::StatusOr<storage::PageCursor> cursor =
        DecodePageToken(request.page_token(), fingerprint);
    if (!cursor.ok()) return cursor.status();
    after = *cursor;
  }
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::MemoRow>> rows =
      storage::ListMemos(*tx, *filter, after, *size);
  if (!rows.ok()) return rows.status();
  bool is_full = static_cast<int>(rows->size()) == *size;
  size_t bytes = 0;
  for (const storage::MemoRow& row : *rows) {
    intent::v1::DecisionMemo* memo = response->add_decision_memos();
    const absl::Status converted = ToProto(row, memo);
    if (!converted.ok()) return converted;
    bytes += memo->ByteSizeLong();
    if (bytes <= kPageBytesMax || response->decision_memos_size() == 1)
      continue;
    response->mutable_decision_memos()->RemoveLast();
    is_full = true;
    break;
  }
  if (is_full) {
    const storage::MemoRow& last =
        (*rows)[static_cast<size_t>(response->decision_memos_size()) - 1];
    response->set_next_page_token(
        EncodePageToken({last.created_at, last.id}, fingerprint));
  }
  return absl::OkStatus();
}

}  // namespace sgl::engine
