// Decisions taken again from what was recorded of them (recorded_decision.h):
// the same facts, under the versions of the rules that decided then. The same
// must come out; what does not was tampered with, or shows a change of ours.

#ifndef ENGINE_REPLAYS_H_
#define ENGINE_REPLAYS_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/policies.h"
#include "policy/policy.h"
#include "storage/database.h"

namespace sgl::engine {

// One recorded decision and what became of taking it again.
struct DecisionReplay {
  // Of its audit entry: tells the decisions on one intent apart.
  int64_t transition_number = 0;
  int32_t revision = 0;
  // The `now` that the rules saw.
  absl::Time decided_at;
  std::string platform_digest;
  std::string layer_digest;
  // Why it can't be told; then nothing below is set.
  std::string problem;
  Decision recorded;
  Decision replayed;
  // What is not the same, a clause each. Empty where all is.
  std::vector<std::string> differences;
  // The facts as `sgl eval` reads them; empty where such a line can't say them.
  std::string request_line;
};

// Thread-safe. Owned by the engine; borrows what it is made of.
class Replays {
 public:
  // Replays at once; more are refused (RESOURCE_EXHAUSTED): each may compile
  // whole versions.
  static constexpr int kReplaysMax = 2;

  Replays(storage::Database* db, Policies* policies);

  // Takes every decision on an intent again, in their order. For the caller:
  // NOT_FOUND; FAILED_PRECONDITION NOT_DECIDED, and FACTS_NOT_RECORDED where
  // none of them can be told.
  absl::StatusOr<std::vector<DecisionReplay>> ReplayIntent(
      const CallScope& scope, const std::string& intent_id);

 private:
  storage::Database* const db_;
  Policies* const policies_;
  std::atomic<int> replays_ = 0;
};

}  // namespace sgl::engine

#endif  // ENGINE_REPLAYS_H_
