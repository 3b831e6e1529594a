// Facts: what rules can see besides the intent, read once for a batch.

#ifndef STORAGE_FACTS_H_
#define STORAGE_FACTS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <span>
#include <string>
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

struct Facts {
  // By id. What isn't there is unknown.
  absl::flat_hash_map<std::string, AgentRecord> agents;
  absl::flat_hash_map<std::string, TenantRecord> tenants;
  // The database's time: the decisions' `now`.
  absl::Time now;
};

// Reads them for the tenants of the transaction. Ids that
// are empty or unknown are skipped.
absl::StatusOr<Facts> ReadFacts(
    Transaction& tx, std::span<const std::string> tenant_ids,
    std::span<const std::string> agent_ids) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_FACTS_H_
