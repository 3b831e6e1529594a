// What a replay of many decisions adds up to: how many are the same under
// another version, how many change from what to what, and which rules do it.
// Pure.

#ifndef ENGINE_REPLAY_TALLY_H_
#define ENGINE_REPLAY_TALLY_H_

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/recorded_decision.h"
#include "policy/policy.h"

namespace sgl::engine {

// A decision that changes.
struct ReplayExample {
  std::string tenant_id;
  std::string intent_id;
  // Of its audit entry.
  int64_t transition_number = 0;
};

// From what to what; `from` equals `to` where the kind stays and the reasons,
// the risk, the demands or the expiry do not.
struct ReplayChange {
  DecisionKind from = DecisionKind::kAllow;
  DecisionKind to = DecisionKind::kAllow;

  bool operator==(const ReplayChange&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const ReplayChange& change) {
    return H::combine(std::move(h), change.from, change.to);
  }
};

enum class RuleEffect : uint8_t {
  // It gives the new decision and did not give the old one so.
  kApplies,
  // It gave the old decision and does not give the new one.
  kNoLonger,
  // It gives both; what it demands differs.
  kDemandsOther,
};

// What one rule has to do with changes of one kind.
struct RuleChange {
  std::string layer;
  std::string code;
  RuleEffect effect = RuleEffect::kApplies;
  ReplayChange change;

  bool operator==(const RuleChange&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const RuleChange& rule) {
    return H::combine(std::move(h), rule.layer, rule.code, rule.effect,
                      rule.change);
  }
};

struct ReplayCount {
  int64_t count = 0;
  // The first of them.
  std::vector<ReplayExample> examples;
};

// Confined to one thread.
class ReplayTally {
 public:
  // Rules that are told apart: more than a policy has.
  static constexpr size_t kRulesMax = 2'000;
  static constexpr int kExamplesMax = 20;

  // Keeps up to `examples_max` examples of each.
  explicit ReplayTally(int examples_max);

  // Compares what was recorded with what is decided now.
  void Add(const RecordedDecision& recorded, const Decision& replayed,
           const ReplayExample& place);
  // Counts one that is known to be the same.
  void AddSame() {
    ++compared_;
    ++same_;
  }
  // Counts one that can't be compared: its facts were not all recorded, or no
  // policy decided it.
  void Skip() { ++skipped_; }

  int64_t compared() const { return compared_; }
  int64_t same() const { return same_; }
  int64_t skipped() const { return skipped_; }
  // The most frequent first; of equals in a fixed order.
  std::vector<std::pair<ReplayChange, ReplayCount>> Changes() const;
  std::vector<std::pair<RuleChange, ReplayCount>> Rules() const;
  // More rules than kRulesMax had to do with changes; the rest is not told.
  bool has_more_rules() const { return has_more_rules_; }

 private:
  void Count(const ReplayExample& place, ReplayCount* count) const;
  void CountRule(absl::string_view layer, absl::string_view code,
                 RuleEffect effect, const ReplayChange& change,
                 const ReplayExample& place);
  void Blame(const RecordedDecision& recorded, const Decision& replayed,
             const ReplayChange& change, const ReplayExample& place);

  const size_t examples_max_;
  int64_t compared_ = 0;
  int64_t same_ = 0;
  int64_t skipped_ = 0;
  bool has_more_rules_ = false;
  absl::flat_hash_map<ReplayChange, ReplayCount> changes_;
  absl::flat_hash_map<RuleChange, ReplayCount> rules_;
};

}  // namespace sgl::engine

#endif  // ENGINE_REPLAY_TALLY_H_
