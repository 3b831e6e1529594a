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

AgentRecord ReadAgent(const pqxx::row& row) {
  RowReader reader(row);
  AgentRecord agent;
  agent.id = reader.Text();
  agent.tenant_id = reader.Text();
  agent.name = reader.Text();
  agent.role = reader.Text();
  agent.status = reader.Text();
  agent.tier = static_cast<int32_t>(reader.Int());
  agent.labels = reader.TextArray();
  return agent;
}

}  // namespace

absl::StatusOr<Facts> ReadFacts(
    Transaction& tx, std::span<const std::string> tenant_ids,
    std::span<const std::string> agent_ids) noexcept {
  return Guard("read facts", [&]() -> absl::StatusOr<Facts> {
    Session& session = OpenSession(tx);
    Facts facts;
    for (const pqxx::row& row :
         session.Exec(kReadAgentsSql, Args().Text(IdArray(agent_ids)))) {
      AgentRecord agent = ReadAgent(row);
      facts.agents.emplace(agent.id, agent);
    }
    for (const pqxx::row& row :
         session.Exec(kReadTenantsSql, Args().Text(IdArray(tenant_ids)))) {
      RowReader reader(row);
      TenantRecord tenant;
      tenant.id = reader.Text();
      tenant.slug = reader.Text();
      tenant.seat = reader.Text();
      facts.tenants.emplace(tenant.id, tenant);
    }
    RowReader now(session.ExecOne(kReadNowSql, Args(), "time"));
    facts.now = now.Time();
    return facts;
  });
}

}  // namespace sgl::storage
