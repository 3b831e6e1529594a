#include "storage/fact_columns.h"

#include <string>

#include "storage/session.h"

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

}  // namespace sgl::storage
