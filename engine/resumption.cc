#include "engine/resumption.h"

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/budget_book.h"
#include "engine/built_in.h"
#include "engine/contested_decisions.h"
#include "engine/decider.h"
#include "engine/effects/apply.h"
#include "engine/policy_activation.h"
#include "engine/settlement.h"
#include "storage/facts.h"
#include "storage/settlement.h"

namespace sgl::engine {

absl::Status Resume(storage::Transaction& tx, Policies* policies,
                    const ExecutorRegistry& executors,
                    const Resumption& resumption) {
  const std::shared_ptr<const ActivePolicy> policy = policies->active();
  const storage::IntentRow& row = *resumption.row;
  // What is decided without a policy may be the very mending of that.
  if (policy == nullptr && !IsPolicyActivation(row)) return NoActivePolicy();
  const std::vector<std::string> tenants = {row.tenant_id};
  const std::vector<std::string> agents = {row.agent_id};
  absl::StatusOr<storage::Facts> facts = storage::ReadFacts(
      tx, tenants, agents, SpendKeysOf(executors, {&row, 1}));
  if (!facts.ok()) return facts.status();
  facts->spend_categories = executors.spend_categories();
  const absl::StatusOr<std::shared_ptr<const TenantPolicy>> own =
      policies->ForTenant(tx, policy, row.tenant_id);
  if (!own.ok()) return own.status();
  const Contender contender = {.policy_or_null = own->get(), .row = &row};
  storage::Settlement settlement;
  const absl::Status decided = DecideContested(
      tx, *facts, {&contender, 1},
      [&](size_t, const Deliberation& deliberation)
          -> absl::StatusOr<storage::Settlement*> {
        const bool is_met = resumption.is_met(deliberation.decision);
        std::optional<Effect> effect;
        if (deliberation.is_built_in && is_met &&
            deliberation.decision.kind == DecisionKind::kReview) {
          absl::StatusOr<Effect> applied = ApplyPolicyActivation(
              tx, row, policies, resumption.entry.actor.user_id.value_or(""));
          if (!applied.ok()) return applied.status();
          effect = *std::move(applied);
        }
        settlement = SettleApproved(row, deliberation, is_met, executors,
                                    resumption.entry, effect);
        return &settlement;
      });
  if (!decided.ok()) return decided;
  const absl::Status applied =
      ApplyEffects(tx, executors, {&row, 1}, {&settlement, 1});
  if (!applied.ok()) return applied;
  if (settlement.status != storage::IntentStatus::kAwaitingHuman) {
    const bool is_blocked =
        settlement.status == storage::IntentStatus::kBlockedSgl;
    const absl::Status resolved = storage::ResolveMemo(
        tx, row.decision_memo_id,
        is_blocked ? storage::MemoStatus::kRejected
                   : storage::MemoStatus::kApproved,
        is_blocked ? "BLOCKED_SGL" : resumption.resolution);
    if (!resolved.ok()) return resolved;
  }
  const std::string digest = policy == nullptr ? "" : policy->digest;
  return storage::SettleIntents(tx, digest, {&settlement, 1});
}

}  // namespace sgl::engine
