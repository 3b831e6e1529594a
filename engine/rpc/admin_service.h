// AdminService over gRPC: reads requests, calls the engine, converts answers;
// no logic of its own. Internal to engine/rpc.

#ifndef ENGINE_RPC_ADMIN_SERVICE_H_
#define ENGINE_RPC_ADMIN_SERVICE_H_

#include "engine/directory.h"
#include "engine/rpc/call.h"
#include "engine/switches.h"
#include "intent/v1/admin_service.grpc.pb.h"
#include "storage/database.h"

namespace sgl::engine {

// Thread-safe. Borrows what it is made of, which outlives the gRPC server.
class AdminService final : public intent::v1::AdminService::CallbackService {
 public:
  AdminService(Calls* calls, storage::Database* db);

  grpc::ServerUnaryReactor* SetKillSwitch(
      grpc::CallbackServerContext* context,
      const intent::v1::SetKillSwitchRequest* request,
      intent::v1::SetKillSwitchResponse* response) override;
  grpc::ServerUnaryReactor* GetKillSwitch(
      grpc::CallbackServerContext* context,
      const intent::v1::GetKillSwitchRequest* request,
      intent::v1::GetKillSwitchResponse* response) override;
  grpc::ServerUnaryReactor* ListKillSwitches(
      grpc::CallbackServerContext* context,
      const intent::v1::ListKillSwitchesRequest* request,
      intent::v1::ListKillSwitchesResponse* response) override;
  grpc::ServerUnaryReactor* CreateTenant(
      grpc::CallbackServerContext* context,
      const intent::v1::CreateTenantRequest* request,
      intent::v1::CreateTenantResponse* response) override;
  grpc::ServerUnaryReactor* ListTenants(
      grpc::CallbackServerContext* context,
      const intent::v1::ListTenantsRequest* request,
      intent::v1::ListTenantsResponse* response) override;
  grpc::ServerUnaryReactor* CreateAgent(
      grpc::CallbackServerContext* context,
      const intent::v1::CreateAgentRequest* request,
      intent::v1::CreateAgentResponse* response) override;
  grpc::ServerUnaryReactor* UpdateAgent(
      grpc::CallbackServerContext* context,
      const intent::v1::UpdateAgentRequest* request,
      intent::v1::UpdateAgentResponse* response) override;
  grpc::ServerUnaryReactor* ListAgents(
      grpc::CallbackServerContext* context,
      const intent::v1::ListAgentsRequest* request,
      intent::v1::ListAgentsResponse* response) override;
  grpc::ServerUnaryReactor* CreateMember(
      grpc::CallbackServerContext* context,
      const intent::v1::CreateMemberRequest* request,
      intent::v1::CreateMemberResponse* response) override;
  grpc::ServerUnaryReactor* SetMemberRoles(
      grpc::CallbackServerContext* context,
      const intent::v1::SetMemberRolesRequest* request,
      intent::v1::SetMemberRolesResponse* response) override;
  grpc::ServerUnaryReactor* RemoveMember(
      grpc::CallbackServerContext* context,
      const intent::v1::RemoveMemberRequest* request,
      intent::v1::RemoveMemberResponse* response) override;
  grpc::ServerUnaryReactor* ListMembers(
      grpc::CallbackServerContext* context,
      const intent::v1::ListMembersRequest* request,
      intent::v1::ListMembersResponse* response) override;
  grpc::ServerUnaryReactor* CreateToken(
      grpc::CallbackServerContext* context,
      const intent::v1::CreateTokenRequest* request,
      intent::v1::CreateTokenResponse* response) override;
  grpc::ServerUnaryReactor* RevokeToken(
      grpc::CallbackServerContext* context,
      const intent::v1::RevokeTokenRequest* request,
      intent::v1::RevokeTokenResponse* response) override;
  grpc::ServerUnaryReactor* ListTokens(
      grpc::CallbackServerContext* context,
      const intent::v1::ListTokensRequest* request,
      intent::v1::ListTokensResponse* response) override;

 private:
  Calls* const calls_;
  Switches switches_;
  Directory directory_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_ADMIN_SERVICE_H_
