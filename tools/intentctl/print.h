// How intentctl shows intents, decisions and memos to a person.

#ifndef TOOLS_INTENTCTL_PRINT_H_
#define TOOLS_INTENTCTL_PRINT_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>

#include "intent/v1/decision_service.pb.h"
#include "intent/v1/intent.pb.h"
#include "intent/v1/intent_service.pb.h"

namespace sgl::tools {

// Enum values without their prefix: `EXECUTED`, `REVIEW`, `PROPOSED`.
std::string StatusName(intent::v1::IntentStatus status);
std::string KindName(intent::v1::DecisionKind kind);
std::string MemoStatusName(intent::v1::MemoStatus status);

// Text of others as it may stand on a terminal: characters that would drive it
// (colours, cursor, title), or turn the order of what follows about, are
// spelled out. Whoever prints an agent's words uses it: an approver decides by
// what they see.
std::string Printable(absl::string_view text);

// Millionths as dollars: `$250`, `$0.05`.
std::string FormatUsd(int64_t micros);

// Reads dollars exactly: up to six decimals, no sign, no exponent.
// INVALID_ARGUMENT for anything else.
absl::StatusOr<int64_t> ParseUsd(absl::string_view text);

// `1 from compliance or privacy; 2 from anybody`.
std::string FormatDemands(
    const google::protobuf::RepeatedPtrField<intent::v1::ApprovalDemand>&
        demands);

// One line of a listing: the label, then the value with its control characters
// escaped. Nothing for an empty value.
void PrintLine(absl::string_view label, absl::string_view value);

// Several lines about one intent, its decision and what to do next.
void PrintIntent(const intent::v1::Intent& intent);

// Several lines about one memo and its votes.
void PrintMemo(const intent::v1::DecisionMemo& memo);

// What a dry run decided, and why: every rule with what settled it. A `*`
// stands before the rules that gave the decision.
void PrintEvaluation(const intent::v1::EvaluateIntentResponse& response);

// One line each, for lists.
void PrintIntentRow(const intent::v1::Intent& intent);
void PrintMemoRow(const intent::v1::DecisionMemo& memo);
void PrintDelegationRow(const intent::v1::Delegation& delegation);

}  // namespace sgl::tools

#endif  // TOOLS_INTENTCTL_PRINT_H_
