#include "engine/replay_tally.h"

#include <algorithm>
#include <tuple>

namespace sgl::engine {
namespace {

bool Gives(const std::vector<RecordedDecision::Rule>& rules,
           const Reason& reason) {
  return std::any_of(rules.begin(), rules.end(), [&](const auto& rule) {
    return rule.code == reason.code && rule.layer == reason.layer;
  });
}

bool Gives(const std::vector<Reason>& reasons,
           const RecordedDecision::Rule& rule) {
  return std::any_of(reasons.begin(), reasons.end(), [&](const auto& reason) {
    return rule.code == reason.code && rule.layer == reason.layer;
  });
}

// Whether the same rules gave both, in whatever order: files may be renamed.
bool HaveSameRules(const RecordedDecision& recorded, const Decision& replayed) {
  return recorded.rules.size() == replayed.reasons.size() &&
         std::all_of(replayed.reasons.begin(), replayed.reasons.end(),
                     [&](const Reason& reason) {
                       return Gives(recorded.rules, reason);
                     }) &&
         std::all_of(recorded.rules.begin(), recorded.rules.end(),
                     [&](const RecordedDecision::Rule& rule) {
                       return Gives(replayed.reasons, rule);
                     });
}

bool HaveSameDemands(const RecordedDecision& recorded,
                     const Decision& replayed) {
  return recorded.risk == replayed.risk &&
         recorded.demands == replayed.demands &&
         recorded.within == replayed.within;
}

template <typename Key, typename Order>
std::vector<std::pair<Key, ReplayCount>> Sorted(
    const absl::flat_hash_map<Key, ReplayCount>& counts, Order order) {
  std::vector<std::pair<Key, ReplayCount>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end(), [&](const auto& a, const auto& b) {
    if (a.second.count != b.second.count) {
      return a.second.count > b.second.count;
    }
    return order(a.first) < order(b.first);
  });
  return sorted;
}

}  // namespace

ReplayTally::ReplayTally(int examples_max)
    : examples_max_(
          static_cast<size_t>(std::clamp(examples_max, 0, kExamplesMax))) {}

void ReplayTally::Count(const ReplayExample& place, ReplayCount* count) const {
  ++count->count;
  if (count->examples.size() < examples_max_) count->examples.push_back(place);
}

void ReplayTally::CountRule(absl::string_view layer, absl::string_view code,
                            RuleEffect effect, const ReplayChange& change,
                            const ReplayExample& place) {
  RuleChange rule{.layer = std::string(layer),
                  .code = std::string(code),
                  .effect = effect,
                  .change = change};
  const auto known = rules_.find(rule);
  if (known != rules_.end()) return Count(place, &known->second);
  if (rules_.size() >= kRulesMax) {
    has_more_rules_ = true;
    return;
  }
  Count(place, &rules_[std::move(rule)]);
}

// A stricter decision comes from the rules that give it now, a milder one from
// those that gave it before and do not now; they may have the same codes, where
// a rule became milder itself.
void ReplayTally::Blame(const RecordedDecision& recorded,
                        const Decision& replayed, const ReplayChange& change,
                        const ReplayExample& place) {
  const bool is_stricter = change.to > change.from;
  const bool is_milder = change.to < change.from;
  const bool has_same_rules = HaveSameRules(recorded, replayed);
  if (!is_milder) {
    for (const Reason& reason : replayed.reasons) {
      const bool is_new = is_stricter || !Gives(recorded.rules, reason);
      if (!is_new && !has_same_rules) continue;
      CountRule(reason.layer, reason.code,
                is_new ? RuleEffect::kApplies : RuleEffect::kDemandsOther,
                change, place);
    }
  }
  if (is_stricter) return;
  for (const RecordedDecision::Rule& rule : recorded.rules) {
    if (!is_milder && Gives(replayed.reasons, rule)) continue;
    CountRule(rule.layer, rule.code, RuleEffect::kNoLonger, change, place);
  }
}

void ReplayTally::Add(const RecordedDecision& recorded,
                      const Decision& replayed, const ReplayExample& place) {
  ++compared_;
  if (recorded.kind == replayed.kind && HaveSameRules(recorded, replayed) &&
      HaveSameDemands(recorded, replayed)) {
    ++same_;
    return;
  }
  const ReplayChange change{.from = recorded.kind, .to = replayed.kind};
  Count(place, &changes_[change]);
  Blame(recorded, replayed, change, place);
}

std::vector<std::pair<ReplayChange, ReplayCount>> ReplayTally::Changes() const {
  return Sorted(changes_, [](const ReplayChange& change) {
    return std::tuple(change.from, change.to);
  });
}

std::vector<std::pair<RuleChange, ReplayCount>> ReplayTally::Rules() const {
  return Sorted(rules_, [](const RuleChange& rule) {
    return std::tuple(rule.layer, rule.code, rule.effect, rule.change.from,
                      rule.change.to);
  });
}

}  // namespace sgl::engine
