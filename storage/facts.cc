#include "storage/facts.h"

#include "storage/fact_columns.h"
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

}  // namespace

absl::StatusOr<Facts> ReadFacts(Transaction& tx,
                                std::span<const std::string> tenant_ids,
                                std::span<const std::string> agent_ids,
                                std::span<const SpendKey> budgets) noexcept {
  return Guard("read facts", [&]() -> absl::StatusOr<Facts> {
    Facts facts;
    for (const pqxx::row& row : OpenSession(tx).Exec(
             kReadFactsSql, Args()
                                .Text(IdArray(agent_ids))
                                .Text(IdArray(tenant_ids))
                                .Array(TenantsOf(budgets))
                                .Array(CategoriesOf(budgets)))) {
      ReadFactRow(row, &facts);
    }
    return facts;
  });
}

}  // namespace sgl::storage
