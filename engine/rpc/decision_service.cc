#include "engine/rpc/decision_service.h"

#include <vector>

#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/item_status.h"
#include "engine/rpc/page.h"
#include "engine/rpc/watch_reads.h"
#include "storage/delegations.h"
#include "storage/memos.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

// What every answer about one memo holds.
template <typename Response>
absl::Status Answer(const absl::StatusOr<VoteOutcome>& outcome,
                    Response* response) {
  if (!outcome.ok()) return outcome.status();
  const absl::Status converted =
      ToProto(outcome->memo, response->mutable_decision_memo());
  if (!converted.ok()) return converted;
  return ToProto(outcome->intent, response->mutable_intent());
}

// What every call on one memo states.
template <typename Request>
Seen SeenIn(const Request& request) {
  return {.memo_id = request.id(),
          .revision = request.revision(),
          .payload_sha256 = request.payload_sha256()};
}

// Both votes have the same fields and the same answer.
template <typename Request, typename Response>
absl::Status Vote(Approvals* approvals, const CallScope& scope,
                  storage::Verdict verdict, const Request& request,
                  Response* response) {
  return Answer(approvals->Vote(scope, {.seen = SeenIn(request),
                                        .verdict = verdict,
                                        .comment = request.comment()}),
                response);
}

// Answers one item. Once the answer is large, payloads are left out: clients
// refuse more than they expect.
void AnswerItem(const absl::StatusOr<VoteOutcome>& outcome, size_t* bytes,
                intent::v1::BatchApproveResult* result) {
  const absl::Status answered = Answer(outcome, result);
  if (!answered.ok()) {
    result->Clear();
    SetItemStatus(answered, Method::kBatchApproveDecisionMemos,
                  result->mutable_status());
  }
  if (*bytes + result->ByteSizeLong() > kPageBytesMax) {
    if (result->has_decision_memo()) {
      result->mutable_decision_memo()->clear_payload();
    }
    if (result->has_intent()) result->mutable_intent()->clear_payload();
  }
  *bytes += result->ByteSizeLong();
}

absl::StatusOr<storage::DelegationFilter> FromProto(
    const intent::v1::DelegationFilter& filter) {
  if (!filter.user_id().empty() && !storage::IsUuid(filter.user_id())) {
    return BadField("filter.user_id", "it is no UUID");
  }
  return storage::DelegationFilter{.user_id = filter.user_id(),
                                   .in_force = filter.in_force()};
}

}  // namespace

DecisionService::DecisionService(Calls* calls, storage::Database* db,
                                 Approvals* approvals, MemoEdits* edits,
                                 Delegations* delegations)
    : calls_(calls),
      db_(db),
      approvals_(approvals),
      edits_(edits),
      delegations_(delegations) {}

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

grpc::ServerUnaryReactor* DecisionService::EditDecisionMemo(
    grpc::CallbackServerContext* context,
    const intent::v1::EditDecisionMemoRequest* request,
    intent::v1::EditDecisionMemoResponse* response) {
  return calls_->Start(
      context, Method::kEditDecisionMemo,
      [=, this](const CallScope& scope) -> absl::Status {
        const absl::StatusOr<IntentBody> body = engine::FromProto(*request);
        if (!body.ok()) return body.status();
        return Answer(edits_->Edit(scope, {.seen = SeenIn(*request),
                                           .comment = request->comment(),
                                           .body = *body}),
                      response);
      });
}

grpc::ServerUnaryReactor* DecisionService::BatchApproveDecisionMemos(
    grpc::CallbackServerContext* context,
    const intent::v1::BatchApproveDecisionMemosRequest* request,
    intent::v1::BatchApproveDecisionMemosResponse* response) {
  return calls_->Start(
      context, Method::kBatchApproveDecisionMemos,
      [=, this](const CallScope& scope) {
        BatchBallot batch = {.reason_code = request->reason_code(),
                             .comment = request->comment()};
        for (const auto& item : request->items()) {
          batch.seen.push_back(SeenIn(item));
        }
        size_t bytes = 0;
        return approvals_->ApproveBatch(
            scope, batch, [&](const absl::StatusOr<VoteOutcome>& outcome) {
              AnswerItem(outcome, &bytes, response->add_results());
            });
      });
}

grpc::ServerUnaryReactor* DecisionService::CreateDelegation(
    grpc::CallbackServerContext* context,
    const intent::v1::CreateDelegationRequest* request,
    intent::v1::CreateDelegationResponse* response) {
  return calls_->Start(context, Method::kCreateDelegation,
                       [=, this](const CallScope& scope) -> absl::Status {
                         const absl::StatusOr<DelegationRequest> wanted =
                             engine::FromProto(*request);
                         if (!wanted.ok()) return wanted.status();
                         const absl::StatusOr<storage::DelegationRow> row =
                             delegations_->Create(scope, *wanted);
                         if (!row.ok()) return row.status();
                         return ToProto(*row, response->mutable_delegation());
                       });
}

grpc::ServerUnaryReactor* DecisionService::ListDelegations(
    grpc::CallbackServerContext* context,
    const intent::v1::ListDelegationsRequest* request,
    intent::v1::ListDelegationsResponse* response) {
  return calls_->Start(context, Method::kListDelegations,
                       [=, this](const CallScope& scope) {
                         return List(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* DecisionService::RevokeDelegation(
    grpc::CallbackServerContext* context,
    const intent::v1::RevokeDelegationRequest* request,
    intent::v1::RevokeDelegationResponse* response) {
  return calls_->Start(context, Method::kRevokeDelegation,
                       [=, this](const CallScope& scope) -> absl::Status {
                         const absl::StatusOr<storage::DelegationRow> row =
                             delegations_->Revoke(scope, request->id());
                         if (!row.ok()) return row.status();
                         return ToProto(*row, response->mutable_delegation());
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
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const absl::StatusOr<storage::MemoFilter> filter =
      FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::MemoRow>> rows =
      storage::ListMemos(*tx, *filter, page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_decision_memos(), response);
}

absl::Status DecisionService::List(
    const CallScope& scope, const intent::v1::ListDelegationsRequest& request,
    intent::v1::ListDelegationsResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const absl::StatusOr<storage::DelegationFilter> filter =
      FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::DelegationRow>> rows =
      storage::ListDelegations(*tx, *filter, page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_delegations(), response);
}

}  // namespace sgl::engine
