#include "tests/engine/served_engine.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <utility>

#include "base/check.h"
#include "engine/api_token.h"
#include "engine/policies.h"
#include "engine/secret_keys.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "storage/identity.h"
#include "storage/uuid.h"

namespace sgl::testing {

const char kPolicy[] = R"sgl(
policy test.platform version 1
layer platform
default allow

intent POST { text: string }
intent WIRE { to: string }
intent LAUNCH { where: string? }

block NO_LAUNCH "nothing is launched" on LAUNCH
review BIG_SPEND "a spend of ${intent.spend}" when intent.spend >= $250 risk 2
review WIRES on WIRE risk 3 approvals 2 from compliance, owner within 24h
review HEALTH when intent.data_class == PHI approvals 1 from privacy
)sgl";

namespace {

template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status details;
  Detail detail;
  if (!details.ParseFromString(status.error_details())) return detail;
  for (const auto& any : details.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  return Detail();
}

}  // namespace

std::string ReasonOf(const grpc::Status& status) {
  return DetailOf<google::rpc::ErrorInfo>(status).reason();
}

std::vector<std::string> BadFieldsOf(const grpc::Status& status) {
  const auto bad = DetailOf<google::rpc::BadRequest>(status);
  std::vector<std::string> fields;
  for (const auto& violation : bad.field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

Caller::Caller(std::shared_ptr<grpc::Channel> channel, std::string token)
    : token_(std::move(token)),
      intents_(intent::v1::IntentService::NewStub(channel)),
      decisions_(intent::v1::DecisionService::NewStub(channel)) {}

std::unique_ptr<grpc::ClientContext> Caller::Context() const {
  auto context = std::make_unique<grpc::ClientContext>();
  if (!token_.empty()) {
    context->AddMetadata("authorization", absl::StrCat("Bearer ", token_));
  }
  return context;
}

intent::v1::SubmitIntentRequest Caller::Request(const std::string& type,
                                                const std::string& payload) {
  intent::v1::SubmitIntentRequest request;
  request.set_request_id(storage::NewUuid());
  request.set_intent_type(type);
  request.set_payload(payload);
  return request;
}

Answer<intent::v1::SubmitIntentResponse> Caller::Submit(
    const intent::v1::SubmitIntentRequest& request) {
  Answer<intent::v1::SubmitIntentResponse> answer;
  answer.status =
      intents_->SubmitIntent(Context().get(), request, &answer.response);
  return answer;
}

intent::v1::Intent Caller::MustSubmit(const std::string& type,
                                      const std::string& payload,
                                      int64_t spend_micros_usd) {
  intent::v1::SubmitIntentRequest request = Request(type, payload);
  request.set_spend_micros_usd(spend_micros_usd);
  const auto answer = Submit(request);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return answer.response.intent();
}

Answer<intent::v1::EvaluateIntentResponse> Caller::Evaluate(
    const intent::v1::EvaluateIntentRequest& request) {
  Answer<intent::v1::EvaluateIntentResponse> answer;
  answer.status =
      intents_->EvaluateIntent(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::GetIntentResponse> Caller::Get(const std::string& id) {
  Answer<intent::v1::GetIntentResponse> answer;
  intent::v1::GetIntentRequest request;
  request.set_id(id);
  answer.status =
      intents_->GetIntent(Context().get(), request, &answer.response);
  return answer;
}

intent::v1::Intent Caller::MustGet(const std::string& id) {
  const auto answer = Get(id);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return answer.response.intent();
}

Answer<intent::v1::ListIntentsResponse> Caller::List(
    const intent::v1::ListIntentsRequest& request) {
  Answer<intent::v1::ListIntentsResponse> answer;
  answer.status =
      intents_->ListIntents(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::CancelIntentResponse> Caller::Cancel(const std::string& id) {
  Answer<intent::v1::CancelIntentResponse> answer;
  intent::v1::CancelIntentRequest request;
  request.set_id(id);
  answer.status =
      intents_->CancelIntent(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::GetDecisionMemoResponse> Caller::GetMemo(
    const std::string& id) {
  Answer<intent::v1::GetDecisionMemoResponse> answer;
  intent::v1::GetDecisionMemoRequest request;
  request.set_id(id);
  answer.status =
      decisions_->GetDecisionMemo(Context().get(), request, &answer.response);
  return answer;
}

intent::v1::DecisionMemo Caller::MustGetMemo(const std::string& id) {
  const auto answer = GetMemo(id);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return answer.response.decision_memo();
}

Answer<intent::v1::ListDecisionMemosResponse> Caller::ListMemos(
    const intent::v1::ListDecisionMemosRequest& request) {
  Answer<intent::v1::ListDecisionMemosResponse> answer;
  answer.status =
      decisions_->ListDecisionMemos(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::ApproveDecisionMemoResponse> Caller::Approve(
    const intent::v1::DecisionMemo& memo) {
  Answer<intent::v1::ApproveDecisionMemoResponse> answer;
  intent::v1::ApproveDecisionMemoRequest request;
  request.set_id(memo.id());
  request.set_revision(memo.revision());
  request.set_payload_sha256(memo.payload_sha256());
  answer.status = decisions_->ApproveDecisionMemo(Context().get(), request,
                                                  &answer.response);
  return answer;
}

Answer<intent::v1::RejectDecisionMemoResponse> Caller::Reject(
    const intent::v1::DecisionMemo& memo, const std::string& comment) {
  Answer<intent::v1::RejectDecisionMemoResponse> answer;
  intent::v1::RejectDecisionMemoRequest request;
  request.set_id(memo.id());
  request.set_revision(memo.revision());
  request.set_payload_sha256(memo.payload_sha256());
  request.set_comment(comment);
  answer.status = decisions_->RejectDecisionMemo(Context().get(), request,
                                                 &answer.response);
  return answer;
}

namespace {

// A test that waits for a message that never comes ends all the same.
constexpr std::chrono::seconds kStreamDeadline(60);

bool HasRow(const intent::v1::WatchIntentsResponse& response) {
  return response.has_intent();
}
bool HasRow(const intent::v1::WatchDecisionMemosResponse& response) {
  return response.has_decision_memo();
}

}  // namespace

template <typename Response>
Response Stream<Response>::MustNext() {
  Response response;
  while (Next(&response)) {
    if (HasRow(response)) return response;
  }
  const grpc::Status status = Finish();
  ADD_FAILURE() << "the stream ended: " << status.error_message();
  return Response();
}
template intent::v1::WatchIntentsResponse IntentStream::MustNext();
template intent::v1::WatchDecisionMemosResponse MemoStream::MustNext();

std::unique_ptr<IntentStream> Caller::Watch(
    const intent::v1::WatchIntentsRequest& request) {
  std::unique_ptr<grpc::ClientContext> context = Context();
  context->set_deadline(std::chrono::system_clock::now() + kStreamDeadline);
  auto reader = intents_->WatchIntents(context.get(), request);
  return std::make_unique<IntentStream>(std::move(context), std::move(reader));
}

std::unique_ptr<MemoStream> Caller::Watch(
    const intent::v1::WatchDecisionMemosRequest& request) {
  std::unique_ptr<grpc::ClientContext> context = Context();
  context->set_deadline(std::chrono::system_clock::now() + kStreamDeadline);
  auto reader = decisions_->WatchDecisionMemos(context.get(), request);
  return std::make_unique<MemoStream>(std::move(context), std::move(reader));
}

intent::v1::EditDecisionMemoRequest Caller::EditOf(
    const intent::v1::DecisionMemo& memo) {
  intent::v1::EditDecisionMemoRequest request;
  request.set_id(memo.id());
  request.set_revision(memo.revision());
  request.set_payload_sha256(memo.payload_sha256());
  request.set_comment("mended");
  request.set_intent_type(memo.intent_type());
  request.set_payload(memo.payload());
  request.set_spend_micros_usd(memo.estimated_cost_micros_usd());
  request.set_data_class(memo.data_class());
  return request;
}

Answer<intent::v1::EditDecisionMemoResponse> Caller::Edit(
    const intent::v1::EditDecisionMemoRequest& request) {
  Answer<intent::v1::EditDecisionMemoResponse> answer;
  answer.status =
      decisions_->EditDecisionMemo(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::BatchApproveDecisionMemosResponse> Caller::BatchApprove(
    const intent::v1::BatchApproveDecisionMemosRequest& request) {
  Answer<intent::v1::BatchApproveDecisionMemosResponse> answer;
  answer.status = decisions_->BatchApproveDecisionMemos(
      Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::CreateDelegationResponse> Caller::Delegate(
    const intent::v1::CreateDelegationRequest& request) {
  Answer<intent::v1::CreateDelegationResponse> answer;
  answer.status =
      decisions_->CreateDelegation(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::ListDelegationsResponse> Caller::ListDelegations(
    const intent::v1::ListDelegationsRequest& request) {
  Answer<intent::v1::ListDelegationsResponse> answer;
  answer.status =
      decisions_->ListDelegations(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::RevokeDelegationResponse> Caller::Revoke(
    const std::string& id) {
  Answer<intent::v1::RevokeDelegationResponse> answer;
  intent::v1::RevokeDelegationRequest request;
  request.set_id(id);
  answer.status =
      decisions_->RevokeDelegation(Context().get(), request, &answer.response);
  return answer;
}

namespace {

engine::ExecutorRegistry ExecutorsOf(const ServedEngine::Options& options) {
  if (options.executors.empty()) {
    return engine::ExecutorRegistry::RecordAllBut(options.no_executor);
  }
  absl::StatusOr<engine::ExecutorRegistry> registry =
      engine::ExecutorRegistry::FromText("test.textproto", options.executors);
  SGL_CHECK(registry.ok()) << registry.status();
  return *std::move(registry);
}

std::optional<engine::SecretKeys> SecretKeysOf(
    const ServedEngine::Options& options) {
  if (options.secrets_key.empty()) return std::nullopt;
  absl::StatusOr<engine::SecretKeys> keys =
      engine::SecretKeys::FromText(options.secrets_key);
  SGL_CHECK(keys.ok()) << keys.status();
  return *std::move(keys);
}

}  // namespace

ServedEngine::ServedEngine(const Options& options)
    : database_(TestDatabase::Make()), tenant_(database_->Seed("acme")) {
  if (!options.policy.empty()) ActivatePolicy(options.policy);
  absl::StatusOr<std::unique_ptr<engine::Engine>> engine =
      engine::Engine::Create({.database_url = database_->runtime_url(),
                              .direct_url = database_->direct_url(),
                              .executors = ExecutorsOf(options),
                              .secret_keys = SecretKeysOf(options),
                              .claims = options.claims});
  SGL_CHECK(engine.ok()) << engine.status();
  engine_ = *std::move(engine);
  engine_->Load();
  if (options.runs) engine_->Start();
  engine::ServerOptions server_options = options.server;
  server_options.listen = "127.0.0.1:0";
  absl::StatusOr<std::unique_ptr<engine::Server>> server =
      engine::Server::Start(engine_.get(), server_options);
  SGL_CHECK(server.ok()) << server.status();
  server_ = *std::move(server);
  channel_ = grpc::CreateChannel(server_->address(),
                                 grpc::InsecureChannelCredentials());
  agent_token_ =
      AddToken(storage::PrincipalKind::kAgent, tenant_.agent, tenant_.id);
}

ServedEngine::~ServedEngine() { server_->Drain(absl::Seconds(10)); }

std::string ServedEngine::AddUser(const std::string& name,
                                  const std::string& role) {
  return AddMember(tenant_.id, name, role);
}

std::string ServedEngine::AddMember(const std::string& tenant_id,
                                    const std::string& name,
                                    const std::string& role) {
  absl::StatusOr<storage::Transaction> tx = database_->direct().Begin({});
  SGL_CHECK(tx.ok()) << tx.status();
  const absl::StatusOr<std::string> user =
      storage::CreateMember(*tx, {.tenant_id = tenant_id,
                                  .email = absl::StrCat(name, "@acme.example"),
                                  .name = name,
                                  .role = role});
  SGL_CHECK(user.ok()) << user.status();
  SGL_CHECK(tx->Commit().ok());
  return AddToken(storage::PrincipalKind::kUser, *user, tenant_id);
}

std::string ServedEngine::AddToken(storage::PrincipalKind kind,
                                   const std::string& principal,
                                   const std::string& tenant_id) {
  const std::string token = engine::NewApiToken();
  absl::StatusOr<storage::Transaction> tx = database_->direct().Begin({});
  SGL_CHECK(tx.ok()) << tx.status();
  const absl::StatusOr<std::string> id =
      storage::CreateToken(*tx, {.tenant_id = tenant_id,
                                 .kind = kind,
                                 .principal_id = principal,
                                 .name = "test",
                                 .token_sha256 = engine::HashApiToken(token)});
  SGL_CHECK(id.ok()) << id.status();
  SGL_CHECK(tx->Commit().ok());
  return token;
}

void ServedEngine::ActivatePolicy(const std::string& text) {
  const absl::Status installed = engine::InstallPolicy(
      database_->direct(), {{.name = "test.sgl", .text = text}},
      engine::OnOtherPolicy::kActivate);
  SGL_CHECK(installed.ok()) << installed;
}

void ServedEngine::SetClockAhead(const std::string& interval) {
  const SqlResult set = database_->Super().Run(absl::StrCat(
      "CREATE OR REPLACE FUNCTION engine_now() RETURNS timestamptz "
      "LANGUAGE sql VOLATILE PARALLEL SAFE AS "
      "$$ SELECT clock_timestamp() + interval '",
      interval, "' $$"));
  SGL_CHECK(set.ok()) << set.error;
}

int ServedEngine::SettleDrafts() {
  const absl::StatusOr<int> settled = engine_->worker().SettleDrafts();
  EXPECT_TRUE(settled.ok()) << settled.status();
  return settled.value_or(-1);
}

std::string ServedEngine::Value(const std::string& sql) {
  return database_->Super().Value(sql);
}

std::string ServedEngine::Actions(const std::string& intent_id) {
  return Value(absl::StrCat(
      "SELECT string_agg(action, ' ' ORDER BY transition_number) "
      "FROM audit_log WHERE entity_type = 'intent' AND entity_id = '",
      intent_id, "'"));
}

std::string ServedEngine::InsertBySql(const std::string& type,
                                      const std::string& payload) {
  return database_->Owner().Value(absl::StrCat(
      "INSERT INTO intents (tenant_id, agent_id, intent_type, payload) "
      "VALUES ('",
      tenant_.id, "', '", tenant_.agent, "', '", type, "', '", payload,
      "') RETURNING id"));
}

}  // namespace sgl::testing
