#include "storage/budgets.h"

#include <utility>

#include "storage/fact_columns.h"
#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {

absl::StatusOr<LockedBudgets> LockBudgets(
    Transaction& tx, std::span<const SpendKey> keys,
    const std::optional<absl::Time>& at) noexcept {
  return Guard("lock budgets", [&]() -> absl::StatusOr<LockedBudgets> {
    LockedBudgets locked;
    for (const pqxx::row& row :
         OpenSession(tx).Exec(kLockBudgetsSql, Args()
                                                   .Array(TenantsOf(keys))
                                                   .Array(CategoriesOf(keys))
                                                   .Time(at))) {
      RowReader reader(row);
      locked.now = reader.Time();
      // The time comes back where there is no budget, too.
      if (reader.NextIsNull()) continue;
      SpendKey key{.tenant_id = reader.Text()};
      key.category = reader.Text();
      BudgetRecord& budget = locked.budgets[std::move(key)];
      budget.remaining_micros_usd = reader.Int();
      budget.limit_micros_usd = reader.Int();
    }
    return locked;
  });
}

absl::StatusOr<std::vector<BudgetRow>> ListBudgets(Transaction& tx,
                                                   const std::string& tenant_id,
                                                   const std::string& after,
                                                   int limit) noexcept {
  using Result = absl::StatusOr<std::vector<BudgetRow>>;
  return Guard("list budgets", [&]() -> Result {
    std::vector<BudgetRow> budgets;
    for (const pqxx::row& row : OpenSession(tx).Exec(
             kListBudgetsSql, Args().Text(tenant_id).Text(after).Int(limit))) {
      RowReader reader(row);
      BudgetRow& budget = budgets.emplace_back();
      budget.id = reader.Text();
      budget.name = reader.Text();
      budget.category = reader.Text();
      budget.limit_micros_usd = reader.Int();
      budget.committed_micros_usd = reader.Int();
      budget.reserved_micros_usd = reader.Int();
      budget.alert_at = reader.Text();
      budget.period_start = reader.Time();
      budget.period_end = reader.Time();
    }
    return budgets;
  });
}

}  // namespace sgl::storage
