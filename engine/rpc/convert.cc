#include "engine/rpc/convert.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "engine/decision_json.h"
#include "engine/demands.h"
#include "engine/error.h"
#include "engine/text.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int32_t kNanosPerSecond = 1'000'000'000;

intent::v1::IntentStatus ToProtoStatus(storage::IntentStatus status) {
  switch (status) {
    case storage::IntentStatus::kDraft:
      return intent::v1::INTENT_STATUS_DRAFT;
    case storage::IntentStatus::kValidating:
      return intent::v1::INTENT_STATUS_VALIDATING;
    case storage::IntentStatus::kExecuted:
      return intent::v1::INTENT_STATUS_EXECUTED;
    case storage::IntentStatus::kFailed:
      return intent::v1::INTENT_STATUS_FAILED;
    case storage::IntentStatus::kBlockedSgl:
      return intent::v1::INTENT_STATUS_BLOCKED_SGL;
    case storage::IntentStatus::kAwaitingHuman:
      return intent::v1::INTENT_STATUS_AWAITING_HUMAN;
  }
  return intent::v1::INTENT_STATUS_UNSPECIFIED;
}

std::optional<storage::IntentStatus> FromProtoStatus(
    intent::v1::IntentStatus status) {
  switch (status) {
    case intent::v1::INTENT_STATUS_DRAFT:
      return storage::IntentStatus::kDraft;
    case intent::v1::INTENT_STATUS_VALIDATING:
      return storage::IntentStatus::kValidating;
    case intent::v1::INTENT_STATUS_EXECUTED:
      return storage::IntentStatus::kExecuted;
    case intent::v1::INTENT_STATUS_FAILED:
      return storage::IntentStatus::kFailed;
    case intent::v1::INTENT_STATUS_BLOCKED_SGL:
      return storage::IntentStatus::kBlockedSgl;
    case intent::v1::INTENT_STATUS_AWAITING_HUMAN:
      return storage::IntentStatus::kAwaitingHuman;
    default:
      return std::nullopt;
  }
}

intent::v1::MemoStatus ToProtoStatus(storage::MemoStatus status) {
  switch (status) {
    case storage::MemoStatus::kProposed:
      return intent::v1::MEMO_STATUS_PROPOSED;
    case storage::MemoStatus::kApproved:
      return intent::v1::MEMO_STATUS_APPROVED;
    case storage::MemoStatus::kRejected:
      return intent::v1::MEMO_STATUS_REJECTED;
  }
  return intent::v1::MEMO_STATUS_UNSPECIFIED;
}

intent::v1::DataClass ToProtoDataClass(absl::string_view name) {
  if (name.empty()) return intent::v1::DATA_CLASS_UNSPECIFIED;
  switch (DataClassFromName(name).value_or(DataClass::kNone)) {
    case DataClass::kNone:
      return intent::v1::DATA_CLASS_NONE;
    case DataClass::kPii:
      return intent::v1::DATA_CLASS_PII;
    case DataClass::kPhi:
      break;
  }
  return intent::v1::DATA_CLASS_PHI;
}

absl::StatusOr<DataClass> FromProtoDataClass(intent::v1::DataClass value) {
  switch (value) {
    case intent::v1::DATA_CLASS_UNSPECIFIED:
    case intent::v1::DATA_CLASS_NONE:
      return DataClass::kNone;
    case intent::v1::DATA_CLASS_PII:
      return DataClass::kPii;
    case intent::v1::DATA_CLASS_PHI:
      return DataClass::kPhi;
    default:
      return BadField("data_class", "this number is no data class");
  }
}

intent::v1::DecisionKind ToProtoKind(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::kAllow:
      return intent::v1::DECISION_KIND_ALLOW;
    case DecisionKind::kReview:
      return intent::v1::DECISION_KIND_REVIEW;
    case DecisionKind::kBlock:
      break;
  }
  return intent::v1::DECISION_KIND_BLOCK;
}

intent::v1::RuleOutcome ToProtoOutcome(RuleOutcome outcome) {
  switch (outcome) {
    case RuleOutcome::kApplied:
      return intent::v1::RULE_OUTCOME_APPLIED;
    case RuleOutcome::kNotApplied:
      return intent::v1::RULE_OUTCOME_NOT_APPLIED;
    case RuleOutcome::kFaulted:
      break;
  }
  return intent::v1::RULE_OUTCOME_FAULTED;
}

void ToProto(const Reason& reason, intent::v1::Reason* message) {
  message->set_code(reason.code);
  message->set_message(reason.message);
  message->set_layer(reason.layer);
  message->set_at(reason.at);
  for (const FieldViolation& violation : reason.field_violations) {
    intent::v1::FieldViolation* added = message->add_field_violations();
    added->set_field(violation.path);
    added->set_description(violation.message);
  }
}

void ToProto(const ApprovalDemand& demand,
             intent::v1::ApprovalDemand* message) {
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  message->set_count(static_cast<int32_t>(std::min(demand.count, kMax)));
  for (const std::string& role : demand.roles) message->add_roles(role);
}

void ToProto(const storage::VoteRow& vote, intent::v1::Vote* message) {
  message->set_id(vote.id);
  message->set_approver(vote.approved_by);
  message->set_verdict(vote.verdict == storage::Verdict::kApprove
                           ? intent::v1::VERDICT_APPROVE
                           : intent::v1::VERDICT_REJECT);
  message->set_comment(vote.comment);
  message->set_revision(vote.revision);
  message->set_payload_sha256(vote.payload_sha256);
  *message->mutable_create_time() = ToProtoTime(vote.created_at);
  if (vote.expires_at.has_value()) {
    *message->mutable_expire_time() = ToProtoTime(*vote.expires_at);
  }
  for (const std::string& id : vote.delegation_ids) {
    message->add_delegation_ids(id);
  }
}

// The fields that both requests have, by the same names.
template <typename Request>
absl::StatusOr<Submission> Body(const Request& request) {
  Submission submission;
  submission.intent_type = request.intent_type();
  submission.payload = request.payload();
  submission.spend_micros_usd = request.spend_micros_usd();
  const absl::StatusOr<DataClass> data_class =
      FromProtoDataClass(request.data_class());
  if (!data_class.ok()) return data_class.status();
  submission.data_class = *data_class;
  submission.title = request.title();
  submission.rationale = request.rationale();
  submission.requested_by = request.requested_by();
  return submission;
}

}  // namespace

google::protobuf::Timestamp ToProtoTime(absl::Time time) {
  constexpr int64_t kMicrosPerSecond = 1'000'000;
  return TimeUtil::MicrosecondsToTimestamp(
      std::clamp(absl::ToUnixMicros(time),
                 TimeUtil::kTimestampMinSeconds * kMicrosPerSecond,
                 TimeUtil::kTimestampMaxSeconds * kMicrosPerSecond));
}

absl::StatusOr<std::optional<absl::Time>> FromProtoTime(
    absl::string_view field, bool is_set,
    const google::protobuf::Timestamp& time) {
  if (!is_set) return std::optional<absl::Time>();
  const bool is_valid = time.seconds() >= TimeUtil::kTimestampMinSeconds &&
                        time.seconds() <= TimeUtil::kTimestampMaxSeconds &&
                        time.nanos() >= 0 && time.nanos() < kNanosPerSecond;
  if (!is_valid) {
    return BadField(field, "it is no time between the years 1 and 9999");
  }
  return std::optional<absl::Time>(
      absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time)));
}

absl::StatusOr<absl::Duration> FromProtoDuration(
    absl::string_view field, bool is_set,
    const google::protobuf::Duration& duration) {
  if (!is_set) return absl::ZeroDuration();
  if (duration.seconds() < TimeUtil::kDurationMinSeconds ||
      duration.seconds() > TimeUtil::kDurationMaxSeconds ||
      duration.nanos() <= -kNanosPerSecond ||
      duration.nanos() >= kNanosPerSecond) {
    return BadField(field, "it is no duration");
  }
  return absl::Seconds(duration.seconds()) +
         absl::Nanoseconds(duration.nanos());
}

void ToProto(const Decision& decision, std::optional<absl::Time> decided_at,
             intent::v1::Decision* message) {
  message->set_kind(ToProtoKind(decision.kind));
  for (const Reason& reason : decision.reasons) {
    ToProto(reason, message->add_reasons());
  }
  message->set_risk_tier(static_cast<int32_t>(decision.risk));
  for (const ApprovalDemand& demand : decision.demands) {
    ToProto(demand, message->add_demands());
  }
  message->set_policy_digest(decision.policy_digest);
  if (decision.within.has_value()) {
    *message->mutable_within() = TimeUtil::MicrosecondsToDuration(
        absl::ToInt64Microseconds(*decision.within));
  }
  if (decided_at.has_value()) {
    *message->mutable_decide_time() = ToProtoTime(*decided_at);
  }
  message->set_tzdata_version(decision.tzdata_version);
}

void ToProto(const Explanation& explanation, intent::v1::Explanation* message) {
  for (const RuleExplanation& rule : explanation.rules) {
    intent::v1::RuleExplanation* const out = message->add_rules();
    out->set_code(rule.code);
    out->set_kind(ToProtoKind(rule.kind));
    out->set_is_limit(rule.is_limit);
    out->set_layer(rule.layer);
    out->set_at(rule.at);
    out->set_outcome(ToProtoOutcome(rule.outcome));
    out->set_is_decisive(rule.is_decisive);
    for (const DecidingPart& part : rule.parts) {
      intent::v1::DecidingPart* const part_out = out->add_parts();
      part_out->set_text(part.text);
      part_out->set_value(part.value);
      for (const SeenValue& seen : part.seen) {
        intent::v1::SeenValue* const seen_out = part_out->add_seen();
        seen_out->set_text(seen.text);
        seen_out->set_value(seen.value);
      }
    }
  }
  if (explanation.milder_change.has_value()) {
    const MilderChange& change = *explanation.milder_change;
    intent::v1::MilderChange* const out = message->mutable_milder_change();
    out->set_field(change.field);
    out->set_from(change.from);
    out->set_to(change.to);
    out->set_decision(ToProtoKind(change.decision));
  }
  message->set_nearest_type(explanation.nearest_type);
}

absl::Status ToProto(const storage::IntentRow& row,
                     intent::v1::Intent* intent) {
  intent->set_id(row.id);
  intent->set_tenant_id(row.tenant_id);
  intent->set_agent_id(row.agent_id);
  intent->set_intent_type(row.intent_type);
  intent->set_payload(row.payload);
  intent->set_status(ToProtoStatus(row.status));
  if (!row.decision.empty()) {
    const absl::StatusOr<Decision> decision = DecisionFromJson(row.decision);
    if (!decision.ok()) {
      return absl::InternalError("read the decision of intent " + row.id +
                                 ": " +
                                 std::string(decision.status().message()));
    }
    ToProto(*decision, DecidedAtFromJson(row.decision),
            intent->mutable_decision());
  }
  intent->set_decision_memo_id(row.decision_memo_id);
  intent->set_job_id(row.job_id);
  intent->set_failure_reason(row.failure_reason);
  intent->set_failure_message(row.failure_message);
  *intent->mutable_create_time() = ToProtoTime(row.created_at);
  *intent->mutable_update_time() = ToProtoTime(row.updated_at);
  intent->set_output(row.output);
  intent->set_request_id(row.request_id);
  intent->set_revision(row.revision);
  intent->set_payload_sha256(row.payload_sha256);
  intent->set_spend_micros_usd(row.spend_micros_usd.value_or(0));
  intent->set_data_class(ToProtoDataClass(row.data_class));
  intent->set_title(row.title);
  intent->set_rationale(row.rationale);
  intent->set_requested_by(row.requested_by);
  return absl::OkStatus();
}

absl::Status ToProto(const storage::MemoRow& row,
                     intent::v1::DecisionMemo* memo) {
  memo->set_id(row.id);
  memo->set_tenant_id(row.tenant_id);
  memo->set_intent_id(row.intent_id);
  memo->set_agent(row.agent);
  memo->set_title(row.title);
  memo->set_rationale(row.rationale);
  memo->set_estimated_cost_micros_usd(row.estimated_cost_micros_usd);
  memo->set_risk_tier(row.risk_tier);
  memo->set_status(ToProtoStatus(row.status));
  memo->set_resolution(row.resolution);
  const absl::StatusOr<std::vector<ApprovalDemand>> demands = DemandsOf(row);
  if (!demands.ok()) return demands.status();
  for (const ApprovalDemand& demand : *demands) {
    ToProto(demand, memo->add_demands());
  }
  const absl::StatusOr<std::vector<Reason>> reasons =
      ReasonsFromJson(row.reasons);
  if (!reasons.ok()) return reasons.status();
  for (const Reason& reason : *reasons) ToProto(reason, memo->add_reasons());
  for (const storage::VoteRow& vote : row.votes) {
    ToProto(vote, memo->add_votes());
  }
  memo->set_revision(row.revision);
  memo->set_payload(row.payload);
  memo->set_payload_sha256(row.payload_sha256);
  if (row.expires_at.has_value()) {
    *memo->mutable_expire_time() = ToProtoTime(*row.expires_at);
  }
  *memo->mutable_create_time() = ToProtoTime(row.created_at);
  *memo->mutable_update_time() = ToProtoTime(row.updated_at);
  memo->set_policy_digest(row.policy_digest);
  memo->set_intent_type(row.intent_type);
  memo->set_intent_rationale(row.intent_rationale);
  memo->set_data_class(ToProtoDataClass(row.data_class));
  memo->set_requested_by(row.requested_by);
  memo->set_edited_by(row.edited_by);
  const absl::StatusOr<std::vector<Escalation>> escalations =
      EscalationsFromJson(row.escalations);
  if (!escalations.ok()) return escalations.status();
  for (const Escalation& escalation : *escalations) {
    intent::v1::Escalation* const added = memo->add_escalations();
    added->set_from_role(escalation.from_role);
    added->set_to_role(escalation.to_role);
    *added->mutable_create_time() = ToProtoTime(escalation.created_at);
  }
  return absl::OkStatus();
}

absl::Status ToProto(const storage::DelegationRow& row,
                     intent::v1::Delegation* delegation) {
  delegation->set_id(row.id);
  delegation->set_tenant_id(row.tenant_id);
  delegation->set_from_user_id(row.from_user_id);
  delegation->set_to_user_id(row.to_user_id);
  for (const std::string& role : row.roles) delegation->add_roles(role);
  *delegation->mutable_start_time() = ToProtoTime(row.starts_at);
  *delegation->mutable_end_time() = ToProtoTime(row.ends_at);
  delegation->set_reason(row.reason);
  *delegation->mutable_create_time() = ToProtoTime(row.created_at);
  if (row.revoked_at.has_value()) {
    *delegation->mutable_revoke_time() = ToProtoTime(*row.revoked_at);
  }
  delegation->set_in_force(row.in_force);
  return absl::OkStatus();
}

absl::StatusOr<Submission> FromProto(
    const intent::v1::SubmitIntentRequest& request) {
  absl::StatusOr<Submission> submission = Body(request);
  if (!submission.ok()) return submission;
  submission->request_id = request.request_id();
  const absl::StatusOr<absl::Duration> wait =
      FromProtoDuration("wait", request.has_wait(), request.wait());
  if (!wait.ok()) return wait.status();
  submission->wait = *wait;
  return submission;
}

absl::StatusOr<Submission> FromProto(
    const intent::v1::EvaluateIntentRequest& request) {
  return Body(request);
}

absl::StatusOr<IntentBody> FromProto(
    const intent::v1::EditDecisionMemoRequest& request) {
  const absl::StatusOr<DataClass> data_class =
      FromProtoDataClass(request.data_class());
  if (!data_class.ok()) return data_class.status();
  return IntentBody{.intent_type = request.intent_type(),
                    .payload = request.payload(),
                    .spend_micros_usd = request.spend_micros_usd(),
                    .data_class = *data_class};
}

absl::StatusOr<DelegationRequest> FromProto(
    const intent::v1::CreateDelegationRequest& request) {
  DelegationRequest result = {
      .to_user_id = request.to_user_id(),
      .to_email = request.to_email(),
      .roles = {request.roles().begin(), request.roles().end()},
      .reason = request.reason()};
  absl::StatusOr<std::optional<absl::Time>> time = FromProtoTime(
      "start_time", request.has_start_time(), request.start_time());
  if (!time.ok()) return time.status();
  result.starts_at = *time;
  time = FromProtoTime("end_time", request.has_end_time(), request.end_time());
  if (!time.ok()) return time.status();
  result.ends_at = *time;
  return result;
}

absl::StatusOr<storage::IntentFilter> FromProto(
    const intent::v1::IntentFilter& filter) {
  storage::IntentFilter result;
  if (filter.status() != intent::v1::INTENT_STATUS_UNSPECIFIED) {
    result.status = FromProtoStatus(filter.status());
    if (!result.status.has_value()) {
      return BadField("filter.status", "this number is no status");
    }
  }
  result.intent_type = filter.intent_type();
  if (HasNul(result.intent_type)) {
    return BadField("filter.intent_type", "it holds a NUL character");
  }
  result.agent_id = filter.agent_id();
  if (!result.agent_id.empty() && !storage::IsUuid(result.agent_id)) {
    return BadField("filter.agent_id", "it is no UUID");
  }
  absl::StatusOr<std::optional<absl::Time>> time =
      FromProtoTime("filter.create_time_from", filter.has_create_time_from(),
                    filter.create_time_from());
  if (!time.ok()) return time.status();
  result.created_from = *time;
  time = FromProtoTime("filter.create_time_to", filter.has_create_time_to(),
                       filter.create_time_to());
  if (!time.ok()) return time.status();
  result.created_to = *time;
  return result;
}

absl::StatusOr<storage::MemoFilter> FromProto(
    const intent::v1::DecisionMemoFilter& filter) {
  storage::MemoFilter result;
  switch (filter.status()) {
    case intent::v1::MEMO_STATUS_UNSPECIFIED:
      break;
    case intent::v1::MEMO_STATUS_PROPOSED:
      result.status = storage::MemoStatus::kProposed;
      break;
    case intent::v1::MEMO_STATUS_APPROVED:
      result.status = storage::MemoStatus::kApproved;
      break;
    case intent::v1::MEMO_STATUS_REJECTED:
      result.status = storage::MemoStatus::kRejected;
      break;
    default:
      return BadField("filter.status", "this number is no status");
  }
  result.intent_id = filter.intent_id();
  if (!result.intent_id.empty() && !storage::IsUuid(result.intent_id)) {
    return BadField("filter.intent_id", "it is no UUID");
  }
  result.intent_type = filter.intent_type();
  if (HasNul(result.intent_type)) {
    return BadField("filter.intent_type", "it holds a NUL character");
  }
  return result;
}

}  // namespace sgl::engine
