#include "storage/spend_records.h"

#include <absl/time/time.h>

#include <cstdint>

#include "storage/binary_array.h"
#include "storage/queries.h"
#include "storage/settlement_columns.h"

namespace sgl::storage {
namespace {

bool DoesSpend(const Settlement& settlement) {
  return settlement.spend.has_value() &&
         (settlement.status == IntentStatus::kExecuted ||
          settlement.status == IntentStatus::kValidating);
}

}  // namespace

void RecordSpends(std::span<const Settlement* const> settlements,
                  Session& session) {
  BinaryArray intent_id = Uuids();
  BinaryArray tenant_id = Uuids();
  BinaryArray category = Texts();
  BinaryArray micros_usd = Bigints();
  BinaryArray counted_at = Bigints();
  int64_t count = 0;
  for (const Settlement* settlement : settlements) {
    if (!DoesSpend(*settlement)) continue;
    intent_id.Add(settlement->intent_id);
    tenant_id.Add(settlement->tenant_id);
    category.Add(settlement->spend->category);
    micros_usd.AddInt(settlement->spend->micros_usd);
    counted_at.AddInt(absl::ToUnixMicros(settlement->spend->counted_at));
    ++count;
  }
  if (count == 0) return;
  const BinaryArray* const arrays[] = {&intent_id, &tenant_id, &category,
                                       &micros_usd, &counted_at};
  const pqxx::result recorded = session.Exec(kRecordSpendsSql, arrays, Args());
  if (RowReader(recorded[0]).Int() == count) return;
  session.MarkFailed();
  Raise(absl::FailedPreconditionError(
      "an intent is not there for the spend that is to be recorded"));
}

}  // namespace sgl::storage
