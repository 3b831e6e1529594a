#include "engine/escalations.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "engine/settlement.h"
#include "storage/audit.h"
#include "storage/escalations.h"

namespace sgl::engine {

absl::StatusOr<int> EscalateDueMemos(storage::Database& db, int limit) {
  absl::StatusOr<storage::Transaction> tx = db.Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::EscalatedMemo>> escalated =
      storage::EscalateMemos(*tx, limit);
  if (!escalated.ok()) return escalated.status();
  if (escalated->empty()) return 0;
  for (const storage::EscalatedMemo& memo : *escalated) {
    const nlohmann::ordered_json meta = {{"memo_id", memo.memo_id},
                                         {"revision", memo.revision},
                                         {"from_role", memo.from_role},
                                         {"to_role", memo.to_role}};
    const absl::Status appended = storage::AppendAudit(
        *tx,
        {.tenant_id = memo.tenant_id,
         .entity_type = "intent",
         .entity_id = memo.intent_id},
        MakeEntry("DECISION_MEMO_ESCALATED", storage::AuditLevel::kWarn,
                  meta.dump(-1, ' ', false,
                            nlohmann::ordered_json::error_handler_t::replace)));
    if (!appended.ok()) return appended;
  }
  const absl::Status committed = tx->Commit();
  if (!committed.ok()) return committed;
  return static_cast<int>(escalated->size());
}

}  // namespace sgl::engine
