#include "storage/fact_columns.h"

#include <string>
#include <utility>

#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {

void ReadFactRow(const pqxx::row& row, Facts* facts) {
  RowReader reader(row);
  const std::string what = reader.Text();
  const std::string id = reader.Text();
  if (what == "now") {
    facts->now = RowReader(row, row.size() - 1).Time();
  } else if (what == "tenant") {
    TenantRecord& tenant = facts->tenants[id];
    tenant.id = id;
    reader.Text();
    tenant.slug = reader.Text();
    tenant.seat = reader.Text();
    reader.Text();
    reader.Int();
    tenant.connected = reader.TextArray();
  } else if (what == "budget") {
    SpendKey key{.tenant_id = reader.Text()};
    key.category = reader.Text();
    BudgetRecord& budget = facts->budgets[std::move(key)];
    budget.remaining_micros_usd = reader.Int();
    budget.limit_micros_usd = reader.Int();
  } else {
    AgentRecord& agent = facts->agents[id];
    agent.id = id;
    agent.tenant_id = reader.Text();
    agent.name = reader.Text();
    agent.role = reader.Text();
    agent.status = reader.Text();
    agent.tier = static_cast<int32_t>(reader.Int());
    agent.labels = reader.TextArray();
  }
}

ArrayText TenantsOf(std::span<const SpendKey> keys) {
  ArrayText tenants;
  for (const SpendKey& key : keys) {
    if (IsUuid(key.tenant_id)) tenants.Add(key.tenant_id);
  }
  return tenants;
}

ArrayText CategoriesOf(std::span<const SpendKey> keys) {
  ArrayText categories;
  for (const SpendKey& key : keys) {
    if (IsUuid(key.tenant_id)) categories.Add(key.category);
  }
  return categories;
}

}  // namespace sgl::storage
