#include "engine/contested_decisions.h"

#include <vector>

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

// What the contenders draw on.
class Contest {
 public:
  // Notes what a decision draws on. Returns whether all of it was read.
  bool Add(const Contender& contender, const Deliberation& deliberation) {
    return limits_.Add(deliberation.decision.limit_draws,
                       contender.row->tenant_id);
  }

  static bool IsContested(const Deliberation& deliberation) {
    return !deliberation.decision.limit_draws.empty();
  }

  absl::Status Lock(storage::Transaction& tx) { return limits_.Lock(tx); }
  absl::Status Read(storage::Transaction& tx) { return limits_.Read(tx); }

  ContestedFacts facts() const {
    return {.now = limits_.now(), .limit_totals = &limits_};
  }

  // Enters what one draws that passes.
  void Enter(const Contender& contender, const Deliberation& deliberation,
             storage::Settlement* settlement) {
    settlement->limit_counts = limits_.Count(deliberation.decision.limit_draws,
                                             contender.row->tenant_id);
  }

 private:
  LimitBook limits_;
};

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
    is_complete &= contest->Add(contender, deliberation);
    if (!is_complete) continue;
    const absl::StatusOr<storage::Settlement*> settlement =
        settle(place, deliberation);
    if (!settlement.ok()) return settlement.status();
    if (*settlement != nullptr && Passes(**settlement)) {
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
    if (Contest::IsContested(deliberation)) {
      contest.Add(contender, deliberation);
      contested.push_back(place);
      continue;
    }
    const absl::Status settled = settle(place, deliberation).status();
    if (!settled.ok()) return settled;
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
       round < kRoundsMax && !contest.Add(contender, deliberation); ++round) {
    const absl::Status read = contest.Read(tx);
    if (!read.ok()) return read;
    const ContestedFacts contested = contest.facts();
    deliberation = decide(&contested);
  }
  return deliberation;
}

}  // namespace sgl::engine
