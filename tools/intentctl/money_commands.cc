// `intentctl budgets list` and `intentctl ledger check`: what budgets hold, and
// whether the ledger fits what intents spent. On DIRECT_URL.

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/ledger.h"
#include "storage/budgets.h"
#include "storage/identity.h"
#include "tools/intentctl/commands.h"
#include "tools/intentctl/direct.h"
#include "tools/intentctl/print.h"

namespace sgl::tools {
namespace {

using ::nlohmann::ordered_json;
using storage::BudgetRow;
using storage::LedgerProblem;
using storage::LedgerTotals;

constexpr int kPageMax = 200;
// A check reads all that the tenant ever spent.
constexpr absl::Duration kCheckTimeout = absl::Minutes(5);

struct MoneyFlags {
  std::string url;
  std::string tenant_slug;
  bool json = false;
};

// Runs `body` on the database, for the tenant that the flags name.
absl::Status ForTenant(
    const MoneyFlags& flags,
    const std::function<absl::Status(storage::Database&, const std::string&)>&
        body) {
  absl::StatusOr<std::unique_ptr<storage::Database>> db =
      storage::Database::Create(flags.url, {.connections_max = 1,
                                            .statement_timeout = kCheckTimeout,
                                            .application_name = "intentctl"});
  if (!db.ok()) return db.status();
  absl::StatusOr<std::string> tenant = absl::UnknownError("");
  {
    absl::StatusOr<storage::Transaction> tx = (*db)->Begin({});
    if (!tx.ok()) return tx.status();
    tenant = storage::FindTenant(*tx, flags.tenant_slug);
  }
  return tenant.ok() ? body(**db, *tenant) : tenant.status();
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

// A budget that was lowered may have less than nothing left.
std::string Left(int64_t micros) {
  return micros < 0 ? absl::StrCat("-", FormatUsd(-micros)) : FormatUsd(micros);
}

void PrintBudget(const BudgetRow& budget, bool json) {
  const int64_t remaining = budget.limit_micros_usd -
                            budget.committed_micros_usd -
                            budget.reserved_micros_usd;
  if (json) {
    ordered_json line = {{"id", budget.id},
                         {"name", budget.name},
                         {"category", budget.category},
                         {"limit_micros_usd", budget.limit_micros_usd},
                         {"committed_micros_usd", budget.committed_micros_usd},
                         {"reserved_micros_usd", budget.reserved_micros_usd},
                         {"remaining_micros_usd", remaining},
                         {"alert_at", budget.alert_at},
                         {"period_start", TimeText(budget.period_start)},
                         {"period_end", TimeText(budget.period_end)}};
    std::cout << line.dump(-1, ' ', false,
                           ordered_json::error_handler_t::replace)
              << "\n";
    return;
  }
  std::cout << Printable(absl::StrCat(
                   budget.name, " (",
                   budget.category.empty() ? "no category" : budget.category,
                   "): ", Left(remaining), " left of ",
                   FormatUsd(budget.limit_micros_usd), "; committed ",
                   FormatUsd(budget.committed_micros_usd), ", reserved ",
                   FormatUsd(budget.reserved_micros_usd), "; ",
                   TimeText(budget.period_start), " to ",
                   TimeText(budget.period_end)))
            << "\n";
}

int ListBudgets(const MoneyFlags& flags) {
  const absl::Status done =
      ForTenant(flags, [&](storage::Database& db, const std::string& tenant) {
        absl::StatusOr<storage::Transaction> tx =
            db.Begin({.tenants = {tenant}});
        if (!tx.ok()) return tx.status();
        std::string after;
        while (true) {
          const absl::StatusOr<std::vector<BudgetRow>> page =
              storage::ListBudgets(*tx, tenant, after, kPageMax);
          if (!page.ok()) return page.status();
          for (const BudgetRow& budget : *page) PrintBudget(budget, flags.json);
          if (page->size() < kPageMax) return absl::OkStatus();
          after = page->back().name;
        }
      });
  return done.ok() ? kExitOk : ReportError("list budgets", done);
}

void PrintVerdictJson(const engine::LedgerVerdict& verdict) {
  ordered_json line = {{"fits", verdict.fits},
                       {"categories", ordered_json::array()},
                       {"problems", ordered_json::array()}};
  for (const LedgerTotals& totals : verdict.reading.totals) {
    line["categories"].push_back(
        {{"category", totals.category},
         {"fits", engine::DoesFit(totals)},
         {"intents", totals.intents},
         {"spend_micros_usd", totals.intent_micros},
         {"reserved_micros_usd", totals.reserved_micros},
         {"committed_micros_usd", totals.committed_micros},
         {"entries", totals.entries},
         {"entries_micros_usd", totals.entry_micros},
         {"entries_cents", totals.entry_cents},
         {"uneven_sums", totals.uneven_sums}});
  }
  for (const LedgerProblem& problem : verdict.reading.problems) {
    line["problems"].push_back(
        {{"intent_id", problem.intent_id}, {"problem", problem.what}});
  }
  std::cout << line.dump(-1, ' ', false, ordered_json::error_handler_t::replace)
            << "\n";
}

void PrintVerdict(const engine::LedgerVerdict& verdict) {
  for (const LedgerTotals& totals : verdict.reading.totals) {
    std::cout << Printable(absl::StrCat(
                     totals.category, ": ", totals.intents, " intents spend ",
                     FormatUsd(totals.intent_micros), "; reserved ",
                     FormatUsd(totals.reserved_micros), ", committed ",
                     FormatUsd(totals.committed_micros), ", entered ",
                     FormatUsd(totals.entry_micros), " in ", totals.entries,
                     " entries",
                     engine::DoesFit(totals) ? "" : ": this doesn't add up"))
              << "\n";
    if (totals.uneven_sums != 0) {
      std::cout << Printable(absl::StrCat(
                       totals.category, ": ", totals.uneven_sums,
                       " sums that budgets are read from (spend_sums) are not "
                       "those of their spends"))
                << "\n";
    }
  }
  for (const LedgerProblem& problem : verdict.reading.problems) {
    std::cout << Printable(absl::StrCat("intent ", problem.intent_id, ": ",
                                        problem.what))
              << "\n";
  }
  std::cout << (verdict.fits ? "the ledger fits\n"
                             : "the ledger doesn't fit\n");
}

int CheckLedger(const MoneyFlags& flags) {
  engine::LedgerVerdict verdict;
  const absl::Status done =
      ForTenant(flags, [&](storage::Database& db, const std::string& tenant) {
        absl::StatusOr<engine::LedgerVerdict> checked =
            engine::CheckLedger(db, tenant);
        if (checked.ok()) verdict = *std::move(checked);
        return checked.status();
      });
  if (!done.ok()) return ReportError("check the ledger", done);
  if (flags.json) {
    PrintVerdictJson(verdict);
  } else {
    PrintVerdict(verdict);
  }
  return verdict.fits ? kExitOk : kExitFailed;
}

void AddVerb(CLI::App& noun, Run& run, const char* verb, const char* verb_help,
             int (*action)(const MoneyFlags&)) {
  auto flags = std::make_shared<MoneyFlags>();
  CLI::App* added = noun.add_subcommand(verb, verb_help);
  AddDirectUrl(*added, flags->url);
  added->add_option("--tenant", flags->tenant_slug, "the tenant's slug")
      ->required();
  added->add_flag("--json", flags->json, "JSON, one object a line");
  added->callback([&run, flags, action] {
    run = [flags, action] { return action(*flags); };
  });
}

}  // namespace

void AddMoneyCommands(CLI::App& app, Run& run) {
  CLI::App* budgets =
      app.add_subcommand("budgets", "what tenants may spend, and have spent");
  budgets->require_subcommand(1);
  AddVerb(*budgets, run, "list",
          "list a tenant's budgets: limit, committed, reserved and left in the "
          "current period",
          &ListBudgets);
  AddVerb(*app.get_subcommand("ledger"), run, "check",
          "check that reservations and entries are what intents spend; exit "
          "status 1 names the first intents that don't fit",
          &CheckLedger);
}

}  // namespace sgl::tools
