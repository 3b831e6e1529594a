#include "tests/engine/policy_caller.h"

#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <utility>

#include "google/rpc/status.pb.h"
#include "storage/uuid.h"

namespace sgl::testing {
namespace {

// A tenant's file may not have the name of one of the platform's.
std::string NameFor(const std::string& text) {
  return absl::StrContains(text, "layer tenant") ? "own.sgl" : "new.sgl";
}

}  // namespace

PolicyCaller::PolicyCaller(ServedEngine& served, std::string token)
    : token_(std::move(token)),
      stub_(intent::v1::PolicyService::NewStub(served.channel())) {}

std::unique_ptr<grpc::ClientContext> PolicyCaller::Context() const {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("authorization", absl::StrCat("Bearer ", token_));
  return context;
}

Answer<intent::v1::CheckPolicyResponse> PolicyCaller::Check(
    const std::string& text, intent::v1::PolicyScope scope) {
  intent::v1::CheckPolicyRequest request;
  request.set_scope(scope);
  intent::v1::PolicySource* source = request.add_sources();
  source->set_name(NameFor(text));
  source->set_text(text);
  Answer<intent::v1::CheckPolicyResponse> answer;
  answer.status =
      stub_->CheckPolicy(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::ProposePolicyResponse> PolicyCaller::Propose(
    const intent::v1::ProposePolicyRequest& request) {
  Answer<intent::v1::ProposePolicyResponse> answer;
  answer.status =
      stub_->ProposePolicy(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::ProposePolicyResponse> PolicyCaller::Propose(
    const std::string& text, intent::v1::PolicyScope scope) {
  intent::v1::ProposePolicyRequest request;
  request.set_scope(scope);
  request.set_description("for the test");
  intent::v1::PolicySource* source = request.add_sources();
  source->set_name(NameFor(text));
  source->set_text(text);
  return Propose(request);
}

std::string PolicyCaller::MustPropose(const std::string& text) {
  const auto answer = Propose(text);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return answer.response.policy().digest();
}

Answer<intent::v1::GetPolicyResponse> PolicyCaller::Get(
    const std::string& digest, intent::v1::PolicyScope scope) {
  intent::v1::GetPolicyRequest request;
  request.set_scope(scope);
  request.set_digest(digest);
  Answer<intent::v1::GetPolicyResponse> answer;
  answer.status = stub_->GetPolicy(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::ListPoliciesResponse> PolicyCaller::List(
    const intent::v1::ListPoliciesRequest& request) {
  Answer<intent::v1::ListPoliciesResponse> answer;
  answer.status =
      stub_->ListPolicies(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::ActivatePolicyResponse> PolicyCaller::Activate(
    const intent::v1::ActivatePolicyRequest& request) {
  Answer<intent::v1::ActivatePolicyResponse> answer;
  answer.status =
      stub_->ActivatePolicy(Context().get(), request, &answer.response);
  return answer;
}

Answer<intent::v1::ActivatePolicyResponse> PolicyCaller::Activate(
    const std::string& digest) {
  intent::v1::ActivatePolicyRequest request;
  request.set_request_id(storage::NewUuid());
  request.set_digest(digest);
  return Activate(request);
}

intent::v1::Intent PolicyCaller::MustActivate(const std::string& digest) {
  const auto answer = Activate(digest);
  EXPECT_TRUE(answer.ok()) << answer.status.error_message();
  return answer.response.intent();
}

Answer<intent::v1::ReplayIntentResponse> PolicyCaller::Replay(
    const std::string& intent_id) {
  intent::v1::ReplayIntentRequest request;
  request.set_id(intent_id);
  Answer<intent::v1::ReplayIntentResponse> answer;
  answer.status =
      stub_->ReplayIntent(Context().get(), request, &answer.response);
  return answer;
}

std::unique_ptr<Stream<intent::v1::ReplayPolicyResponse>>
PolicyCaller::ReplayPolicy(const intent::v1::ReplayPolicyRequest& request) {
  auto context = Context();
  auto reader = stub_->ReplayPolicy(context.get(), request);
  return std::make_unique<Stream<intent::v1::ReplayPolicyResponse>>(
      std::move(context), std::move(reader));
}

Answer<intent::v1::ReplayPolicyResponse> PolicyCaller::ReplayAll(
    const intent::v1::ReplayPolicyRequest& request) {
  Answer<intent::v1::ReplayPolicyResponse> answer;
  const auto stream = ReplayPolicy(request);
  while (stream->Next(&answer.response)) {
  }
  answer.status = stream->Finish();
  return answer;
}

std::vector<intent::v1::Diagnostic> DiagnosticsOf(const grpc::Status& status) {
  std::vector<intent::v1::Diagnostic> diagnostics;
  google::rpc::Status details;
  if (!details.ParseFromString(status.error_details())) return diagnostics;
  for (const auto& any : details.details()) {
    intent::v1::Diagnostic diagnostic;
    if (any.UnpackTo(&diagnostic)) diagnostics.push_back(diagnostic);
  }
  return diagnostics;
}

std::string ActiveDigest(ServedEngine& served) {
  return served.Value(
      "SELECT p.digest FROM active_policies AS a "
      "JOIN policies AS p ON p.id = a.policy_id WHERE a.tenant_id IS NULL");
}

}  // namespace sgl::testing
