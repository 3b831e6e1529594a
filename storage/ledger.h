// The check of the ledger against what intents spent.
//
// What intents spend is on record three times over: in the intents themselves,
// in what budgets count (budgets.h), and, once it is committed, in the ledger.
// Entries that effects or other writers posted are no spend and not looked at.

#ifndef STORAGE_LEDGER_H_
#define STORAGE_LEDGER_H_

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "storage/database.h"

namespace sgl::storage {

// Of one tenant and category; micros of US dollars.
struct LedgerTotals {
  std::string category;
  // EXECUTED, or with a job under way, and what they spend.
  int64_t intents = 0;
  int64_t intent_micros = 0;
  int64_t reserved_micros = 0;
  int64_t committed_micros = 0;
  // Of spends.
  int64_t entries = 0;
  int64_t entry_micros = 0;
  int64_t entry_cents = 0;
  // Of the sums that budgets are read from (migration 0046), those that are not
  // the sums of their spends.
  int64_t uneven_sums = 0;

  bool operator==(const LedgerTotals&) const = default;
};

// An intent whose spend doesn't fit.
struct LedgerProblem {
  std::string intent_id;
  // What doesn't, as the rest of a sentence about the intent.
  std::string what;

  bool operator==(const LedgerProblem&) const = default;
};

struct LedgerReading {
  // By category, sorted.
  std::vector<LedgerTotals> totals;
  // By intent, the first ones.
  std::vector<LedgerProblem> problems;
};

// Reads the ledger of a tenant of the transaction, and names up to
// `problems_max` intents that don't fit. Takes longer the more often the tenant
// spent. Totals and problems are each of one snapshot, so that intents which
// are settled meanwhile are whole in them or not there.
absl::StatusOr<LedgerReading> ReadLedger(Transaction& tx,
                                         const std::string& tenant_id,
                                         int problems_max) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_LEDGER_H_
