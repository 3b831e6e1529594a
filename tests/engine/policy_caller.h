// Speaks with PolicyService as the holder of one token, and what tests of
// policy versions share.

#ifndef TESTS_ENGINE_POLICY_CALLER_H_
#define TESTS_ENGINE_POLICY_CALLER_H_

#include <memory>
#include <string>
#include <vector>

#include "intent/v1/policy_service.grpc.pb.h"
#include "tests/engine/served_engine.h"

namespace sgl::testing {

inline constexpr char kSystem[] = "00000000-0000-0000-0000-000000000001";

class PolicyCaller {
 public:
  PolicyCaller(ServedEngine& served, std::string token);

  Answer<intent::v1::CheckPolicyResponse> Check(
      const std::string& text,
      intent::v1::PolicyScope scope = intent::v1::POLICY_SCOPE_UNSPECIFIED);
  Answer<intent::v1::ProposePolicyResponse> Propose(
      const intent::v1::ProposePolicyRequest& request);
  Answer<intent::v1::ProposePolicyResponse> Propose(
      const std::string& text,
      intent::v1::PolicyScope scope = intent::v1::POLICY_SCOPE_UNSPECIFIED);
  // Proposes and returns the digest; fails the test where that is refused.
  std::string MustPropose(const std::string& text);
  Answer<intent::v1::GetPolicyResponse> Get(
      const std::string& digest,
      intent::v1::PolicyScope scope = intent::v1::POLICY_SCOPE_UNSPECIFIED);
  Answer<intent::v1::ListPoliciesResponse> List(
      const intent::v1::ListPoliciesRequest& request);
  Answer<intent::v1::ActivatePolicyResponse> Activate(
      const intent::v1::ActivatePolicyRequest& request);
  // With a new request id.
  Answer<intent::v1::ActivatePolicyResponse> Activate(
      const std::string& digest);
  // Activates; fails the test where that is refused.
  intent::v1::Intent MustActivate(const std::string& digest);
  Answer<intent::v1::ReplayIntentResponse> Replay(const std::string& intent_id);
  std::unique_ptr<Stream<intent::v1::ReplayPolicyResponse>> ReplayPolicy(
      const intent::v1::ReplayPolicyRequest& request);
  // Reads to the end; answers the last message.
  Answer<intent::v1::ReplayPolicyResponse> ReplayAll(
      const intent::v1::ReplayPolicyRequest& request);

 private:
  std::unique_ptr<grpc::ClientContext> Context() const;

  std::string token_;
  std::unique_ptr<intent::v1::PolicyService::Stub> stub_;
};

// Returns the Diagnostic messages among the status's details.
std::vector<intent::v1::Diagnostic> DiagnosticsOf(const grpc::Status& status);

// Returns the digest that is active for the platform.
std::string ActiveDigest(ServedEngine& served);

}  // namespace sgl::testing

#endif  // TESTS_ENGINE_POLICY_CALLER_H_
