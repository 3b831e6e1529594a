// Joins one intent, the facts about it and the rules into a decision. Pure:
// no I/O, no clock; the same input gives the same output.
//
//   const Deliberation deliberation = Decide(*policy, row, facts);
//
// A row that an existing system inserted by SQL lacks spend, data class and
// requester; they come from its payload (payload_map.h), strictly.
//
// Whoever decides, or decides again, comes through here: so an intent type
// whose decision is built in (built_in.h) gets that one on every path.

#ifndef ENGINE_DECIDER_H_
#define ENGINE_DECIDER_H_

#include <absl/container/btree_set.h>

#include <optional>
#include <string>

#include "engine/tenant_policy.h"
#include "policy/policy.h"
#include "storage/facts.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::engine {

// The reason's code where a tenant's layer does not fit the platform's set.
inline constexpr char kLayerBroken[] = "TENANT_POLICY_BROKEN";

// What decisions compete for, as it stood once others could not change it any
// more (contested_decisions.h).
struct ContestedFacts {
  // The decision's `now`: read after the locks, and so in place of Facts::now.
  absl::Time now;
  // What limits counted before. Borrowed.
  const LimitTotals* limit_totals = nullptr;
  // In place of Facts::budgets: what they have left, less what others of the
  // transaction spend. Borrowed; null where none is locked.
  const storage::BudgetRecords* budgets = nullptr;
  // Which of them are: of others Facts::budgets holds. Borrowed; not null where
  // `budgets` is not.
  const absl::btree_set<storage::SpendKey>* locked_budgets = nullptr;
};

// What came of looking at one intent.
struct Deliberation {
  // Why the payload can't be read within bounds; then there is no decision,
  // and the intent fails with PAYLOAD_UNREADABLE. Empty where it can.
  std::string unreadable;
  Decision decision;
  // The decision came from no policy, and whatever is active does not matter.
  bool is_built_in = false;
  // The platform's set names the intent's type; `intent *` does not.
  bool is_type_named = false;
  // Of the platform's set that decided; empty where none did.
  std::string platform_digest;
  // Of the tenant's own layer that decided; empty where it has none.
  std::string layer_digest;
  // The `now` that the rules saw.
  absl::Time decided_at;
  // The facts that the rules could read, as a JSON object: with the policy
  // and the payload, all that it takes to decide again.
  std::string facts = "{}";
  // The agent's name; its id where nobody registered it; empty where the
  // intent names none.
  std::string agent_name;
  // What the rules took for the intent's spend.
  int64_t spend_micros_usd = 0;
  // Of the budgets that it would draw on; empty for none.
  std::string spend_category;
  // For a row that came by SQL and was not settled before.
  std::optional<storage::Adoption> adoption;
};

// Decides by a tenant's policy, which may be one that is not there: then
// everything is blocked. What every other decision here is made of.
Decision DecideRequest(const TenantPolicy& policy, const Request& request);

// `policy` may be null for an intent whose decision is built in, and for no
// other. Without contested facts the decision is one to be taken again where it
// draws on any (Decision::limit_draws): what a limit matched is blocked then.
// REQUIRES: `facts` were read for the row's tenant and agent, and `policy` is
// that tenant's.
Deliberation Decide(const TenantPolicy* policy_or_null,
                    const storage::IntentRow& row, const storage::Facts& facts,
                    const ContestedFacts* contested_or_null = nullptr);

// Decides as Decide does and says why in `explanation`, which stays empty
// where there is no decision of a policy. Slower: for whoever asks about one
// intent.
Deliberation DecideAndExplain(const TenantPolicy* policy_or_null,
                              const storage::IntentRow& row,
                              const storage::Facts& facts,
                              const ContestedFacts* contested_or_null,
                              Explanation* explanation);

// Returns what a row that came by SQL lacks, as far as its payload says; for
// every other row nothing.
std::optional<storage::Adoption> AdoptionOf(const storage::IntentRow& row);

}  // namespace sgl::engine

#endif  // ENGINE_DECIDER_H_
