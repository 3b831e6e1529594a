// Between the interface's messages and the engine's structs. Internal to
// engine/rpc.

#ifndef ENGINE_RPC_CONVERT_H_
#define ENGINE_RPC_CONVERT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>

#include <optional>

#include "engine/delegations.h"
#include "engine/intake.h"
#include "engine/intent_body.h"
#include "intent/v1/decision_service.pb.h"
#include "intent/v1/intent.pb.h"
#include "intent/v1/intent_service.pb.h"
#include "intent/v1/job_service.pb.h"
#include "intent/v1/read_service.pb.h"
#include "policy/policy.h"
#include "storage/delegations.h"
#include "storage/intents.h"
#include "storage/jobs.h"
#include "storage/memos.h"
#include "storage/reads.h"

namespace sgl::engine {

// The two kinds of times. A Timestamp holds the years 1 to 9999: beyond them
// TimeUtil ends the process. Constraints keep most of our rows within; what was
// forged past them is shown as the nearest time that can be.
google::protobuf::Timestamp ToProtoTime(absl::Time time);
// Nothing where the field is not set. INVALID_ARGUMENT naming it where it is
// beyond those years.
absl::StatusOr<std::optional<absl::Time>> FromProtoTime(
    absl::string_view field, bool is_set,
    const google::protobuf::Timestamp& time);

// Zero where the field is not set. INVALID_ARGUMENT naming it where it is no
// duration.
absl::StatusOr<absl::Duration> FromProtoDuration(
    absl::string_view field, bool is_set,
    const google::protobuf::Duration& duration);

// Each fills a message from a row. INTERNAL where the row's own JSON can't be
// read: it is we who wrote it.
absl::Status ToProto(const storage::IntentRow& row, intent::v1::Intent* intent);
absl::Status ToProto(const storage::MemoRow& row,
                     intent::v1::DecisionMemo* memo);
absl::Status ToProto(const storage::DelegationRow& row,
                     intent::v1::Delegation* delegation);
absl::Status ToProto(const storage::JobRow& row, intent::v1::Job* job);
absl::Status ToProto(const storage::TicketRow& row, intent::v1::Ticket* ticket);
absl::Status ToProto(const storage::TicketCommentRow& row,
                     intent::v1::TicketComment* comment);
absl::Status ToProto(const storage::KbDocumentRow& row,
                     intent::v1::KbDocument* document);
absl::Status ToProto(const storage::KbMatchRow& row,
                     intent::v1::KbDocumentMatch* match);
absl::Status ToProto(const storage::CrmContactRow& row,
                     intent::v1::CrmContact* contact);
absl::Status ToProto(const storage::CrmCompanyRow& row,
                     intent::v1::CrmCompany* company);
absl::Status ToProto(const storage::CrmSegmentRow& row,
                     intent::v1::CrmSegment* segment);
absl::Status ToProto(const storage::LedgerEntryRow& row,
                     intent::v1::LedgerEntry* entry);
void ToProto(const Decision& decision, std::optional<absl::Time> decided_at,
             intent::v1::Decision* message);

// Leaves out the decision, which has a message of its own.
void ToProto(const Explanation& explanation, intent::v1::Explanation* message);

// Each reads a request. INVALID_ARGUMENT for an enum number that this build
// does not know, a duration or time out of range.
absl::StatusOr<Submission> FromProto(
    const intent::v1::SubmitIntentRequest& request);
absl::StatusOr<Submission> FromProto(
    const intent::v1::EvaluateIntentRequest& request);

// The intent as it is to be.
absl::StatusOr<IntentBody> FromProto(
    const intent::v1::EditDecisionMemoRequest& request);
absl::StatusOr<DelegationRequest> FromProto(
    const intent::v1::CreateDelegationRequest& request);

absl::StatusOr<storage::IntentFilter> FromProto(
    const intent::v1::IntentFilter& filter);
absl::StatusOr<storage::MemoFilter> FromProto(
    const intent::v1::DecisionMemoFilter& filter);
absl::StatusOr<storage::JobFilter> FromProto(
    const intent::v1::JobFilter& filter);
absl::StatusOr<storage::TicketFilter> FromProto(
    const intent::v1::TicketFilter& filter);
absl::StatusOr<storage::KbDocumentFilter> FromProto(
    const intent::v1::KbDocumentFilter& filter);
absl::StatusOr<storage::LedgerEntryFilter> FromProto(
    const intent::v1::LedgerEntryFilter& filter);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_CONVERT_H_
