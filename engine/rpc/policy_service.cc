#include "engine/rpc/policy_service.h"

#include <absl/strings/str_cat.h>
#include <google/protobuf/any.pb.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "engine/rpc/convert.h"
#include "engine/rpc/page_token.h"
#include "engine/rpc/policy_replay_reads.h"
#include "engine/rpc/status.h"

namespace sgl::engine {
namespace {

// A report tells of the first of each; the counts tell of all.
constexpr int kReportedMax = 20;

absl::StatusOr<PolicyScope> FromProto(intent::v1::PolicyScope scope,
                                      absl::string_view field) {
  switch (scope) {
    case intent::v1::POLICY_SCOPE_UNSPECIFIED:
      return PolicyScope::kCallers;
    case intent::v1::POLICY_SCOPE_PLATFORM:
      return PolicyScope::kPlatform;
    case intent::v1::POLICY_SCOPE_TENANT:
      return PolicyScope::kTenant;
    default:
      return BadField(field, "this number is no scope");
  }
}

std::vector<SourceFile> FromProto(
    const google::protobuf::RepeatedPtrField<intent::v1::PolicySource>&
        sources) {
  std::vector<SourceFile> files;
  for (const intent::v1::PolicySource& source : sources) {
    files.push_back({.name = source.name(), .text = source.text()});
  }
  return files;
}

void ToProto(const Finding& finding, intent::v1::Diagnostic* diagnostic) {
  diagnostic->set_severity(finding.severity == Severity::kError
                               ? intent::v1::DIAGNOSTIC_SEVERITY_ERROR
                               : intent::v1::DIAGNOSTIC_SEVERITY_WARNING);
  diagnostic->set_kind(std::string(finding.kind));
  diagnostic->set_file(finding.place.file);
  diagnostic->set_line(finding.place.from.line);
  diagnostic->set_column(finding.place.from.column);
  diagnostic->set_end_line(finding.place.to.line);
  diagnostic->set_end_column(finding.place.to.column);
  diagnostic->set_message(finding.message);
  for (const FindingNote& note : finding.notes) {
    intent::v1::DiagnosticNote* added = diagnostic->add_notes();
    added->set_file(note.place.file);
    added->set_line(note.place.from.line);
    added->set_column(note.place.from.column);
    added->set_message(note.message);
  }
  for (const std::string& help : finding.helps) diagnostic->add_helps(help);
  diagnostic->set_rendered(finding.rendered);
}

void ToProto(const CheckedVersion& checked, intent::v1::PolicyReport* report) {
  report->set_rule_count(checked.rule_count);
  report->set_warning_count(checked.warning_count);
  report->set_test_count(static_cast<int>(checked.tests.size()));
  report->set_failed_test_count(checked.failed_test_count);
  report->set_obstacle(checked.obstacle);
  for (const TestResult& test : checked.tests) {
    for (const TestFailure& failure : test.failures) {
      if (report->failures_size() >= kReportedMax) return;
      intent::v1::PolicyTestFailure* added = report->add_failures();
      added->set_test(test.name);
      added->set_at(failure.at);
      added->set_given(failure.given);
      added->set_expected(failure.expected);
      added->set_got(failure.got);
    }
  }
}

// Reads what ReportJson wrote, and nothing of sets that were stored without.
void ReportFromJson(const std::string& text, intent::v1::PolicyReport* report) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("rules")) return;
  report->set_rule_count(json.value("rules", 0));
  report->set_warning_count(json.value("warnings", 0));
  report->set_test_count(json.value("tests", 0));
  report->set_failed_test_count(json.value("failed_tests", 0));
  report->set_obstacle(json.value("obstacle", ""));
  const nlohmann::json none = nlohmann::json::array();
  for (const auto& finding : json.value("findings", none)) {
    if (finding.is_string()) report->add_warnings(finding);
  }
  for (const auto& failure : json.value("failures", none)) {
    if (!failure.is_object()) continue;
    intent::v1::PolicyTestFailure* added = report->add_failures();
    added->set_test(failure.value("test", ""));
    added->set_at(failure.value("at", ""));
    added->set_given(failure.value("given", ""));
    added->set_expected(failure.value("expected", ""));
    added->set_got(failure.value("got", ""));
  }
}

void ToProto(const storage::PolicyVersion& version,
             intent::v1::Policy* policy) {
  policy->set_id(version.id);
  policy->set_scope(version.tenant_id.empty()
                        ? intent::v1::POLICY_SCOPE_PLATFORM
                        : intent::v1::POLICY_SCOPE_TENANT);
  policy->set_tenant_id(version.tenant_id);
  policy->set_digest(version.set.digest);
  for (const storage::PolicySource& source : version.set.sources) {
    intent::v1::PolicySource* added = policy->add_sources();
    added->set_name(source.name);
    added->set_text(source.text);
  }
  policy->set_author(version.author);
  policy->set_author_user_id(version.author_user_id);
  policy->set_description(version.description);
  ReportFromJson(version.report, policy->mutable_report());
  *policy->mutable_create_time() = ToProtoTime(version.created_at);
  policy->set_active(version.is_active);
  if (version.activated_at.has_value()) {
    *policy->mutable_activate_time() = ToProtoTime(*version.activated_at);
  }
  policy->set_activated_by(
      version.activated_by.user_id.value_or(version.activated_by.external_id));
  policy->set_intent_id(version.intent_id);
}

// Tells the errors: as many as a status can carry, and how many there are.
absl::Status PolicyErrors(const CheckedVersion& checked) {
  std::vector<google::protobuf::Any> details;
  size_t bytes = 0;
  std::string first;
  for (const Finding& finding : checked.findings) {
    if (finding.severity != Severity::kError) continue;
    intent::v1::Diagnostic diagnostic;
    ToProto(finding, &diagnostic);
    if (first.empty()) {
      first = absl::StrCat(diagnostic.file(), ":", diagnostic.line(), ":",
                           diagnostic.column(), ": ", finding.message);
    }
    google::protobuf::Any detail;
    detail.PackFrom(diagnostic);
    bytes += detail.ByteSizeLong();
    if (bytes > kDetailBytesMax) break;
    details.push_back(std::move(detail));
  }
  // The message travels in a trailer too, and in the details once more.
  constexpr size_t kFirstMax = 500;
  if (first.size() > kFirstMax) first = "";
  return WithDetails(
      Refusal(absl::StatusCode::kInvalidArgument, "POLICY_ERRORS",
              absl::StrCat("the policy has ", checked.error_count,
                           checked.error_count == 1 ? " error" : " errors",
                           first.empty() ? "" : ", the first at ", first,
                           "; CheckPolicy tells all")),
      details);
}

}  // namespace

PolicyService::PolicyService(Calls* calls, PolicyVersions* versions,
                             Replays* replays, PolicyReplays* policy_replays)
    : calls_(calls),
      versions_(versions),
      replays_(replays),
      policy_replays_(policy_replays) {}

grpc::ServerUnaryReactor* PolicyService::CheckPolicy(
    grpc::CallbackServerContext* context,
    const intent::v1::CheckPolicyRequest* request,
    intent::v1::CheckPolicyResponse* response) {
  return calls_->Start(context, Method::kCheckPolicy,
                       [=, this](const CallScope& scope) {
                         return Check(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* PolicyService::ProposePolicy(
    grpc::CallbackServerContext* context,
    const intent::v1::ProposePolicyRequest* request,
    intent::v1::ProposePolicyResponse* response) {
  return calls_->Start(context, Method::kProposePolicy,
                       [=, this](const CallScope& scope) {
                         return Propose(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* PolicyService::GetPolicy(
    grpc::CallbackServerContext* context,
    const intent::v1::GetPolicyRequest* request,
    intent::v1::GetPolicyResponse* response) {
  return calls_->Start(context, Method::kGetPolicy,
                       [=, this](const CallScope& scope) {
                         return Get(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* PolicyService::ListPolicies(
    grpc::CallbackServerContext* context,
    const intent::v1::ListPoliciesRequest* request,
    intent::v1::ListPoliciesResponse* response) {
  return calls_->Start(context, Method::kListPolicies,
                       [=, this](const CallScope& scope) {
                         return List(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* PolicyService::ActivatePolicy(
    grpc::CallbackServerContext* context,
    const intent::v1::ActivatePolicyRequest* request,
    intent::v1::ActivatePolicyResponse* response) {
  return calls_->Start(context, Method::kActivatePolicy,
                       [=, this](const CallScope& scope) {
                         return Activate(scope, *request, response);
                       });
}

grpc::ServerUnaryReactor* PolicyService::ReplayIntent(
    grpc::CallbackServerContext* context,
    const intent::v1::ReplayIntentRequest* request,
    intent::v1::ReplayIntentResponse* response) {
  return calls_->Start(context, Method::kReplayIntent,
                       [=, this](const CallScope& scope) {
                         return Replay(scope, *request, response);
                       });
}

grpc::ServerWriteReactor<intent::v1::ReplayPolicyResponse>*
PolicyService::ReplayPolicy(grpc::CallbackServerContext* context,
                            const intent::v1::ReplayPolicyRequest* request) {
  return calls_->StartWatch<intent::v1::ReplayPolicyResponse>(
      context, Method::kReplayPolicy,
      PolicyReplayReader(policy_replays_, *request));
}

absl::Status PolicyService::Check(const CallScope& scope,
                                  const intent::v1::CheckPolicyRequest& request,
                                  intent::v1::CheckPolicyResponse* response) {
  const absl::StatusOr<PolicyScope> whose = FromProto(request.scope(), "scope");
  if (!whose.ok()) return whose.status();
  const absl::StatusOr<CheckedVersion> checked =
      versions_->Check(scope, *whose, FromProto(request.sources()));
  if (!checked.ok()) return checked.status();
  response->set_digest(checked->digest);
  response->set_error_count(checked->error_count);
  for (const Finding& finding : checked->findings) {
    ToProto(finding, response->add_diagnostics());
  }
  ToProto(*checked, response->mutable_report());
  return absl::OkStatus();
}

absl::Status PolicyService::Propose(
    const CallScope& scope, const intent::v1::ProposePolicyRequest& request,
    intent::v1::ProposePolicyResponse* response) {
  const absl::StatusOr<PolicyScope> whose = FromProto(request.scope(), "scope");
  if (!whose.ok()) return whose.status();
  const absl::StatusOr<Proposal> proposal = versions_->Propose(
      scope, *whose, FromProto(request.sources()), request.description());
  if (!proposal.ok()) return proposal.status();
  if (!proposal->version.has_value()) return PolicyErrors(proposal->checked);
  storage::PolicyVersion version = *proposal->version;
  version.set.sources.clear();
  ToProto(version, response->mutable_policy());
  response->set_existed(proposal->existed);
  return absl::OkStatus();
}

absl::Status PolicyService::Get(const CallScope& scope,
                                const intent::v1::GetPolicyRequest& request,
                                intent::v1::GetPolicyResponse* response) {
  const absl::StatusOr<PolicyScope> whose = FromProto(request.scope(), "scope");
  if (!whose.ok()) return whose.status();
  const absl::StatusOr<storage::PolicyVersion> version = versions_->Get(
      scope, *whose, {.id = request.id(), .digest = request.digest()});
  if (!version.ok()) return version.status();
  ToProto(*version, response->mutable_policy());
  return absl::OkStatus();
}

absl::Status PolicyService::List(const CallScope& scope,
                                 const intent::v1::ListPoliciesRequest& request,
                                 intent::v1::ListPoliciesResponse* response) {
  const absl::StatusOr<int> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  const absl::StatusOr<PolicyScope> whose =
      FromProto(request.filter().scope(), "filter.scope");
  if (!whose.ok()) return whose.status();
  const std::string fingerprint = request.filter().SerializeAsString();
  std::optional<storage::PageCursor> after;
  if (!request.page_token().empty()) {
    const absl::StatusOr<storage::PageCursor> cursor =
        DecodePageToken(request.page_token(), fingerprint);
    if (!cursor.ok()) return cursor.status();
    after = *cursor;
  }
  const absl::StatusOr<std::vector<storage::PolicyVersion>> versions =
      versions_->List(scope, *whose, after, *size);
  if (!versions.ok()) return versions.status();
  for (const storage::PolicyVersion& version : *versions) {
    ToProto(version, response->add_policies());
  }
  if (static_cast<int>(versions->size()) == *size) {
    const storage::PolicyVersion& last = versions->back();
    response->set_next_page_token(
        EncodePageToken({last.created_at, last.id}, fingerprint));
  }
  return absl::OkStatus();
}

absl::Status PolicyService::Activate(
    const CallScope& scope, const intent::v1::ActivatePolicyRequest& request,
    intent::v1::ActivatePolicyResponse* response) {
  const absl::StatusOr<PolicyScope> whose = FromProto(request.scope(), "scope");
  if (!whose.ok()) return whose.status();
  const absl::StatusOr<RequestedActivation> requested = versions_->Activate(
      scope, *whose,
      {.request_id = request.request_id(),
       .name = {.id = request.id(), .digest = request.digest()},
       .rationale = request.rationale(),
       .allow_broken_layers = request.allow_broken_layers()});
  if (!requested.ok()) return requested.status();
  storage::PolicyVersion version = requested->version;
  version.set.sources.clear();
  ToProto(version, response->mutable_policy());
  if (!requested->intent.has_value()) return absl::OkStatus();
  return ToProto(*requested->intent, response->mutable_intent());
}

absl::Status PolicyService::Replay(
    const CallScope& scope, const intent::v1::ReplayIntentRequest& request,
    intent::v1::ReplayIntentResponse* response) {
  const absl::StatusOr<std::vector<DecisionReplay>> replays =
      replays_->ReplayIntent(scope, request.id());
  if (!replays.ok()) return replays.status();
  for (const DecisionReplay& replay : *replays) {
    intent::v1::DecisionReplay* added = response->add_replays();
    added->set_transition_number(replay.transition_number);
    added->set_revision(replay.revision);
    added->set_platform_digest(replay.platform_digest);
    added->set_layer_digest(replay.layer_digest);
    added->set_problem(replay.problem);
    if (!replay.problem.empty()) continue;
    ToProto(replay.recorded, replay.decided_at, added->mutable_recorded());
    ToProto(replay.replayed, replay.decided_at, added->mutable_replayed());
    for (const std::string& difference : replay.differences) {
      added->add_differences(difference);
    }
    added->set_request(replay.request_line);
  }
  return absl::OkStatus();
}

}  // namespace sgl::engine
