#include "engine/budget_book.h"

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>
#include <utility>

#include "engine/settlement.h"
#include "storage/budgets.h"

namespace sgl::engine {

std::vector<storage::SpendKey> SpendKeysOf(
    const ExecutorRegistry& executors,
    std::span<const storage::IntentRow> rows) {
  absl::btree_set<storage::SpendKey> keys;
  if (executors.spend_categories().empty()) return {};
  for (const storage::IntentRow& row : rows) {
    const absl::string_view category = executors.SpendCategory(row.intent_type);
    if (category.empty()) continue;
    keys.insert(
        {.tenant_id = row.tenant_id, .category = std::string(category)});
  }
  return {keys.begin(), keys.end()};
}

bool BudgetBook::Add(const storage::SpendKey& key) {
  keys_.insert(key);
  return locked_.contains(key);
}

absl::Status BudgetBook::Lock(storage::Transaction& tx,
                              const std::optional<absl::Time>& at) {
  const std::vector<storage::SpendKey> keys(keys_.begin(), keys_.end());
  absl::StatusOr<storage::LockedBudgets> locked =
      storage::LockBudgets(tx, keys, at);
  if (!locked.ok()) return locked.status();
  records_ = std::move(locked->budgets);
  now_ = locked->now;
  locked_ = keys_;
  is_locked_ = true;
  return absl::OkStatus();
}

void BudgetBook::Spend(const storage::SpendKey& key,
                       storage::Settlement* settlement) {
  const auto budget = records_.find(key);
  // There is none, and none comes before the transaction ends.
  if (budget == records_.end()) return;
  if (settlement->spend->micros_usd > budget->second.remaining_micros_usd) {
    return FailSpend(budget->second, settlement);
  }
  budget->second.remaining_micros_usd -= settlement->spend->micros_usd;
}

}  // namespace sgl::engine
