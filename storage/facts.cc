#include "storage/facts.h"

#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"
#include "storage/uuid.h"

namespace sgl::storage {
namespace {

std::string IdArray(std::span<const std::string> ids) {
  ArrayText array;
  for (const std::string& id : ids) {
    if (IsUuid(id)) array.Add(id);
  }
  return array.Finish();
}

// Reads one row of read_facts.sql.
void ReadFact(const pqxx::row& row, Facts* facts) {
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

}  // namespace

absl::StatusOr<Facts> ReadFacts(
    Transaction& tx, std::span<const std::string> tenant_ids,
    std::span<const std::string> agent_ids) noexcept {
  return Guard("read facts", [&]() -> absl::StatusOr<Facts> {
    Facts facts;
    for (const pqxx::row& row : OpenSession(tx).Exec(
             kReadFactsSql,
             Args().Text(IdArray(agent_ids)).Text(IdArray(tenant_ids)))) {
      ReadFact(row, &facts);
    }
    return facts;
  });
}

}  // namespace sgl::storage
