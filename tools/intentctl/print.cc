#include "tools/intentctl/print.h"

#include <absl/numeric/int128.h>
#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <google/protobuf/util/time_util.h>

#include <iostream>
#include <limits>

namespace sgl::tools {
namespace {

using google::protobuf::util::TimeUtil;
using intent::v1::DecisionMemo;
using intent::v1::Intent;

constexpr int64_t kMicrosPerDollar = 1'000'000;
constexpr int kUsdDecimalsMax = 6;

std::string WithoutPrefix(const std::string& name, absl::string_view prefix) {
  return name.substr(prefix.size());
}

// Returns whether the bytes at `at` are a character that drives a terminal, or
// that shows what follows in another order than it is in, beyond ASCII.
bool IsDriver(absl::string_view at) {
  const auto byte = [&](size_t i) {
    return i < at.size() ? static_cast<unsigned char>(at[i]) : 0;
  };
  // U+0080 to U+009F: the second set of control characters.
  if (byte(0) == 0xC2) return byte(1) >= 0x80 && byte(1) <= 0x9F;
  if (byte(0) != 0xE2) return false;
  // U+200E, U+200F; U+2028 to U+202E; U+2066 to U+2069.
  if (byte(1) == 0x80) {
    return byte(2) == 0x8E || byte(2) == 0x8F ||
           (byte(2) >= 0xA8 && byte(2) <= 0xAE);
  }
  return byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
}

void Line(absl::string_view label, absl::string_view value) {
  if (value.empty()) return;
  std::cout << absl::StreamFormat("  %-12s %s\n", label, Printable(value));
}

void PrintReasons(
    const google::protobuf::RepeatedPtrField<intent::v1::Reason>& reasons) {
  for (const auto& reason : reasons) {
    Line("reason", absl::StrCat(reason.code(), ": ", reason.message(),
                                reason.at().empty() ? "" : "  ",
                                reason.at().empty() ? "" : reason.at()));
    for (const auto& field : reason.field_violations()) {
      Line("", absl::StrCat(field.field(), ": ", field.description()));
    }
  }
}

absl::string_view OutcomeText(intent::v1::RuleOutcome outcome) {
  switch (outcome) {
    case intent::v1::RULE_OUTCOME_APPLIED:
      return "applied";
    case intent::v1::RULE_OUTCOME_NOT_APPLIED:
      return "did not apply";
    case intent::v1::RULE_OUTCOME_FAULTED:
      return "can't be evaluated";
    default:
      return "ended otherwise";
  }
}

// `payload.amount > $50 is true; payload.amount = $120`.
std::string PartText(const intent::v1::DecidingPart& part) {
  std::string text = absl::StrCat(part.text(), " is ", part.value());
  absl::string_view separator = "; ";
  for (const intent::v1::SeenValue& seen : part.seen()) {
    absl::StrAppend(&text, separator, seen.text(), " = ", seen.value());
    separator = ", ";
  }
  return text;
}

}  // namespace

std::string Printable(absl::string_view text) {
  std::string shown;
  // Bytes that are escaped because the character that they are part of is.
  size_t escaped = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const absl::string_view at = text.substr(i);
    if (escaped == 0 && IsDriver(at)) escaped = at[0] == '\xC2' ? 2 : 3;
    if (escaped > 0 || absl::ascii_iscntrl(static_cast<unsigned char>(at[0]))) {
      absl::StrAppend(&shown, absl::CHexEscape(at.substr(0, 1)));
    } else {
      shown.push_back(at[0]);
    }
    if (escaped > 0) --escaped;
  }
  return shown;
}

void PrintLine(absl::string_view label, absl::string_view value) {
  Line(label, value);
}

std::string StatusName(intent::v1::IntentStatus status) {
  return WithoutPrefix(intent::v1::IntentStatus_Name(status), "INTENT_STATUS_");
}

std::string KindName(intent::v1::DecisionKind kind) {
  return WithoutPrefix(intent::v1::DecisionKind_Name(kind), "DECISION_KIND_");
}

std::string MemoStatusName(intent::v1::MemoStatus status) {
  return WithoutPrefix(intent::v1::MemoStatus_Name(status), "MEMO_STATUS_");
}

std::string FormatUsd(int64_t micros) {
  const int64_t dollars = micros / kMicrosPerDollar;
  const int64_t fraction = micros % kMicrosPerDollar;
  if (fraction == 0) return absl::StrCat("$", dollars);
  std::string decimals = absl::StrFormat("%06d", fraction);
  while (decimals.size() > 2 && decimals.back() == '0') decimals.pop_back();
  return absl::StrCat("$", dollars, ".", decimals);
}

absl::StatusOr<int64_t> ParseUsd(absl::string_view text) {
  const absl::Status wrong = absl::InvalidArgumentError(absl::StrCat(
      "`", text, "` is no amount in dollars: digits, and after a point up to ",
      kUsdDecimalsMax, " more, as in 250 or 0.05"));
  absl::int128 micros = 0;
  int decimals = -1;
  if (text.empty() || text[0] == '.' || text.back() == '.') return wrong;
  for (const char c : text) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
    } else if (absl::ascii_isdigit(c) && decimals < kUsdDecimalsMax) {
      micros = micros * 10 + (c - '0');
      if (decimals >= 0) ++decimals;
    } else {
      return wrong;
    }
    if (micros > std::numeric_limits<int64_t>::max()) return wrong;
  }
  for (int i = decimals < 0 ? 0 : decimals; i < kUsdDecimalsMax; ++i) {
    micros *= 10;
  }
  if (micros > std::numeric_limits<int64_t>::max()) return wrong;
  return static_cast<int64_t>(micros);
}

std::string FormatDemands(
    const google::protobuf::RepeatedPtrField<intent::v1::ApprovalDemand>&
        demands) {
  std::string text;
  for (const auto& demand : demands) {
    absl::StrAppend(&text, text.empty() ? "" : "; ", demand.count(), " from ",
                    demand.roles().empty()
                        ? "anybody who may approve"
                        : absl::StrJoin(demand.roles(), " or "));
  }
  return text;
}

void PrintEvaluation(const intent::v1::EvaluateIntentResponse& response) {
  const intent::v1::Decision& decision = response.decision();
  const intent::v1::Explanation& explanation = response.explanation();
  std::cout << KindName(decision.kind()) << " (not stored)\n";
  PrintReasons(decision.reasons());
  Line("demands", FormatDemands(decision.demands()));
  Line("policy", decision.policy_digest());
  for (const intent::v1::RuleExplanation& rule : explanation.rules()) {
    std::cout << (rule.is_decisive() ? "* " : "  ")
              << Printable(absl::StrCat(
                     rule.is_limit() ? "limit " : "rule ", rule.code(), " ",
                     OutcomeText(rule.outcome()), " (", rule.at(), ")"))
              << "\n";
    for (const intent::v1::DecidingPart& part : rule.parts()) {
      std::cout << "    " << Printable(PartText(part)) << "\n";
    }
  }
  if (explanation.has_milder_change()) {
    const intent::v1::MilderChange& change = explanation.milder_change();
    std::cout << Printable(absl::StrCat("it would be ",
                                        KindName(change.decision()), " with ",
                                        change.field(), " = ", change.to(),
                                        " instead of ", change.from()))
              << "\n";
  }
  if (!explanation.nearest_type().empty()) {
    std::cout << "help: did you mean the type `"
              << Printable(explanation.nearest_type()) << "`?\n";
  }
}

void PrintIntent(const Intent& intent) {
  std::cout << Printable(intent.intent_type()) << " "
            << (intent.id().empty() ? "(not stored)" : intent.id()) << "\n";
  Line("status", StatusName(intent.status()));
  Line("failure", intent.failure_reason().empty()
                      ? ""
                      : absl::StrCat(intent.failure_reason(), ": ",
                                     intent.failure_message()));
  if (intent.has_decision()) {
    Line("decision", KindName(intent.decision().kind()));
    PrintReasons(intent.decision().reasons());
    Line("demands", FormatDemands(intent.decision().demands()));
    Line("policy", intent.decision().policy_digest());
  }
  Line("memo", intent.decision_memo_id());
  Line("job", intent.job_id());
  Line("title", intent.title());
  Line("spend", FormatUsd(intent.spend_micros_usd()));
  Line("payload", intent.payload());
  Line("sha256", intent.payload_sha256());
  Line("output", intent.output());
  Line("created", TimeUtil::ToString(intent.create_time()));
}

void PrintMemo(const DecisionMemo& memo) {
  std::cout << Printable(memo.title()) << "\n";
  Line("memo", memo.id());
  Line("status", memo.resolution().empty()
                     ? MemoStatusName(memo.status())
                     : absl::StrCat(MemoStatusName(memo.status()), " (",
                                    memo.resolution(), ")"));
  Line("intent", absl::StrCat(memo.intent_type(), " ", memo.intent_id()));
  Line("agent", memo.agent());
  Line("rationale", memo.rationale());
  PrintReasons(memo.reasons());
  Line("risk", absl::StrCat(memo.risk_tier()));
  Line("cost", FormatUsd(memo.estimated_cost_micros_usd()));
  Line("demands", FormatDemands(memo.demands()));
  for (const auto& escalation : memo.escalations()) {
    Line("escalated",
         absl::StrCat(escalation.from_role(), " to ", escalation.to_role(),
                      " at ", TimeUtil::ToString(escalation.create_time())));
  }
  if (memo.has_expire_time()) {
    Line("expires", TimeUtil::ToString(memo.expire_time()));
  }
  for (const auto& vote : memo.votes()) {
    Line("vote",
         absl::StrCat(WithoutPrefix(intent::v1::Verdict_Name(vote.verdict()),
                                    "VERDICT_"),
                      " by ", vote.approver(),
                      vote.delegation_ids().empty() ? "" : " (delegated)",
                      vote.revision() == memo.revision()
                          ? ""
                          : absl::StrCat(" on revision ", vote.revision()),
                      vote.comment().empty() ? "" : ": ", vote.comment()));
  }
  Line("revision", absl::StrCat(memo.revision(),
                                memo.edited_by().empty() ? "" : " edited by ",
                                memo.edited_by()));
  Line("payload", memo.payload());
  Line("sha256", memo.payload_sha256());
}

void PrintIntentRow(const Intent& intent) {
  std::string why;
  for (const auto& reason : intent.decision().reasons()) {
    absl::StrAppend(&why, why.empty() ? "" : ", ", reason.code());
  }
  if (!intent.failure_reason().empty()) {
    absl::StrAppend(&why, why.empty() ? "" : "; ", intent.failure_reason());
  }
  std::cout << absl::StreamFormat(
      "%-36s  %-14s %-6s  %-20s %s\n",
      intent.id().empty() ? "(not stored)" : intent.id(),
      StatusName(intent.status()),
      intent.has_decision() ? KindName(intent.decision().kind()) : "-",
      Printable(intent.intent_type()), Printable(why));
  if (!intent.decision_memo_id().empty()) {
    std::cout << absl::StreamFormat("%38smemo %s\n", "",
                                    intent.decision_memo_id());
  }
}

void PrintMemoRow(const DecisionMemo& memo) {
  std::cout << absl::StreamFormat(
      "%s  %-9s risk %d  %-22s %s (%s)\n", memo.id(),
      MemoStatusName(memo.status()), memo.risk_tier(),
      Printable(memo.intent_type()), Printable(memo.title()),
      Printable(FormatDemands(memo.demands())));
}

void PrintDelegationRow(const intent::v1::Delegation& delegation) {
  const char* state = delegation.in_force()          ? "in force"
                      : delegation.has_revoke_time() ? "revoked"
                                                     : "not now";
  std::cout << absl::StreamFormat(
      "%s  %-8s  %s -> %s  %s to %s  %s: %s\n", delegation.id(), state,
      delegation.from_user_id(), delegation.to_user_id(),
      TimeUtil::ToString(delegation.start_time()),
      TimeUtil::ToString(delegation.end_time()),
      delegation.roles().empty()
          ? "all roles"
          : Printable(absl::StrJoin(delegation.roles(), ", ")),
      Printable(delegation.reason()));
}

}  // namespace sgl::tools
