// PolicyService over gRPC: reads requests, calls the engine, converts answers;
// no logic of its own. Internal to engine/rpc.

#ifndef ENGINE_RPC_POLICY_SERVICE_H_
#define ENGINE_RPC_POLICY_SERVICE_H_

#include <absl/status/status.h>

#include "engine/policy_replay.h"
#include "engine/policy_versions.h"
#include "engine/replays.h"
#include "engine/rpc/call.h"
#include "intent/v1/policy_service.grpc.pb.h"

namespace sgl::engine {

// Thread-safe. Borrows what it is made of, which outlives the gRPC server.
class PolicyService final : public intent::v1::PolicyService::CallbackService {
 public:
  PolicyService(Calls* calls, PolicyVersions* versions, Replays* replays,
                PolicyReplays* policy_replays);

  grpc::ServerUnaryReactor* CheckPolicy(
      grpc::CallbackServerContext* context,
      const intent::v1::CheckPolicyRequest* request,
      intent::v1::CheckPolicyResponse* response) override;
  grpc::ServerUnaryReactor* ProposePolicy(
      grpc::CallbackServerContext* context,
      const intent::v1::ProposePolicyRequest* request,
      intent::v1::ProposePolicyResponse* response) override;
  grpc::ServerUnaryReactor* GetPolicy(
      grpc::CallbackServerContext* context,
      const intent::v1::GetPolicyRequest* request,
      intent::v1::GetPolicyResponse* response) override;
  grpc::ServerUnaryReactor* ListPolicies(
      grpc::CallbackServerContext* context,
      const intent::v1::ListPoliciesRequest* request,
      intent::v1::ListPoliciesResponse* response) override;
  grpc::ServerUnaryReactor* ActivatePolicy(
      grpc::CallbackServerContext* context,
      const intent::v1::ActivatePolicyRequest* request,
      intent::v1::ActivatePolicyResponse* response) override;
  grpc::ServerUnaryReactor* ReplayIntent(
      grpc::CallbackServerContext* context,
      const intent::v1::ReplayIntentRequest* request,
      intent::v1::ReplayIntentResponse* response) override;
  grpc::ServerWriteReactor<intent::v1::ReplayPolicyResponse>* ReplayPolicy(
      grpc::CallbackServerContext* context,
      const intent::v1::ReplayPolicyRequest* request) override;

 private:
  absl::Status Check(const CallScope& scope,
                     const intent::v1::CheckPolicyRequest& request,
                     intent::v1::CheckPolicyResponse* response);
  absl::Status Propose(const CallScope& scope,
                       const intent::v1::ProposePolicyRequest& request,
                       intent::v1::ProposePolicyResponse* response);
  absl::Status Get(const CallScope& scope,
                   const intent::v1::GetPolicyRequest& request,
                   intent::v1::GetPolicyResponse* response);
  absl::Status List(const CallScope& scope,
                    const intent::v1::ListPoliciesRequest& request,
                    intent::v1::ListPoliciesResponse* response);
  absl::Status Activate(const CallScope& scope,
                        const intent::v1::ActivatePolicyRequest& request,
                        intent::v1::ActivatePolicyResponse* response);
  absl::Status Replay(const CallScope& scope,
                      const intent::v1::ReplayIntentRequest& request,
                      intent::v1::ReplayIntentResponse* response);

  Calls* const calls_;
  PolicyVersions* const versions_;
  Replays* const replays_;
  PolicyReplays* const policy_replays_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_POLICY_SERVICE_H_
