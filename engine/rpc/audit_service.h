// AuditService over gRPC: reads requests, calls the engine, converts answers;
// no logic of its own. Internal to engine/rpc.

#ifndef ENGINE_RPC_AUDIT_SERVICE_H_
#define ENGINE_RPC_AUDIT_SERVICE_H_

#include <absl/status/status.h>

#include "engine/rpc/call.h"
#include "intent/v1/audit_service.grpc.pb.h"
#include "storage/database.h"

namespace sgl::engine {

// Thread-safe. Borrows what it is made of, which outlives the gRPC server.
class AuditService final : public intent::v1::AuditService::CallbackService {
 public:
  AuditService(Calls* calls, storage::Database* db);

  grpc::ServerUnaryReactor* ListAuditEntries(
      grpc::CallbackServerContext* context,
      const intent::v1::ListAuditEntriesRequest* request,
      intent::v1::ListAuditEntriesResponse* response) override;
  grpc::ServerUnaryReactor* GetTreeHead(
      grpc::CallbackServerContext* context,
      const intent::v1::GetTreeHeadRequest* request,
      intent::v1::GetTreeHeadResponse* response) override;
  grpc::ServerUnaryReactor* GetInclusionProof(
      grpc::CallbackServerContext* context,
      const intent::v1::GetInclusionProofRequest* request,
      intent::v1::GetInclusionProofResponse* response) override;
  grpc::ServerUnaryReactor* VerifyAuditLog(
      grpc::CallbackServerContext* context,
      const intent::v1::VerifyAuditLogRequest* request,
      intent::v1::VerifyAuditLogResponse* response) override;

 private:
  absl::Status List(const CallScope& scope,
                    const intent::v1::ListAuditEntriesRequest& request,
                    intent::v1::ListAuditEntriesResponse* response);
  absl::Status Head(const CallScope& scope,
                    const intent::v1::GetTreeHeadRequest& request,
                    intent::v1::GetTreeHeadResponse* response);
  absl::Status Prove(const CallScope& scope,
                     const intent::v1::GetInclusionProofRequest& request,
                     intent::v1::GetInclusionProofResponse* response);
  absl::Status Verify(const CallScope& scope,
                      const intent::v1::VerifyAuditLogRequest& request,
                      intent::v1::VerifyAuditLogResponse* response);

  Calls* const calls_;
  storage::Database* const db_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_AUDIT_SERVICE_H_
