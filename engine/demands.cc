#include "engine/demands.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/built_in.h"
#include "engine/decision_json.h"

namespace sgl::engine {
namespace {

using storage::LentRoles;
using storage::VoteRow;

bool FitsDemand(const ApprovalDemand& demand,
                const std::vector<std::string>& roles) {
  return demand.roles.empty() ||
         std::find_first_of(roles.begin(), roles.end(), demand.roles.begin(),
                            demand.roles.end()) != roles.end();
}

bool IsBarred(const std::vector<std::string>& barred_user_ids,
              const std::string& user_id) {
  return std::binary_search(barred_user_ids.begin(), barred_user_ids.end(),
                            user_id);
}

bool Counts(const VoteRow& vote, const std::vector<std::string>& barred) {
  return vote.verdict == storage::Verdict::kApprove && !vote.expired &&
         vote.is_member && !IsBarred(barred, vote.approved_by);
}

// Gives each voter who speaks for others one of those others' places, as many
// of them as can be (augmenting paths).
class Places {
 public:
  // Takes a place for one who speaks for one of `lenders`; false where all
  // that could be theirs are taken for good.
  bool TryTake(const std::vector<std::string>& lenders) {
    const size_t voter = voters_.size();
    voters_.push_back(lenders);
    absl::flat_hash_set<std::string> tried;
    return TryPlace(voter, tried);
  }

 private:
  // The depth is bounded by the number of places tried, which are as many as
  // there are delegations in the votes of one memo.
  bool TryPlace(size_t voter, absl::flat_hash_set<std::string>& tried) {
    for (const std::string& lender : voters_[voter]) {
      if (!tried.insert(lender).second) continue;
      const auto holder = holders_.find(lender);
      if (holder != holders_.end() && !TryPlace(holder->second, tried)) {
        continue;
      }
      holders_[lender] = voter;
      return true;
    }
    return false;
  }

  std::vector<std::vector<std::string>> voters_;
  // Who holds a lender's place.
  absl::flat_hash_map<std::string, size_t> holders_;
};

int64_t CountPeople(const ApprovalDemand& demand,
                    const std::vector<VoteRow>& votes,
                    const std::vector<std::string>& barred) {
  // Those who fit by themselves are in their own place.
  absl::flat_hash_set<std::string> people;
  for (const VoteRow& vote : votes) {
    if (Counts(vote, barred) && FitsDemand(demand, vote.roles)) {
      people.insert(vote.approved_by);
    }
  }
  auto count = static_cast<int64_t>(people.size());
  Places places;
  absl::flat_hash_set<std::string> placed;
  for (const VoteRow& vote : votes) {
    if (!Counts(vote, barred) || people.contains(vote.approved_by)) continue;
    std::vector<std::string> lenders;
    for (const LentRoles& lent : vote.lent) {
      if (FitsDemand(demand, lent.roles) &&
          !IsBarred(barred, lent.from_user_id) &&
          !people.contains(lent.from_user_id)) {
        lenders.push_back(lent.from_user_id);
      }
    }
    // One person is one, however many lend to them.
    if (!placed.insert(vote.approved_by).second) continue;
    if (places.TryTake(lenders)) ++count;
  }
  return count;
}

}  // namespace

absl::StatusOr<std::vector<Escalation>> EscalationsFromJson(
    absl::string_view escalations) {
  const nlohmann::json parsed = nlohmann::json::parse(
      escalations.begin(), escalations.end(), nullptr, false);
  std::vector<Escalation> result;
  bool is_sound = parsed.is_array();
  if (is_sound) {
    for (const nlohmann::json& one : parsed) {
      is_sound = is_sound && one.is_object() && one.contains("from") &&
                 one["from"].is_string() && one.contains("to") &&
                 one["to"].is_string() && one.contains("at") &&
                 one["at"].is_number_integer();
      if (!is_sound) break;
      result.push_back(
          {.from_role = one["from"].get<std::string>(),
           .to_role = one["to"].get<std::string>(),
           .created_at = absl::FromUnixMicros(one["at"].get<int64_t>())});
    }
  }
  if (is_sound) return result;
  return absl::InternalError(
      absl::StrCat("read a memo's escalations: ", escalations));
}

std::vector<ApprovalDemand> Widen(std::vector<ApprovalDemand> demands,
                                  const std::vector<Escalation>& escalations) {
  for (ApprovalDemand& demand : demands) {
    const std::vector<std::string> named = demand.roles;
    for (const Escalation& escalation : escalations) {
      if (std::binary_search(named.begin(), named.end(),
                             escalation.from_role)) {
        demand.roles.push_back(escalation.to_role);
      }
    }
    std::sort(demand.roles.begin(), demand.roles.end());
    demand.roles.erase(std::unique(demand.roles.begin(), demand.roles.end()),
                       demand.roles.end());
  }
  return demands;
}

absl::StatusOr<std::vector<Escalation>> EscalationsOf(
    const storage::MemoRow& memo) {
  if (memo.intent_type == kPolicyActivate && memo.tenant_id == kSystemTenant) {
    return std::vector<Escalation>();
  }
  return EscalationsFromJson(memo.escalations);
}

absl::StatusOr<std::vector<ApprovalDemand>> DemandsOf(
    const storage::MemoRow& memo) {
  absl::StatusOr<std::vector<ApprovalDemand>> demands =
      DemandsFromJson(memo.demands);
  if (!demands.ok()) return demands.status();
  const absl::StatusOr<std::vector<Escalation>> escalations =
      EscalationsOf(memo);
  if (!escalations.ok()) return escalations.status();
  return Widen(*std::move(demands), *escalations);
}

Fit FitOf(const std::vector<ApprovalDemand>& demands,
          const storage::Standing& standing,
          const std::vector<std::string>& barred_user_ids) {
  Fit fit = {.fits = demands.empty()};
  for (const ApprovalDemand& demand : demands) {
    if (FitsDemand(demand, standing.roles)) {
      fit.fits = true;
      continue;
    }
    for (const LentRoles& lent : standing.lent) {
      if (!FitsDemand(demand, lent.roles) ||
          IsBarred(barred_user_ids, lent.from_user_id)) {
        continue;
      }
      fit.fits = true;
      fit.delegation_ids.push_back(lent.delegation_id);
    }
  }
  std::sort(fit.delegation_ids.begin(), fit.delegation_ids.end());
  fit.delegation_ids.erase(
      std::unique(fit.delegation_ids.begin(), fit.delegation_ids.end()),
      fit.delegation_ids.end());
  return fit;
}

bool MeetsDemands(const std::vector<ApprovalDemand>& demands,
                  const std::vector<VoteRow>& votes,
                  const std::vector<std::string>& barred_user_ids) {
  return std::all_of(
      demands.begin(), demands.end(), [&](const ApprovalDemand& demand) {
        return CountPeople(demand, votes, barred_user_ids) >= demand.count;
      });
}

}  // namespace sgl::engine
