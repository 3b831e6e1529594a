// Who fits what a memo demands, and when its votes are enough. Pure.
//
// A person speaks by their own roles, or by roles that somebody lends them
// (delegations). Lent roles are still the lender's: whoever votes by them
// stands in the lender's place, so that a delegation never makes two out of
// one.

#ifndef ENGINE_DEMANDS_H_
#define ENGINE_DEMANDS_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <string>
#include <vector>

#include "policy/policy.h"
#include "storage/memos.h"

namespace sgl::engine {

// That demands which name one role accept another too.
struct Escalation {
  std::string from_role;
  std::string to_role;
  absl::Time created_at;
};

// Returns what a memo's column says (storage::MemoRow::escalations). INTERNAL
// for anything else: only we write it.
absl::StatusOr<std::vector<Escalation>> EscalationsFromJson(
    absl::string_view escalations);

// Returns the demands with the roles that the escalations add. Those see the
// demands as given, so that one never sets off another.
std::vector<ApprovalDemand> Widen(std::vector<ApprovalDemand> demands,
                                  const std::vector<Escalation>& escalations);

// Returns the escalations that count for a memo: none for one on an activation
// of the platform's policy, whose votes the database counts again by people's
// own roles alone.
absl::StatusOr<std::vector<Escalation>> EscalationsOf(
    const storage::MemoRow& memo);

// Returns a memo's demands with its escalations.
absl::StatusOr<std::vector<ApprovalDemand>> DemandsOf(
    const storage::MemoRow& memo);

// What somebody's word is worth.
struct Fit {
  // They fit one of the demands.
  bool fits = false;
  // By which delegations they fit demands that they don't fit themselves.
  // Sorted.
  std::vector<std::string> delegation_ids = {};
};

// Returns how somebody fits the demands (anybody does where there are none).
// What those in `barred_user_ids` (sorted) lend counts for nothing here.
Fit FitOf(const std::vector<ApprovalDemand>& demands,
          const storage::Standing& standing,
          const std::vector<std::string>& barred_user_ids);

// Returns whether the votes meet every demand: for each, `count` different
// people who approved, are members still, are not barred, whose vote has not
// expired and who fit it. One person's vote counts towards each demand that it
// fits. Who fits a demand only by lent roles counts in the lender's place: once
// with all others who speak by the same lender's, and with the lender.
bool MeetsDemands(const std::vector<ApprovalDemand>& demands,
                  const std::vector<storage::VoteRow>& votes,
                  const std::vector<std::string>& barred_user_ids);

}  // namespace sgl::engine

#endif  // ENGINE_DEMANDS_H_
