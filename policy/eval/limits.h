// What limits count, and the totals that they are held against.
//
// Deciding stays pure: a decision says what each limit would count (its
// LimitDraws), and the caller who keeps the books answers what was counted
// before (LimitTotals). `sgl eval` and `sgl test` keep them in memory:
//
//   LimitLedger ledger;
//   request.limit_totals = &ledger;
//   const Decision decision = Evaluate(program, request);
//   if (decision.kind == DecisionKind::kAllow) {
//     ledger.Count(decision.limit_draws, request.now);
//   }
//
// Which draws a request makes does not hang on the totals. A caller who must
// fetch them may evaluate once without, and again with what the draws named.

#ifndef POLICY_EVAL_LIMITS_H_
#define POLICY_EVAL_LIMITS_H_

#include <absl/container/flat_hash_map.h>
#include <absl/numeric/int128.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sgl {

enum class LimitScope : uint8_t { kAgent, kTenant, kPlatform };

// Returns `agent`, `tenant` or `platform`.
absl::string_view LimitScopeName(LimitScope scope);

// What one limit would count of one intent: the limit matched by its own `on`
// and `when`.
struct LimitDraw {
  // The limit: a code is unique in its layer (`platform` or `tenant:SLUG`).
  std::string layer;
  std::string code;
  LimitScope scope = LimitScope::kAgent;
  // Whom it counts for, in a form that no two of them share: empty for the
  // platform; the tenant by id, or by slug where there is no id; the agent by
  // tenant and id, or by tenant and name where there is no id.
  std::string subject;
  absl::Duration window;
  // Amounts are intents, or millionths of a dollar.
  bool is_spend = false;
  // What this intent adds.
  int64_t amount = 0;
  // The most that the limit lets pass.
  int64_t amount_max = 0;
  // With this intent included; nothing where no totals were given, or where
  // it lies outside int64.
  std::optional<int64_t> total;

  bool operator==(const LimitDraw&) const = default;
};

// Answers what was counted before. Each answer must be the same while one
// evaluation runs.
class LimitTotals {
 public:
  virtual ~LimitTotals() = default;

  // Returns what the draw's limit counted for its subject later than
  // `now - window`, up to `now`, the intent at hand left out; nothing where
  // that lies outside int64.
  virtual std::optional<int64_t> Total(const LimitDraw& draw,
                                       absl::Time now) const = 0;
};

// Books in memory. Times may go back and forth. Not thread-safe.
class LimitLedger : public LimitTotals {
 public:
  std::optional<int64_t> Total(const LimitDraw& draw,
                               absl::Time now) const override;

  // Enters what an intent that passed at `now` drew.
  void Count(const std::vector<LimitDraw>& draws, absl::Time now);

 private:
  // One entry, with the sum of all up to it. An int64 each, they can't
  // overflow 128 bits.
  struct Entry {
    absl::Time time;
    absl::int128 sum = 0;
  };

  // By limit and subject, each by time.
  absl::flat_hash_map<std::string, std::vector<Entry>> entries_;
};

}  // namespace sgl

#endif  // POLICY_EVAL_LIMITS_H_
