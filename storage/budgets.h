// Budgets: what a tenant may spend of a category in a period, and what of it is
// committed or reserved.
//
//   auto locked = LockBudgets(tx, keys);
//   ... decide again, by what they have left, at locked->now ...
//   absl::Status settled = SettleIntents(tx, digest, settlements);
//
// What an intent spends is recorded with its settlement (settlement.h). It
// counts for the period of its decision: reserved while its job is under way,
// committed once it is EXECUTED, and no more where it FAILED.
//
// LOCK ORDER: budgets come after intents, memos, the policies' locks (which
// LockBudgets shares first) and limit keys; before jobs and what effects
// change.

#ifndef STORAGE_BUDGETS_H_
#define STORAGE_BUDGETS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/facts.h"

namespace sgl::storage {

struct LockedBudgets {
  BudgetRecords budgets;
  // The time whose period this is: the one that was given, or else read after
  // the locks were had, and never before the last spend.
  absl::Time now;
};

// Locks the budgets of the keys until the transaction ends, in one order for
// all, and reads what they have left in a later statement, in the period that
// holds `at` (unset: that holds now): nobody spends of them before the
// transaction ends. One round trip. ABORTED: another held them for too long.
absl::StatusOr<LockedBudgets> LockBudgets(
    Transaction& tx, std::span<const SpendKey> keys,
    const std::optional<absl::Time>& at = {}) noexcept;

// A budget as it stands in the period that holds the database's now.
struct BudgetRow {
  std::string id;
  std::string name;
  // Empty where nothing draws on it.
  std::string category;
  int64_t limit_micros_usd = 0;
  int64_t committed_micros_usd = 0;
  int64_t reserved_micros_usd = 0;
  // A decimal, the share of the limit at which people hear of it; or empty.
  std::string alert_at;
  absl::Time period_start;
  absl::Time period_end;
};

// Returns up to `limit` budgets of a tenant of the transaction, by name, after
// that name; empty: from the first.
absl::StatusOr<std::vector<BudgetRow>> ListBudgets(Transaction& tx,
                                                   const std::string& tenant_id,
                                                   const std::string& after,
                                                   int limit) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_BUDGETS_H_
