// Whether the ledger fits what intents spent: for each category of a tenant,
//
//   spends of intents = reservations + commitments,  commitments = entries
//
// for each intent its state, its spend and its entry, and for each sum that
// budgets are read from that it is the sum of its spends. Pure but for the
// reading (storage/ledger.h).

#ifndef ENGINE_LEDGER_H_
#define ENGINE_LEDGER_H_

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/ledger.h"

namespace sgl::engine {

// Intents that one check names. Who has more has one cause to look for, not a
// list to read.
inline constexpr int kLedgerProblemsMax = 20;

// Returns whether the sums of a category agree.
bool DoesFit(const storage::LedgerTotals& totals);

struct LedgerVerdict {
  // Nothing is amiss.
  bool fits = true;
  storage::LedgerReading reading = {};
};

// Checks one tenant's ledger; takes a transaction of its own.
absl::StatusOr<LedgerVerdict> CheckLedger(storage::Database& db,
                                          const std::string& tenant_id);

}  // namespace sgl::engine

#endif  // ENGINE_LEDGER_H_
