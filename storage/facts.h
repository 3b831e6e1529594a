// Facts: what rules can see besides the intent, read once for a batch.

#ifndef STORAGE_FACTS_H_
#define STORAGE_FACTS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/database.h"

namespace sgl::storage {

struct AgentRecord {
  std::string id;
  std::string tenant_id;
  std::string name;
  std::string role;
  std::string status;
  int32_t tier = 0;
  std::vector<std::string> labels;
};

struct TenantRecord {
  std::string id;
  std::string slug;
  // free_beta, starter, pro or enterprise.
  std::string seat;
  // Providers whose integration is connected, sorted; 200 at most.
  std::vector<std::string> connected;
};

// The budgets that a spend would draw on.
struct SpendKey {
  std::string tenant_id = {};
  // As the ledger has it.
  std::string category = {};

  auto operator<=>(const SpendKey&) const = default;
  template <typename H>
  friend H AbslHashValue(H state, const SpendKey& key) {
    return H::combine(std::move(state), key.tenant_id, key.category);
  }
};

// What such a budget holds in its period; where a tenant has several of a
// category, the one with the least left. Exact.
struct BudgetRecord {
  int64_t remaining_micros_usd = 0;
  int64_t limit_micros_usd = 0;
};

// Keys whose tenant has no budget of the category are not in it.
using BudgetRecords = absl::flat_hash_map<SpendKey, BudgetRecord>;

struct Facts {
  // By id. What isn't there is unknown.
  absl::flat_hash_map<std::string, AgentRecord> agents;
  absl::flat_hash_map<std::string, TenantRecord> tenants;
  // Of those asked for. A tenant without a budget of a category has none.
  BudgetRecords budgets;
  // The category of each intent type that has one, as whoever decides has them.
  absl::flat_hash_map<std::string, std::string> spend_categories;
  // The database's time: the decisions' `now`.
  absl::Time now;
};

// Reads them for the tenants of the transaction. Ids that
// are empty or unknown are skipped. Nothing is locked: what a budget has left
// may be spent by another in the next moment (budgets.h).
absl::StatusOr<Facts> ReadFacts(
    Transaction& tx, std::span<const std::string> tenant_ids,
    std::span<const std::string> agent_ids,
    std::span<const SpendKey> budgets = {}) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_FACTS_H_
