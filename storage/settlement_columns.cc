#include "storage/settlement_columns.h"

#include <absl/strings/str_join.h>
#include <absl/time/time.h>

namespace sgl::storage {
namespace {

// A notification holds less than 8000 bytes; an id and a comma take 37.
constexpr size_t kNotifiedIdsMax = 200;

}  // namespace

void MemoColumns::Add(const Settlement& settlement) {
  if (!settlement.memo.has_value()) return;
  const MemoDraft& memo = *settlement.memo;
  intent_id_.Add(settlement.intent_id);
  id_.Add(memo.id);
  agent_.Add(memo.agent);
  title_.Add(memo.title);
  rationale_.Add(memo.rationale);
  cost_micros_.AddInt(memo.estimated_cost_micros_usd);
  risk_tier_.AddInt(memo.risk_tier);
  demands_.Add(memo.demands);
  reasons_.Add(memo.reasons);
  if (memo.within.has_value()) {
    within_micros_.AddInt(absl::ToInt64Microseconds(*memo.within));
  } else {
    within_micros_.AddNull();
  }
  policy_digest_.AddNullable(settlement.policy_digest);
}

void MemoColumns::AppendTo(Arrays& arrays) const {
  for (const BinaryArray* column :
       {&intent_id_, &id_, &agent_, &title_, &rationale_, &cost_micros_,
        &risk_tier_, &demands_, &reasons_, &within_micros_, &policy_digest_}) {
    arrays.push_back(column);
  }
}

void EntryColumns::Add(const std::string& intent_id,
                       std::span<const AuditEntry> entries,
                       int64_t first_place) {
  for (const AuditEntry& entry : entries) {
    intent_id_.Add(intent_id);
    place_.AddInt(first_place++);
    actor_user_id_.AddNullable(entry.actor.user_id.value_or(""));
    actor_external_id_.AddNullable(entry.actor.external_id);
    level_.Add(AuditLevelName(entry.level));
    action_.Add(entry.action);
    meta_.Add(entry.meta);
  }
}

void EntryColumns::AppendTo(Arrays& arrays) const {
  for (const BinaryArray* column :
       {&intent_id_, &place_, &actor_user_id_, &actor_external_id_, &level_,
        &action_, &meta_}) {
    arrays.push_back(column);
  }
}

std::string SettledNotice(std::span<const std::string> intent_ids) {
  if (intent_ids.size() > kNotifiedIdsMax) return "";
  return absl::StrJoin(intent_ids, ",");
}

}  // namespace sgl::storage
