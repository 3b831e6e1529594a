#include "storage/ledger.h"

#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {

absl::StatusOr<LedgerReading> ReadLedger(Transaction& tx,
                                         const std::string& tenant_id,
                                         int problems_max) noexcept {
  return Guard("read the ledger", [&]() -> absl::StatusOr<LedgerReading> {
    Session& session = OpenSession(tx);
    LedgerReading reading;
    for (const pqxx::row& row :
         session.Exec(kLedgerTotalsSql, Args().Text(tenant_id))) {
      RowReader reader(row);
      LedgerTotals& totals = reading.totals.emplace_back();
      totals.category = reader.Text();
      totals.intents = reader.Int();
      totals.intent_micros = reader.Int();
      totals.reserved_micros = reader.Int();
      totals.committed_micros = reader.Int();
      totals.entries = reader.Int();
      totals.entry_micros = reader.Int();
      totals.entry_cents = reader.Int();
      totals.uneven_sums = reader.Int();
    }
    for (const pqxx::row& row : session.Exec(
             kLedgerProblemsSql, Args().Text(tenant_id).Int(problems_max))) {
      RowReader reader(row);
      LedgerProblem& problem = reading.problems.emplace_back();
      problem.intent_id = reader.Text();
      problem.what = reader.Text();
    }
    return reading;
  });
}

}  // namespace sgl::storage
