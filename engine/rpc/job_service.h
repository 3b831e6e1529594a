// JobService over gRPC: reads requests, calls the engine, converts answers; no
// logic of its own. Internal to engine/rpc.

#ifndef ENGINE_RPC_JOB_SERVICE_H_
#define ENGINE_RPC_JOB_SERVICE_H_

#include <absl/status/status.h>

#include "engine/jobs.h"
#include "engine/rpc/call.h"
#include "intent/v1/job_service.grpc.pb.h"
#include "storage/database.h"

namespace sgl::engine {

// Thread-safe. Borrows what it is made of, which outlives the gRPC server.
class JobService final : public intent::v1::JobService::CallbackService {
 public:
  JobService(Calls* calls, storage::Database* db, Jobs* jobs);

  grpc::ServerUnaryReactor* LeaseJobs(
      grpc::CallbackServerContext* context,
      const intent::v1::LeaseJobsRequest* request,
      intent::v1::LeaseJobsResponse* response) override;
  grpc::ServerUnaryReactor* HeartbeatJob(
      grpc::CallbackServerContext* context,
      const intent::v1::HeartbeatJobRequest* request,
      intent::v1::HeartbeatJobResponse* response) override;
  grpc::ServerUnaryReactor* CompleteJob(
      grpc::CallbackServerContext* context,
      const intent::v1::CompleteJobRequest* request,
      intent::v1::CompleteJobResponse* response) override;
  grpc::ServerUnaryReactor* FailJob(
      grpc::CallbackServerContext* context,
      const intent::v1::FailJobRequest* request,
      intent::v1::FailJobResponse* response) override;
  grpc::ServerUnaryReactor* GetJob(
      grpc::CallbackServerContext* context,
      const intent::v1::GetJobRequest* request,
      intent::v1::GetJobResponse* response) override;
  grpc::ServerUnaryReactor* ListJobs(
      grpc::CallbackServerContext* context,
      const intent::v1::ListJobsRequest* request,
      intent::v1::ListJobsResponse* response) override;
  grpc::ServerUnaryReactor* CancelJob(
      grpc::CallbackServerContext* context,
      const intent::v1::CancelJobRequest* request,
      intent::v1::CancelJobResponse* response) override;

 private:
  absl::Status Heartbeat(const CallScope& scope,
                         const intent::v1::HeartbeatJobRequest& request,
                         intent::v1::HeartbeatJobResponse* response);
  absl::Status Get(const CallScope& scope,
                   const intent::v1::GetJobRequest& request,
                   intent::v1::GetJobResponse* response);
  absl::Status List(const CallScope& scope,
                    const intent::v1::ListJobsRequest& request,
                    intent::v1::ListJobsResponse* response);
  absl::Status Cancel(const CallScope& scope,
                      const intent::v1::CancelJobRequest& request,
                      intent::v1::CancelJobResponse* response);

  Calls* const calls_;
  storage::Database* const db_;
  Jobs* const jobs_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_JOB_SERVICE_H_
