// A whole engine on a database of its own, served over gRPC on loopback, and
// what tests need to speak with it as each kind of caller.
//
//   ServedEngine served({.policy = kPolicy});
//   Caller agent = served.As(served.agent_token());
//   agent.Submit("POST", R"({"text": "hi"})");
//   served.SettleDrafts();
//
// By default nothing runs by itself: a test says when drafts are settled, so
// it never waits for time to pass.

#ifndef TESTS_ENGINE_SERVED_ENGINE_H_
#define TESTS_ENGINE_SERVED_ENGINE_H_

#include <absl/strings/string_view.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/server.h"
#include "intent/v1/decision_service.grpc.pb.h"
#include "intent/v1/intent_service.grpc.pb.h"
#include "tests/support/database.h"

namespace sgl::testing {

// POST is allowed, LAUNCH blocked; a spend from $250 asks for anybody, WIRE
// for two of compliance and owner, PHI for privacy.
extern const char kPolicy[];

// An answer: the status and, where it is OK, the response.
template <typename Response>
struct Answer {
  grpc::Status status;
  Response response;

  bool ok() const { return status.ok(); }
};

// Returns the reason of a status's ErrorInfo; empty where it has none.
std::string ReasonOf(const grpc::Status& status);
// Returns the fields of its BadRequest.
std::vector<std::string> BadFieldsOf(const grpc::Status& status);

// A watch under way. Ends it when destroyed.
template <typename Response>
class Stream {
 public:
  Stream(std::unique_ptr<grpc::ClientContext> context,
         std::unique_ptr<grpc::ClientReader<Response>> reader)
      : context_(std::move(context)), reader_(std::move(reader)) {}
  ~Stream() {
    context_->TryCancel();
    if (!is_finished_) Finish();
  }

  // Waits for the next message; false where the stream ended.
  bool Next(Response* response) {
    return !is_finished_ && reader_->Read(response);
  }
  // Waits for the next message that holds a row, and fails the test where the
  // stream ends before.
  Response MustNext();
  // Returns how the stream ended. REQUIRES: Next answered false.
  grpc::Status Finish() {
    if (is_finished_) return {grpc::StatusCode::UNKNOWN, "ended before"};
    is_finished_ = true;
    return reader_->Finish();
  }

 private:
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<Response>> reader_;
  bool is_finished_ = false;
};
using IntentStream = Stream<intent::v1::WatchIntentsResponse>;
using MemoStream = Stream<intent::v1::WatchDecisionMemosResponse>;

// Speaks as the holder of one token.
class Caller {
 public:
  Caller(std::shared_ptr<grpc::Channel> channel, std::string token);

  // Returns a request with a new request id.
  static intent::v1::SubmitIntentRequest Request(const std::string& type,
                                                 const std::string& payload);
  Answer<intent::v1::SubmitIntentResponse> Submit(
      const intent::v1::SubmitIntentRequest& request);
  // Submits and returns the intent; fails the test where that is refused.
  intent::v1::Intent MustSubmit(const std::string& type,
                                const std::string& payload,
                                int64_t spend_micros_usd = 0);
  Answer<intent::v1::EvaluateIntentResponse> Evaluate(
      const intent::v1::EvaluateIntentRequest& request);
  Answer<intent::v1::GetIntentResponse> Get(const std::string& id);
  intent::v1::Intent MustGet(const std::string& id);
  Answer<intent::v1::ListIntentsResponse> List(
      const intent::v1::ListIntentsRequest& request);
  Answer<intent::v1::CancelIntentResponse> Cancel(const std::string& id);
  Answer<intent::v1::GetDecisionMemoResponse> GetMemo(const std::string& id);
  intent::v1::DecisionMemo MustGetMemo(const std::string& id);
  Answer<intent::v1::ListDecisionMemosResponse> ListMemos(
      const intent::v1::ListDecisionMemosRequest& request);
  Answer<intent::v1::ApproveDecisionMemoResponse> Approve(
      const intent::v1::DecisionMemo& memo);
  Answer<intent::v1::RejectDecisionMemoResponse> Reject(
      const intent::v1::DecisionMemo& memo, const std::string& comment);
  std::unique_ptr<IntentStream> Watch(
      const intent::v1::WatchIntentsRequest& request);
  std::unique_ptr<MemoStream> Watch(
      const intent::v1::WatchDecisionMemosRequest& request);
  // Returns a request that changes nothing but says why.
  static intent::v1::EditDecisionMemoRequest EditOf(
      const intent::v1::DecisionMemo& memo);
  Answer<intent::v1::EditDecisionMemoResponse> Edit(
      const intent::v1::EditDecisionMemoRequest& request);
  Answer<intent::v1::BatchApproveDecisionMemosResponse> BatchApprove(
      const intent::v1::BatchApproveDecisionMemosRequest& request);
  Answer<intent::v1::CreateDelegationResponse> Delegate(
      const intent::v1::CreateDelegationRequest& request);
  Answer<intent::v1::ListDelegationsResponse> ListDelegations(
      const intent::v1::ListDelegationsRequest& request);
  Answer<intent::v1::RevokeDelegationResponse> Revoke(const std::string& id);

 private:
  std::unique_ptr<grpc::ClientContext> Context() const;

  std::string token_;
  std::unique_ptr<intent::v1::IntentService::Stub> intents_;
  std::unique_ptr<intent::v1::DecisionService::Stub> decisions_;
};

class ServedEngine {
 public:
  struct Options {
    std::string policy = kPolicy;
    std::vector<std::string> no_executor = {};
    // The executors' file; then no type has an executor but those in it.
    std::string executors = {};
    // The text of a key file; empty: the engine has none.
    std::string secrets_key = {};
    // The engine's threads run, and it claims by itself.
    bool runs = false;
    // With `runs`: leave claiming to other engines.
    bool claims = true;
    // Its address is taken on loopback.
    engine::ServerOptions server = {};
  };

  explicit ServedEngine(const Options& options);
  ~ServedEngine();

  TestDatabase& database() { return *database_; }
  engine::Engine& engine() { return *engine_; }
  engine::Server& server() { return *server_; }
  const SeededTenant& tenant() const { return tenant_; }
  // The tenant's agent.
  const std::string& agent_token() const { return agent_token_; }

  // Each creates a principal of the first tenant and returns its token.
  std::string AddUser(const std::string& name, const std::string& role);
  std::string AddToken(storage::PrincipalKind kind,
                       const std::string& principal,
                       const std::string& tenant_id);
  // Creates a member of any tenant and returns their token.
  std::string AddMember(const std::string& tenant_id, const std::string& name,
                        const std::string& role);
  Caller As(const std::string& token) { return Caller(channel_, token); }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

  // Makes this text the active policy, behind the engine's back.
  void ActivatePolicy(const std::string& text);
  // Makes the database's clock go ahead of the real one by `interval`.
  void SetClockAhead(const std::string& interval);
  // Settles all drafts; returns how many there were.
  int SettleDrafts();
  // Returns one value of the database, past all row security.
  std::string Value(const std::string& sql);
  // Returns an intent's audit actions, in order, joined by spaces.
  std::string Actions(const std::string& intent_id);
  // Inserts a DRAFT as an existing system does; returns its id.
  std::string InsertBySql(const std::string& type, const std::string& payload);

 private:
  std::unique_ptr<TestDatabase> database_;
  SeededTenant tenant_;
  std::string agent_token_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_SERVED_ENGINE_H_
