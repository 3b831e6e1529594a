// Between the interface's messages and the engine's structs. Internal to
// engine/rpc.

#ifndef ENGINE_RPC_CONVERT_H_
#define ENGINE_RPC_CONVERT_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <google/protobuf/timestamp.pb.h>

#include "engine/delegations.h"
#include "engine/intake.h"
#include "engine/intent_body.h"
#include "intent/v1/decision_service.pb.h"
#include "intent/v1/intent.pb.h"
#include "intent/v1/intent_service.pb.h"
#include "policy/policy.h"
#include "storage/delegations.h"
#include "storage/intents.h"
#include "storage/memos.h"

namespace sgl::engine {

// Each fills a message from a row. INTERNAL where the row's own JSON can't be
// read: it is we who wrote it.
absl::Status ToProto(const storage::IntentRow& row, intent::v1::Intent* intent);
absl::Status ToProto(const storage::MemoRow& row,
                     intent::v1::DecisionMemo* memo);
absl::Status ToProto(const storage::DelegationRow& row,
                     intent::v1::Delegation* delegation);
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

}  // namespace sgl::engine

#endif  // ENGINE_RPC_CONVERT_H_
