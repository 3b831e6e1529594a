// Effects on the ledger and on budgets.

#include "engine/effects/families.h"

namespace sgl::engine {

std::vector<EffectDecl> MoneyEffects() {
  return {
      {.intent_type = "LEDGER_ENTRY_POST",
       .summary = "Posts an entry of the ledger, for good. Without "
                  "`occurred_at` it occurs now.",
       .fields = {{"entry_type", "enum(credit, debit)"},
                  {"category",
                   "enum(subscription, token_spend, api_spend, refund, "
                   "chargeback, payout, misc)"},
                  {"amount_cents", "int"},
                  {"currency", "string"},
                  {"description", "string?"},
                  {"external_ref", "string?"},
                  {"occurred_at", "timestamp?"}},
       .output = {"entry_id"},
       .tables = {"ledger_entries"}},
      {.intent_type = "BUDGET_SET",
       .summary = "Sets the budget of this name, all of it. `alert_at` is a "
                  "share of the limit; periods begin at `period_starts_at`, or "
                  "where the budget was made.",
       .fields = {{"name", "string"},
                  {"category", "string?"},
                  {"limit_cents", "int"},
                  {"period_days", "int"},
                  {"alert_at", "decimal?"},
                  {"period_starts_at", "timestamp?"}},
       .output = {"budget_id"},
       .tables = {"budgets"}},
  };
}

}  // namespace sgl::engine
