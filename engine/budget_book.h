// What budgets have left for a transaction's decisions: read from the database
// once they are locked, less what its own decisions spend. Internal to the
// engine; contested_decisions.h keeps it.

#ifndef ENGINE_BUDGET_BOOK_H_
#define ENGINE_BUDGET_BOOK_H_

#include <absl/container/btree_set.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <optional>
#include <span>
#include <vector>

#include "engine/executors.h"
#include "storage/database.h"
#include "storage/facts.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::engine {

// Returns the budgets that intents of these rows would draw on, each once: what
// facts are to be read of.
std::vector<storage::SpendKey> SpendKeysOf(
    const ExecutorRegistry& executors,
    std::span<const storage::IntentRow> rows);

// Confined to one thread and one transaction.
class BudgetBook {
 public:
  // Adds a budget to those that are locked next, whether or not there is one.
  // Returns whether it was locked already.
  bool Add(const storage::SpendKey& key);

  bool is_empty() const { return keys_.empty(); }

  // Locks all that were added, and reads them in the period that holds `at`, or
  // that holds now. What Spend noted is forgotten. REQUIRES: not empty.
  absl::Status Lock(storage::Transaction& tx,
                    const std::optional<absl::Time>& at);

  // Null where nothing was locked.
  const storage::BudgetRecords* records_or_null() const {
    return is_locked_ ? &records_ : nullptr;
  }
  // What was locked.
  const absl::btree_set<storage::SpendKey>& locked() const { return locked_; }
  // The time of the reading. REQUIRES: something was locked.
  absl::Time now() const { return now_; }

  // Takes what an intent spends off what is left for those after it; fails the
  // settlement where it is more than that.
  void Spend(const storage::SpendKey& key, storage::Settlement* settlement);

 private:
  // Sorted: the order of locks.
  absl::btree_set<storage::SpendKey> keys_;
  absl::btree_set<storage::SpendKey> locked_;
  bool is_locked_ = false;
  storage::BudgetRecords records_;
  absl::Time now_;
};

}  // namespace sgl::engine

#endif  // ENGINE_BUDGET_BOOK_H_
