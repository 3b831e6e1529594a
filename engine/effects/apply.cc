#include "engine/effects/apply.h"

#include <map>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/settlement.h"
#include "storage/effects.h"

namespace sgl::engine {
namespace {

// Of one type: where its rows and settlements stand.
using Places = std::vector<size_t>;

// The effect that a settlement is EXECUTED by; null where there is none. What
// is built in without a policy has its own.
const EffectDecl* EffectOf(const ExecutorRegistry& executors,
                           const storage::IntentRow& row,
                           const storage::Settlement& settlement) {
  if (settlement.status != storage::IntentStatus::kExecuted ||
      settlement.is_built_in ||
      executors.Find(row.intent_type) != ExecutorKind::kEffect) {
    return nullptr;
  }
  const EffectDecl* decl = executors.effects().Find(row.intent_type);
  SGL_CHECK(decl != nullptr) << row.intent_type;
  return decl;
}

absl::Status ApplyOfType(storage::Transaction& tx, const EffectDecl& decl,
                         const Places& places,
                         std::span<const storage::IntentRow> rows,
                         std::span<storage::Settlement> settlements) {
  std::vector<storage::EffectInput> inputs;
  for (const size_t place : places) {
    inputs.push_back(
        {.intent_id = rows[place].id, .payload = rows[place].payload});
  }
  const absl::StatusOr<std::vector<storage::EffectOutcome>> outcomes =
      storage::ApplyEffects(tx, decl.intent_type, inputs);
  if (!outcomes.ok()) return outcomes.status();
  SGL_CHECK_EQ(outcomes->size(), places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    const storage::EffectOutcome& outcome = (*outcomes)[i];
    storage::Settlement& settlement = settlements[places[i]];
    if (!outcome.output.empty()) {
      settlement.output = outcome.output;
    } else {
      FailEffect(kEffectRefused,
                 outcome.refusal.empty() ? decl.missing : outcome.refusal,
                 &settlement);
    }
  }
  return absl::OkStatus();
}

// Whether it had money or places of a limit, which it took from others, until
// its effect was refused.
bool IsFreed(const storage::Settlement& settlement) {
  return settlement.is_contested &&
         settlement.status == storage::IntentStatus::kFailed &&
         (settlement.failure_reason == kEffectRefused ||
          settlement.failure_reason == kInvalidPayload);
}

absl::Status CheckAll(std::span<const storage::Settlement> settlements) {
  std::vector<const storage::Settlement*> all;
  all.reserve(settlements.size());
  for (const storage::Settlement& settlement : settlements) {
    all.push_back(&settlement);
  }
  return CheckTurnedAway(all);
}

}  // namespace

absl::Status CheckTurnedAway(
    std::span<const storage::Settlement* const> settlements) {
  bool is_freed = false;
  bool is_turned_away = false;
  for (const storage::Settlement* settlement : settlements) {
    if (IsFreed(*settlement)) {
      is_freed = true;
    } else if (settlement->is_contested) {
      is_turned_away |=
          settlement->status != storage::IntentStatus::kExecuted &&
          settlement->status != storage::IntentStatus::kValidating;
    }
  }
  if (is_freed && is_turned_away) {
    return absl::AbortedError(
        "an effect was refused for which others may have been turned away");
  }
  return absl::OkStatus();
}

absl::Status ApplyEffects(storage::Transaction& tx,
                          const ExecutorRegistry& executors,
                          std::span<const storage::IntentRow> rows,
                          std::span<storage::Settlement> settlements) {
  SGL_CHECK_EQ(rows.size(), settlements.size());
  // By their places in the registry.
  std::map<const EffectDecl*, Places> by_type;
  for (size_t place = 0; place < rows.size(); ++place) {
    const EffectDecl* decl =
        EffectOf(executors, rows[place], settlements[place]);
    if (decl == nullptr) continue;
    const std::string why_not =
        executors.effects().WhyNotFitting(*decl, rows[place].payload);
    if (!why_not.empty()) {
      FailEffect(kInvalidPayload, why_not, &settlements[place]);
    } else {
      by_type[decl].push_back(place);
    }
  }
  if (by_type.empty()) return CheckAll(settlements);
  const absl::Status shared = storage::ShareSettlementLocks(tx);
  if (!shared.ok()) return shared;
  for (const auto& [decl, places] : by_type) {
    const absl::Status applied =
        ApplyOfType(tx, *decl, places, rows, settlements);
    if (!applied.ok()) return applied;
  }
  return CheckAll(settlements);
}

}  // namespace sgl::engine
