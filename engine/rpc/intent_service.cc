#include "engine/rpc/intent_service.h"

#include <optional>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/page.h"
#include "engine/rpc/submission_batch.h"
#include "engine/rpc/watch_reads.h"
#include "storage/intents.h"

namespace sgl::engine {

IntentService::IntentService(Calls* calls, storage::Database* db,
                             Intake* intake, Approvals* approvals)
    : calls_(calls), db_(db), intake_(intake), approvals_(approvals) {}

grpc::ServerUnaryReactor* IntentService::SubmitIntent(
    grpc::CallbackServerContext* context,
    const intent::v1::SubmitIntentRequest* request,
    intent::v1::SubmitIntentResponse* response) {
  return calls_->StartDeferred(
      context, Method::kSubmitIntent,
      [=, this](const CallScope& scope, Calls::Done done) {
        Submit(scope, *request, response, std::move(done));
      });
}

grpc::ServerUnaryReactor* IntentService::BatchSubmitIntents(
    grpc::CallbackServerContext* context,
    const intent::v1::BatchSubmitIntentsRequest* request,
    intent::v1::BatchSubmitIntentsResponse* response) {
  return calls_->StartDeferred(
      context, Method::kBatchSubmitIntents,
      [=, this](const CallScope& scope, Calls::Done done) {
        const absl::Status checked = CheckSubmissionBatch(*request);
        if (!checked.ok()) return done(checked);
        // The call itself was counted as one.
        calls_->Charge(scope.principal(),
                       static_cast<size_t>(request->requests_size()) - 1);
        SubmitBatch(intake_, scope, *request, response, std::move(done));
      });
}

grpc::ServerUnaryReactor* IntentService::EvaluateIntent(
    grpc::CallbackServerContext* context,
    const intent::v1::EvaluateIntentRequest* request,
    intent::v1::EvaluateIntentResponse* response) {
  return calls_->Start(context, Method::kEvaluateIntent,
                       [=, this](const CallScope& scope) {
                         return Evaluate(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* IntentService::GetIntent(
    grpc::CallbackServerContext* context,
    const intent::v1::GetIntentRequest* request,
    intent::v1::GetIntentResponse* response) {
  return calls_->Start(context, Method::kGetIntent,
                       [=, this](const CallScope& scope) {
                         return Get(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* IntentService::ListIntents(
    grpc::CallbackServerContext* context,
    const intent::v1::ListIntentsRequest* request,
    intent::v1::ListIntentsResponse* response) {
  return calls_->Start(context, Method::kListIntents,
                       [=, this](const CallScope& scope) {
                         return List(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* IntentService::CancelIntent(
    grpc::CallbackServerContext* context,
    const intent::v1::CancelIntentRequest* request,
    intent::v1::CancelIntentResponse* response) {
  return calls_->Start(context, Method::kCancelIntent,
                       [=, this](const CallScope& scope) -> absl::Status {
                         const absl::StatusOr<storage::IntentRow> row =
                             approvals_->Cancel(scope, request->id());
                         if (!row.ok()) return row.status();
                         return ToProto(*row, response->mutable_intent());
                       });
}

grpc::ServerWriteReactor<intent::v1::WatchIntentsResponse>*
IntentService::WatchIntents(grpc::CallbackServerContext* context,
                            const intent::v1::WatchIntentsRequest* request) {
  return calls_->StartWatch<intent::v1::WatchIntentsResponse>(
      context, Method::kWatchIntents, IntentWatchReader(db_, *request));
}

void IntentService::Submit(const CallScope& scope,
                           const intent::v1::SubmitIntentRequest& request,
                           intent::v1::SubmitIntentResponse* response,
                           Calls::Done done) {
  const auto answer = [response, done](absl::StatusOr<storage::IntentRow> row) {
    done(row.ok() ? ToProto(*row, response->mutable_intent()) : row.status());
  };
  const absl::StatusOr<Submission> submission = FromProto(request);
  if (!submission.ok()) return done(submission.status());
  if (request.validate_only()) {
    return answer(intake_->Validate(scope, *submission));
  }
  intake_->Submit(scope, *submission, answer);
}

absl::Status IntentService::Evaluate(
    const CallScope& scope, const intent::v1::EvaluateIntentRequest& request,
    intent::v1::EvaluateIntentResponse* response) {
  const absl::StatusOr<Submission> submission = FromProto(request);
  if (!submission.ok()) return submission.status();
  const absl::StatusOr<Evaluation> evaluation =
      intake_->Evaluate(scope, *submission);
  if (!evaluation.ok()) return evaluation.status();
  ToProto(evaluation->decision, evaluation->decided_at,
          response->mutable_decision());
  ToProto(evaluation->explanation, response->mutable_explanation());
  return absl::OkStatus();
}

absl::Status IntentService::Get(const CallScope& scope,
                                const intent::v1::GetIntentRequest& request,
                                intent::v1::GetIntentResponse* response) {
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<storage::IntentRow> row =
      storage::GetIntent(*tx, request.id());
  if (row.status().code() == absl::StatusCode::kNotFound) {
    return Refusal(absl::StatusCode::kNotFound, "INTENT_NOT_FOUND",
                   "there is no intent with this id");
  }
  if (!row.ok()) return row.status();
  return ToProto(*row, response->mutable_intent());
}

absl::Status IntentService::List(const CallScope& scope,
                                 const intent::v1::ListIntentsRequest& request,
                                 intent::v1::ListIntentsResponse* response) {
  const absl::StatusOr<Page> page = ReadPage(request);
  if (!page.ok()) return page.status();
  const absl::StatusOr<storage::IntentFilter> filter =
      FromProto(request.filter());
  if (!filter.ok()) return filter.status();
  absl::StatusOr<storage::Transaction> tx =
      db_->Begin({.tenants = {scope.principal().tenant_id},
                  .statement_timeout = scope.StatementTimeout()});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::IntentRow>> rows =
      storage::ListIntents(*tx, *filter, page->after, page->size);
  if (!rows.ok()) return rows.status();
  return FillPage(*page, *rows, response->mutable_intents(), response);
}

}  // namespace sgl::engine
