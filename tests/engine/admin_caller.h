// Speaks AdminService as the holder of one token.
//
//   AdminCaller admin(served, served.AddToken(PrincipalKind::kOperator, ...));
//   auto answer = admin.Call(&AdminStub::ListTokens, request);

#ifndef TESTS_ENGINE_ADMIN_CALLER_H_
#define TESTS_ENGINE_ADMIN_CALLER_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "intent/v1/admin_service.grpc.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {

using AdminStub = intent::v1::AdminService::Stub;

class AdminCaller {
 public:
  AdminCaller(ServedEngine& served, std::string token)
      : token_(std::move(token)),
        stub_(intent::v1::AdminService::NewStub(grpc::CreateChannel(
            served.server().address(), grpc::InsecureChannelCredentials()))) {}

  template <typename Request, typename Response>
  Answer<Response> Call(grpc::Status (AdminStub::*method)(grpc::ClientContext*,
                                                          const Request&,
                                                          Response*),
                        const Request& request) {
    grpc::ClientContext context;
    if (!token_.empty()) {
      context.AddMetadata("authorization", "Bearer " + token_);
    }
    Answer<Response> answer;
    answer.status = (stub_.get()->*method)(&context, request, &answer.response);
    return answer;
  }

  // Sets a switch; `tenant` and `agent` as in the request.
  Answer<intent::v1::SetKillSwitchResponse> Switch(
      intent::v1::SwitchLevel level, bool engine_enabled,
      const std::string& tenant = "", const std::string& agent = "") {
    intent::v1::SetKillSwitchRequest request;
    request.set_level(level);
    request.set_tenant(tenant);
    request.set_agent(agent);
    request.set_engine_enabled(engine_enabled);
    request.set_reason("drill");
    return Call(&AdminStub::SetKillSwitch, request);
  }

 private:
  std::string token_;
  std::unique_ptr<AdminStub> stub_;
};

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_ADMIN_CALLER_H_
