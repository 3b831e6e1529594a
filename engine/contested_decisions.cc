#include "engine/contested_decisions.h"

#include <optional>
#include <vector>

#include "engine/budget_book.h"
#include "engine/limit_book.h"

namespace sgl::engine {
namespace {

// Each round but the first is there because the time that a rule asks for went
// past some edge between two looks.
constexpr int kRoundsMax = 4;

// Whether what was decided came to pass, or is handed to a job.
bool Passes(const storage::Settlement& settlement) {
  return settlement.status == storage::IntentStatus::kExecuted ||
         settlement.status == storage::IntentStatus::kValidating;
}

// The budget that the intent would spend of, whether or not there is one: its
// tenant may be about to get it. Nothing where it spends nothing.
std::optional<storage::SpendKey> BudgetOf(const Contender& contender,
                                          const Deliberation& deliberation) {
  if (deliberation.spend_category.empty() ||
      deliberation.spend_micros_usd <= 0) {
    return std::nullopt;
  }
  return storage::SpendKey{.tenant_id = contender.row->tenant_id,
                           .category = deliberation.spend_category};
}

// What the contenders draw on.
class Contest {
 public:
  // Notes what limits a decision draws on. Returns whether all were read.
  bool AddLimits(const Contender& contender, const Deliberation& deliberation) {
    return limits_.Add(deliberation.decision.limit_draws,
                       contender.row->tenant_id);
  }
  // Notes the budget that it would spend of. Returns whether that was read, or
  // it spends nothing.
  bool AddBudget(const Contender& contender, const Deliberation& deliberation) {
    const std::optional<storage::SpendKey> key =
        BudgetOf(contender, deliberation);
    return !key.has_value() || budgets_.Add(*key);
  }

  // Limits before budgets (storage/README.md), in whose period the time of
  // those is looked up.
  absl::Status Lock(storage::Transaction& tx) {
    if (!limits_.is_empty()) {
      const absl::Status locked = limits_.Lock(tx);
      if (!locked.ok()) return locked;
    }
    if (budgets_.is_empty()) return absl::OkStatus();
    return budgets_.Lock(tx, limits_.is_empty()
                                 ? std::optional<absl::Time>()
                                 : std::optional<absl::Time>(limits_.now()));
  }
  absl::Status Read(storage::Transaction& tx) { return limits_.Read(tx); }

  // REQUIRES: something was locked or read.
  ContestedFacts facts() const {
    if (limits_.is_empty()) {
      return {.now = budgets_.now(),
              .budgets = budgets_.records_or_null(),
              .locked_budgets = &budgets_.locked()};
    }
    return {.now = limits_.now(),
            .limit_totals = &limits_,
            .budgets = budgets_.records_or_null(),
            .locked_budgets = &budgets_.locked()};
  }

  // Enters what one draws that passes; fails it where its budget has less left
  // than it would spend.
  void Enter(const Contender& contender, const Deliberation& deliberation,
             storage::Settlement* settlement) {
    const std::optional<storage::SpendKey> key =
        BudgetOf(contender, deliberation);
    if (key.has_value() && settlement->spend.has_value()) {
      budgets_.Spend(*key, settlement);
    }
    if (!Passes(*settlement)) return;
    settlement->limit_counts = limits_.Count(deliberation.decision.limit_draws,
                                             contender.row->tenant_id);
  }

 private:
  LimitBook limits_;
  BudgetBook budgets_;
};

// Whether a settlement spends something.
bool Spends(const storage::Settlement* settlement_or_null) {
  return settlement_or_null != nullptr && Passes(*settlement_or_null) &&
         settlement_or_null->spend.has_value();
}

// Decides those at `places` by what was locked, in their order. Returns false,
// to be done again, where one draws on what was not.
absl::StatusOr<bool> DecideLocked(const storage::Facts& facts,
                                  std::span<const Contender> contenders,
                                  const std::vector<size_t>& places,
                                  const SettleContender& settle,
                                  Contest* contest) {
  const ContestedFacts contested = contest->facts();
  bool is_complete = true;
  for (const size_t place : places) {
    const Contender& contender = contenders[place];
    const Deliberation deliberation =
        Decide(contender.policy_or_null, *contender.row, facts, &contested);
    is_complete &= contest->AddLimits(contender, deliberation);
    if (!is_complete) continue;
    const absl::StatusOr<storage::Settlement*> settlement =
        settle(place, deliberation);
    if (!settlement.ok()) return settlement.status();
    if (*settlement != nullptr) (*settlement)->is_contested = true;
    if (Spends(*settlement)) {
      is_complete &= contest->AddBudget(contender, deliberation);
    }
    if (is_complete && *settlement != nullptr && Passes(**settlement)) {
      contest->Enter(contender, deliberation, *settlement);
    }
  }
  return is_complete;
}

}  // namespace

absl::Status DecideContested(storage::Transaction& tx,
                             const storage::Facts& facts,
                             std::span<const Contender> contenders,
                             const SettleContender& settle) {
  Contest contest;
  std::vector<size_t> contested;
  for (size_t place = 0; place < contenders.size(); ++place) {
    const Contender& contender = contenders[place];
    const Deliberation deliberation =
        Decide(contender.policy_or_null, *contender.row, facts);
    if (!deliberation.decision.limit_draws.empty()) {
      contest.AddLimits(contender, deliberation);
      // It may pass, and no limit is locked after a budget.
      contest.AddBudget(contender, deliberation);
      contested.push_back(place);
      continue;
    }
    const absl::StatusOr<storage::Settlement*> settlement =
        settle(place, deliberation);
    if (!settlement.ok()) return settlement.status();
    if (Spends(*settlement) && BudgetOf(contender, deliberation).has_value()) {
      contest.AddBudget(contender, deliberation);
      contested.push_back(place);
    }
  }
  if (contested.empty()) return absl::OkStatus();
  for (int round = 0; round < kRoundsMax; ++round) {
    const absl::Status locked = contest.Lock(tx);
    if (!locked.ok()) return locked;
    const absl::StatusOr<bool> is_complete =
        DecideLocked(facts, contenders, contested, settle, &contest);
    if (!is_complete.ok()) return is_complete.status();
    if (*is_complete) return absl::OkStatus();
  }
  return absl::AbortedError("what decisions draw on changes with every look");
}

absl::StatusOr<Deliberation> DecideUncounted(storage::Transaction& tx,
                                             const storage::Facts& facts,
                                             const Contender& contender,
                                             Explanation* explanation_or_null) {
  const auto decide = [&](const ContestedFacts* contested_or_null) {
    return explanation_or_null == nullptr
               ? Decide(contender.policy_or_null, *contender.row, facts,
                        contested_or_null)
               : DecideAndExplain(contender.policy_or_null, *contender.row,
                                  facts, contested_or_null,
                                  explanation_or_null);
  };
  Contest contest;
  Deliberation deliberation = decide(nullptr);
  for (int round = 0;
       round < kRoundsMax && !contest.AddLimits(contender, deliberation);
       ++round) {
    const absl::Status read = contest.Read(tx);
    if (!read.ok()) return read;
    const ContestedFacts contested = contest.facts();
    deliberation = decide(&contested);
  }
  return deliberation;
}

}  // namespace sgl::engine
