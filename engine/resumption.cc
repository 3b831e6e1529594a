#include "engine/resumption.h"

#include <memory>
#include <vector>

#include "engine/decider.h"
#include "engine/settlement.h"
#include "storage/facts.h"
#include "storage/settlement.h"

namespace sgl::engine {

absl::Status Resume(storage::Transaction& tx, const Policies& policies,
                    const ExecutorRegistry& executors,
                    const Resumption& resumption) {
  const std::shared_ptr<const ActivePolicy> policy = policies.active();
  if (policy == nullptr) return NoActivePolicy();
  const storage::IntentRow& row = *resumption.row;
  const std::vector<std::string> tenants = {row.tenant_id};
  const std::vector<std::string> agents = {row.agent_id};
  const absl::StatusOr<storage::Facts> facts =
      storage::ReadFacts(tx, tenants, agents);
  if (!facts.ok()) return facts.status();
  const Deliberation deliberation = Decide(*policy->program, row, *facts);
  const storage::Settlement settlement = SettleApproved(
      row, deliberation, resumption.is_met(deliberation.decision), executors,
      resumption.entry);
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
  return storage::SettleIntents(tx, policy->digest, {&settlement, 1});
}

}  // namespace sgl::engine
