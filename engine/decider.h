// Joins one intent, the facts about it and the rules into a decision. Pure:
// no I/O, no clock; the same input gives the same output.
//
//   const Deliberation deliberation = Decide(*program, row, facts);
//
// A row that an existing system inserted by SQL lacks spend, data class and
// requester; they come from its payload (payload_map.h), strictly.

#ifndef ENGINE_DECIDER_H_
#define ENGINE_DECIDER_H_

#include <optional>
#include <string>

#include "policy/policy.h"
#include "storage/facts.h"
#include "storage/intents.h"
#include "storage/settlement.h"

namespace sgl::engine {

// What came of looking at one intent.
struct Deliberation {
  // Why the payload can't be read within bounds; then there is no decision,
  // and the intent fails with PAYLOAD_UNREADABLE. Empty where it can.
  std::string unreadable;
  Decision decision;
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
  // For a row that came by SQL and was not settled before.
  std::optional<storage::Adoption> adoption;
};

// REQUIRES: `facts` were read for the row's tenant and agent.
Deliberation Decide(const Program& program, const storage::IntentRow& row,
                    const storage::Facts& facts);

// Decides as Decide does and says why in `explanation`, which stays empty
// where there is no decision. Slower: for whoever asks about one intent.
Deliberation DecideAndExplain(const Program& program,
                              const storage::IntentRow& row,
                              const storage::Facts& facts,
                              Explanation* explanation);

// Returns what a row that came by SQL lacks, as far as its payload says; for
// every other row nothing.
std::optional<storage::Adoption> AdoptionOf(const storage::IntentRow& row);

}  // namespace sgl::engine

#endif  // ENGINE_DECIDER_H_
