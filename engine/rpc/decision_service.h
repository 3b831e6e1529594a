// DecisionService over gRPC: reads requests, calls the engine, converts
// answers; no logic of its own. Internal to engine/rpc.

#ifndef ENGINE_RPC_DECISION_SERVICE_H_
#define ENGINE_RPC_DECISION_SERVICE_H_

#include <absl/status/status.h>

#include "engine/approvals.h"
#include "engine/delegations.h"
#include "engine/memo_edits.h"
#include "engine/rpc/call.h"
#include "intent/v1/decision_service.grpc.pb.h"
#include "storage/database.h"

namespace sgl::engine {

// Thread-safe. Borrows what it is made of, which outlives the gRPC server.
class DecisionService final
    : public intent::v1::DecisionService::CallbackService {
 public:
  DecisionService(Calls* calls, storage::Database* db, Approvals* approvals,
                  MemoEdits* edits, Delegations* delegations);

  grpc::ServerUnaryReactor* GetDecisionMemo(
      grpc::CallbackServerContext* context,
      const intent::v1::GetDecisionMemoRequest* request,
      intent::v1::GetDecisionMemoResponse* response) override;
  grpc::ServerUnaryReactor* ListDecisionMemos(
      grpc::CallbackServerContext* context,
      const intent::v1::ListDecisionMemosRequest* request,
      intent::v1::ListDecisionMemosResponse* response) override;
  grpc::ServerUnaryReactor* ApproveDecisionMemo(
      grpc::CallbackServerContext* context,
      const intent::v1::ApproveDecisionMemoRequest* request,
      intent::v1::ApproveDecisionMemoResponse* response) override;
  grpc::ServerUnaryReactor* RejectDecisionMemo(
      grpc::CallbackServerContext* context,
      const intent::v1::RejectDecisionMemoRequest* request,
      intent::v1::RejectDecisionMemoResponse* response) override;
  grpc::ServerUnaryReactor* EditDecisionMemo(
      grpc::CallbackServerContext* context,
      const intent::v1::EditDecisionMemoRequest* request,
      intent::v1::EditDecisionMemoResponse* response) override;
  grpc::ServerUnaryReactor* BatchApproveDecisionMemos(
      grpc::CallbackServerContext* context,
      const intent::v1::BatchApproveDecisionMemosRequest* request,
      intent::v1::BatchApproveDecisionMemosResponse* response) override;
  grpc::ServerUnaryReactor* CreateDelegation(
      grpc::CallbackServerContext* context,
      const intent::v1::CreateDelegationRequest* request,
      intent::v1::CreateDelegationResponse* response) override;
  grpc::ServerUnaryReactor* ListDelegations(
      grpc::CallbackServerContext* context,
      const intent::v1::ListDelegationsRequest* request,
      intent::v1::ListDelegationsResponse* response) override;
  grpc::ServerUnaryReactor* RevokeDelegation(
      grpc::CallbackServerContext* context,
      const intent::v1::RevokeDelegationRequest* request,
      intent::v1::RevokeDelegationResponse* response) override;
  grpc::ServerWriteReactor<intent::v1::WatchDecisionMemosResponse>*
  WatchDecisionMemos(
      grpc::CallbackServerContext* context,
      const intent::v1::WatchDecisionMemosRequest* request) override;

 private:
  absl::Status Get(const CallScope& scope,
                   const intent::v1::GetDecisionMemoRequest& request,
                   intent::v1::GetDecisionMemoResponse* response);
  absl::Status List(const CallScope& scope,
                    const intent::v1::ListDecisionMemosRequest& request,
                    intent::v1::ListDecisionMemosResponse* response);
  absl::Status List(const CallScope& scope,
                    const intent::v1::ListDelegationsRequest& request,
                    intent::v1::ListDelegationsResponse* response);

  Calls* const calls_;
  storage::Database* const db_;
  Approvals* const approvals_;
  MemoEdits* const edits_;
  Delegations* const delegations_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_DECISION_SERVICE_H_
