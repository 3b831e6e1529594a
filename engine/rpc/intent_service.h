// IntentService over gRPC: reads requests, calls the engine, converts answers;
// no logic of its own. Internal to engine/rpc.

#ifndef ENGINE_RPC_INTENT_SERVICE_H_
#define ENGINE_RPC_INTENT_SERVICE_H_

#include <absl/status/status.h>

#include "engine/approvals.h"
#include "engine/intake.h"
#include "engine/rpc/call.h"
#include "intent/v1/intent_service.grpc.pb.h"
#include "storage/database.h"

namespace sgl::engine {

// Thread-safe. Borrows what it is made of, which outlives the gRPC server.
class IntentService final : public intent::v1::IntentService::CallbackService {
 public:
  IntentService(Calls* calls, storage::Database* db, Intake* intake,
                Approvals* approvals);

  grpc::ServerUnaryReactor* SubmitIntent(
      grpc::CallbackServerContext* context,
      const intent::v1::SubmitIntentRequest* request,
      intent::v1::SubmitIntentResponse* response) override;
  grpc::ServerUnaryReactor* BatchSubmitIntents(
      grpc::CallbackServerContext* context,
      const intent::v1::BatchSubmitIntentsRequest* request,
      intent::v1::BatchSubmitIntentsResponse* response) override;
  grpc::ServerUnaryReactor* EvaluateIntent(
      grpc::CallbackServerContext* context,
      const intent::v1::EvaluateIntentRequest* request,
      intent::v1::EvaluateIntentResponse* response) override;
  grpc::ServerUnaryReactor* GetIntent(
      grpc::CallbackServerContext* context,
      const intent::v1::GetIntentRequest* request,
      intent::v1::GetIntentResponse* response) override;
  grpc::ServerUnaryReactor* ListIntents(
      grpc::CallbackServerContext* context,
      const intent::v1::ListIntentsRequest* request,
      intent::v1::ListIntentsResponse* response) override;
  grpc::ServerUnaryReactor* CancelIntent(
      grpc::CallbackServerContext* context,
      const intent::v1::CancelIntentRequest* request,
      intent::v1::CancelIntentResponse* response) override;
  grpc::ServerWriteReactor<intent::v1::WatchIntentsResponse>* WatchIntents(
      grpc::CallbackServerContext* context,
      const intent::v1::WatchIntentsRequest* request) override;

 private:
  void Submit(const CallScope& scope,
              const intent::v1::SubmitIntentRequest& request,
              intent::v1::SubmitIntentResponse* response, Calls::Done done);
  absl::Status Evaluate(const CallScope& scope,
                        const intent::v1::EvaluateIntentRequest& request,
                        intent::v1::EvaluateIntentResponse* response);
  absl::Status Get(const CallScope& scope,
                   const intent::v1::GetIntentRequest& request,
                   intent::v1::GetIntentResponse* response);
  absl::Status List(const CallScope& scope,
                    const intent::v1::ListIntentsRequest& request,
                    intent::v1::ListIntentsResponse* response);

  Calls* const calls_;
  storage::Database* const db_;
  Intake* const intake_;
  Approvals* const approvals_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_INTENT_SERVICE_H_
