#include "engine/ledger.h"

#include <algorithm>
#include <utility>

namespace sgl::engine {

bool DoesFit(const storage::LedgerTotals& totals) {
  return totals.intent_micros ==
             totals.reserved_micros + totals.committed_micros &&
         totals.committed_micros == totals.entry_micros &&
         totals.uneven_sums == 0;
}

absl::StatusOr<LedgerVerdict> CheckLedger(storage::Database& db,
                                          const std::string& tenant_id) {
  absl::StatusOr<storage::Transaction> tx = db.Begin({.tenants = {tenant_id}});
  if (!tx.ok()) return tx.status();
  absl::StatusOr<storage::LedgerReading> reading =
      storage::ReadLedger(*tx, tenant_id, kLedgerProblemsMax);
  if (!reading.ok()) return reading.status();
  LedgerVerdict verdict;
  verdict.reading = *std::move(reading);
  const std::vector<storage::LedgerTotals>& totals = verdict.reading.totals;
  verdict.fits = verdict.reading.problems.empty() &&
                 std::all_of(totals.begin(), totals.end(), DoesFit);
  return verdict;
}

}  // namespace sgl::engine
