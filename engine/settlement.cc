#include "engine/settlement.h"

#include <absl/strings/str_cat.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/check.h"
#include "engine/decision_json.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

using ::nlohmann::ordered_json;
using storage::AuditEntry;
using storage::AuditLevel;
using storage::IntentStatus;

// A memo is read by people; what is beyond this many bytes is in `reasons`.
constexpr size_t kRationaleBytesMax = 4000;

std::string Dump(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

AuditLevel LevelOf(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::kAllow:
      return AuditLevel::kInfo;
    case DecisionKind::kReview:
      return AuditLevel::kWarn;
    case DecisionKind::kBlock:
      break;
  }
  return AuditLevel::kSecurity;
}

std::string HashOf(const storage::IntentRow& row,
                   const Deliberation& deliberation) {
  return deliberation.adoption.has_value()
             ? deliberation.adoption->payload_sha256
             : row.payload_sha256;
}

// As the decision has it, empty for none.
std::string WithinOf(const Decision& decision) {
  if (!decision.within.has_value()) return "";
  return absl::FormatDuration(*decision.within);
}

AuditEntry Evaluated(const storage::IntentRow& row,
                     const Deliberation& deliberation,
                     const DecisionJson& json) {
  const Decision& decision = deliberation.decision;
  // The parts are JSON already; parsing them again would only cost.
  std::string meta = absl::StrCat(
      R"({"decision":")", DecisionKindName(decision.kind), R"(","reasons":)",
      json.reasons, R"(,"risk":)", decision.risk, R"(,"demands":)",
      json.demands, R"(,"policy_digest":")", decision.policy_digest,
      R"(","platform_digest":")", deliberation.platform_digest,
      R"(","layer_digest":")", deliberation.layer_digest, R"(","tzdata":")",
      decision.tzdata_version, R"(","within":")", WithinOf(decision),
      R"(","payload_sha256":")", HashOf(row, deliberation), R"(","revision":)",
      row.revision, R"(,"facts":)", deliberation.facts, "}");
  return MakeEntry("SGL_EVALUATED", LevelOf(decision.kind), std::move(meta));
}

AuditEntry Submitted(const storage::IntentRow& row,
                     const std::string& payload_sha256) {
  AuditEntry entry = MakeEntry("INTENT_SUBMITTED", AuditLevel::kInfo,
                               Dump({{"intent_type", row.intent_type},
                                     {"payload_sha256", payload_sha256},
                                     {"source", "sql"}}));
  if (!row.agent_id.empty()) {
    entry.actor.external_id = absl::StrCat("agent:", row.agent_id);
  }
  return entry;
}

AuditEntry Failed(absl::string_view reason, absl::string_view message) {
  return MakeEntry("ENGINE_FAILED", AuditLevel::kError,
                   Dump({{"reason", std::string(reason)},
                         {"message", std::string(message)}}));
}

// `CODE: message` a line.
std::string RationaleOf(const Decision& decision) {
  std::string text;
  for (const Reason& reason : decision.reasons) {
    std::string line = absl::StrCat(text.empty() ? "" : "\n", reason.code);
    if (!reason.message.empty() && reason.message != reason.code) {
      absl::StrAppend(&line, ": ", reason.message);
    }
    if (text.size() + line.size() > kRationaleBytesMax) {
      absl::StrAppend(&text, "\n...");
      break;
    }
    text += line;
  }
  return text;
}

storage::MemoDraft MemoOf(const storage::IntentRow& row,
                          const Deliberation& deliberation,
                          const DecisionJson& json) {
  const Decision& decision = deliberation.decision;
  storage::MemoDraft memo;
  memo.id = storage::NewUuid();
  memo.agent = deliberation.agent_name;
  memo.title = row.title.empty() ? row.intent_type : row.title;
  memo.rationale = RationaleOf(decision);
  memo.estimated_cost_micros_usd = deliberation.spend_micros_usd;
  memo.risk_tier = static_cast<int32_t>(decision.risk);
  memo.demands = json.demands;
  memo.reasons = json.reasons;
  memo.within = decision.within;
  return memo;
}

AuditEntry MemoEntry(absl::string_view action, const storage::IntentRow& row,
                     const Deliberation& deliberation,
                     const storage::MemoDraft& memo) {
  ordered_json meta = {
      {"memo_id",
       row.decision_memo_id.empty() ? memo.id : row.decision_memo_id},
      {"risk_tier", memo.risk_tier},
      {"revision", row.revision},
      {"payload_sha256", HashOf(row, deliberation)},
      {"policy_digest", deliberation.decision.policy_digest}};
  if (memo.within.has_value()) {
    meta["within"] = absl::FormatDuration(*memo.within);
  }
  return MakeEntry(action, AuditLevel::kInfo, Dump(meta));
}

storage::JobDraft JobFor(const storage::IntentRow& row,
                         const Deliberation& deliberation,
                         const ExecutorRegistry& executors) {
  const JobSettings& settings = executors.JobOf(row.intent_type);
  storage::JobDraft job;
  job.id = storage::NewUuid();
  job.job_type = settings.job_type;
  job.priority = settings.priority;
  job.max_retries = settings.max_retries;
  job.audit =
      MakeEntry("JOB_ENQUEUED", AuditLevel::kInfo,
                Dump({{"intent_id", row.id},
                      {"job_type", job.job_type},
                      {"priority", job.priority},
                      {"max_retries", job.max_retries},
                      {"policy_digest", deliberation.decision.policy_digest}}));
  return job;
}

// None where its type draws on no budget, or it spends nothing.
std::optional<storage::SpendDraft> SpendOf(const Deliberation& deliberation) {
  if (deliberation.spend_category.empty() ||
      deliberation.spend_micros_usd <= 0) {
    return std::nullopt;
  }
  return storage::SpendDraft{.category = deliberation.spend_category,
                             .micros_usd = deliberation.spend_micros_usd,
                             .counted_at = deliberation.decided_at};
}

// `$12.5`, exact.
std::string UsdText(int64_t micros) {
  const uint64_t size = micros < 0 ? -static_cast<uint64_t>(micros)
                                   : static_cast<uint64_t>(micros);
  std::string text = absl::StrCat(micros < 0 ? "-$" : "$", size / 1000000, ".",
                                  absl::Dec(size % 1000000, absl::kZeroPad6));
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

void Fail(absl::string_view reason, std::string message,
          storage::Settlement* settlement) {
  settlement->status = IntentStatus::kFailed;
  settlement->failure_reason = std::string(reason);
  settlement->failure_message = std::move(message);
  settlement->audit.push_back(
      Failed(settlement->failure_reason, settlement->failure_message));
}

void Execute(const storage::IntentRow& row, const Deliberation& deliberation,
             const ExecutorRegistry& executors,
             storage::Settlement* settlement) {
  const ExecutorKind kind = executors.Find(row.intent_type);
  switch (kind) {
    case ExecutorKind::kEffect:
      // Whoever wrote `intent *` did not think of this one.
      if (!deliberation.is_type_named) {
        return Fail(kTypeNotNamed,
                    absl::StrCat("intent type `", row.intent_type,
                                 "` changes the database, which no policy lets "
                                 "it that does not name it; declare `intent ",
                                 row.intent_type, " { ... }`"),
                    settlement);
      }
      [[fallthrough]];
    case ExecutorKind::kRecord:
      settlement->status = IntentStatus::kExecuted;
      settlement->spend = SpendOf(deliberation);
      settlement->audit.push_back(MakeEntry(
          "ENGINE_EXECUTED_INTENT", AuditLevel::kInfo,
          Dump({{"executor", std::string(ExecutorKindName(kind))},
                {"policy_digest", deliberation.decision.policy_digest}})));
      return;
    case ExecutorKind::kJob:
      settlement->status = IntentStatus::kValidating;
      settlement->job = JobFor(row, deliberation, executors);
      settlement->spend = SpendOf(deliberation);
      return;
    case ExecutorKind::kNone:
      return Fail(
          kNoExecutor,
          absl::StrCat("no executor is declared for intent type `",
                       row.intent_type, "`; add one to the executors file"),
          settlement);
  }
}

void Apply(const Effect& effect, const Deliberation& deliberation,
           storage::Settlement* settlement) {
  if (!effect.refusal.empty()) {
    return Fail(kEffectRefused, effect.refusal, settlement);
  }
  settlement->status = IntentStatus::kExecuted;
  settlement->output = effect.output;
  settlement->audit.push_back(MakeEntry(
      "ENGINE_EXECUTED_INTENT", AuditLevel::kInfo,
      Dump({{"executor", effect.executor},
            {"policy_digest", deliberation.decision.policy_digest}})));
}

// Fills in what every settlement of a decided intent has; SGL_EVALUATED comes
// after what `settlement->audit` holds already.
void Decided(const storage::IntentRow& row, const Deliberation& deliberation,
             const DecisionJson& json, storage::Settlement* settlement) {
  settlement->intent_id = row.id;
  settlement->tenant_id = row.tenant_id;
  settlement->adoption = deliberation.adoption;
  settlement->decision = json.decision;
  settlement->sgl_result =
      std::string(DecisionKindName(deliberation.decision.kind));
  settlement->policy_digest = deliberation.decision.policy_digest;
  settlement->layer_digest = deliberation.layer_digest;
  settlement->is_built_in = deliberation.is_built_in;
  settlement->audit.push_back(Evaluated(row, deliberation, json));
}

void Review(const storage::IntentRow& row, const Deliberation& deliberation,
            const DecisionJson& json, absl::string_view action,
            storage::Settlement* settlement) {
  settlement->status = IntentStatus::kAwaitingHuman;
  settlement->memo = MemoOf(row, deliberation, json);
  settlement->audit.push_back(
      MemoEntry(action, row, deliberation, *settlement->memo));
}

}  // namespace

AuditEntry MakeEntry(absl::string_view action, AuditLevel level,
                     std::string meta) {
  return {.action = std::string(action),
          .level = level,
          .actor = {},
          .meta = std::move(meta)};
}

storage::Actor ActorOf(const storage::Principal& principal) {
  storage::Actor actor;
  if (!principal.user_id.empty()) {
    actor.user_id = principal.user_id;
  } else if (principal.kind == storage::PrincipalKind::kAgent) {
    actor.external_id = absl::StrCat("agent:", principal.agent_id);
  } else {
    actor.external_id = absl::StrCat(storage::PrincipalKindName(principal.kind),
                                     ":", principal.token_id);
  }
  return actor;
}

storage::Settlement SettleDecided(const storage::IntentRow& row,
                                  const Deliberation& deliberation,
                                  const ExecutorRegistry& executors) {
  if (!deliberation.unreadable.empty()) {
    return SettleFailed(
        row, {.reason = kPayloadUnreadable,
              .message = deliberation.unreadable,
              .audit = Failed(kPayloadUnreadable, deliberation.unreadable)});
  }
  const DecisionJson json =
      ToJson(deliberation.decision, deliberation.decided_at);
  storage::Settlement settlement;
  if (!row.adopted) {
    settlement.audit.push_back(Submitted(row, HashOf(row, deliberation)));
  }
  Decided(row, deliberation, json, &settlement);
  switch (deliberation.decision.kind) {
    case DecisionKind::kBlock:
      settlement.status = IntentStatus::kBlockedSgl;
      break;
    case DecisionKind::kReview:
      Review(row, deliberation, json, "DECISION_MEMO_OPENED", &settlement);
      break;
    case DecisionKind::kAllow:
      // INVARIANT: what is built in is never done without votes.
      SGL_CHECK(!deliberation.is_built_in) << row.id;
      Execute(row, deliberation, executors, &settlement);
      break;
  }
  return settlement;
}

storage::Settlement SettleApproved(const storage::IntentRow& row,
                                   const Deliberation& deliberation,
                                   bool demands_met,
                                   const ExecutorRegistry& executors,
                                   storage::AuditEntry vote,
                                   const std::optional<Effect>& effect) {
  const DecisionJson json =
      ToJson(deliberation.decision, deliberation.decided_at);
  storage::Settlement settlement;
  settlement.audit.push_back(std::move(vote));
  Decided(row, deliberation, json, &settlement);
  switch (deliberation.decision.kind) {
    case DecisionKind::kBlock:
      settlement.status = IntentStatus::kBlockedSgl;
      break;
    case DecisionKind::kReview:
      if (!demands_met) {
        Review(row, deliberation, json, "DECISION_MEMO_REOPENED", &settlement);
        break;
      }
      [[fallthrough]];
    case DecisionKind::kAllow:
      SGL_CHECK(effect.has_value() == deliberation.is_built_in) << row.id;
      if (effect.has_value()) {
        Apply(*effect, deliberation, &settlement);
        break;
      }
      Execute(row, deliberation, executors, &settlement);
      break;
  }
  return settlement;
}

void FailEffect(absl::string_view reason, absl::string_view message,
                storage::Settlement* settlement) {
  SGL_CHECK(settlement->status == IntentStatus::kExecuted)
      << settlement->intent_id;
  settlement->status = IntentStatus::kFailed;
  settlement->failure_reason = std::string(reason);
  settlement->failure_message = std::string(message);
  // It was never executed, so no limit counts it.
  settlement->limit_counts.clear();
  // INVARIANT: what executes ends with the entry that says so.
  SGL_CHECK_EQ(settlement->audit.back().action, "ENGINE_EXECUTED_INTENT");
  settlement->audit.back() = Failed(reason, message);
}

void FailSpend(const storage::BudgetRecord& budget,
               storage::Settlement* settlement) {
  SGL_CHECK(settlement->spend.has_value()) << settlement->intent_id;
  const bool has_job = settlement->job.has_value();
  SGL_CHECK(has_job || settlement->status == IntentStatus::kExecuted)
      << settlement->intent_id;
  settlement->job.reset();
  // INVARIANT: what executes at once ends with the entry that says so.
  if (!has_job) {
    SGL_CHECK_EQ(settlement->audit.back().action, "ENGINE_EXECUTED_INTENT");
    settlement->audit.pop_back();
  }
  Fail(
      kBudgetExceeded,
      absl::StrCat("its spend of ", UsdText(settlement->spend->micros_usd),
                   " is more than the budget of `", settlement->spend->category,
                   "` has left, ", UsdText(budget.remaining_micros_usd),
                   "; ask for less, raise the budget, or wait for its next "
                   "period"),
      settlement);
}

storage::Settlement SettleFailed(const storage::IntentRow& row,
                                 Failure failure) {
  storage::Settlement settlement;
  settlement.intent_id = row.id;
  settlement.tenant_id = row.tenant_id;
  settlement.status = IntentStatus::kFailed;
  settlement.failure_reason = std::move(failure.reason);
  settlement.failure_message = std::move(failure.message);
  settlement.adoption = AdoptionOf(row);
  if (settlement.adoption.has_value()) {
    settlement.audit.push_back(
        Submitted(row, settlement.adoption->payload_sha256));
  }
  settlement.audit.push_back(std::move(failure.audit));
  return settlement;
}

}  // namespace sgl::engine
