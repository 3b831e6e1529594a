// Submissions: checked, stored once, and waited for.
//
// A submission is durable when it is answered. Who asked to wait is answered
// when the intent is decided; the wait holds no thread and no connection.

#ifndef ENGINE_INTAKE_H_
#define ENGINE_INTAKE_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/call_scope.h"
#include "engine/executors.h"
#include "engine/group_commit.h"
#include "engine/policies.h"
#include "engine/waiters.h"
#include "engine/worker.h"
#include "policy/policy.h"
#include "storage/database.h"
#include "storage/intents.h"

namespace sgl::engine {

inline constexpr size_t kTitleMax = 200;       // Characters.
inline constexpr size_t kRationaleMax = 5000;  // Characters.
inline constexpr absl::Duration kWaitMax = absl::Seconds(60);

// What an agent wants, as its request states it.
struct Submission {
  // A UUID.
  std::string request_id;
  std::string intent_type;
  std::string payload;
  int64_t spend_micros_usd = 0;
  DataClass data_class = DataClass::kNone;
  std::string title;
  std::string rationale;
  std::string requested_by;
  // Zero: answer once it is stored.
  absl::Duration wait = absl::ZeroDuration();
};

struct Evaluation {
  Decision decision;
  // The `now` that the rules saw.
  absl::Time decided_at;
  // Why; only where it was asked for.
  Explanation explanation;
};

// Thread-safe. Owned by the engine; borrows what it is made of.
class Intake {
 public:
  using Done = Waiters::Done;

  // One of many submissions that one call brings.
  struct BatchItem {
    Submission submission;
    Done done;
  };

  Intake(storage::Database* db, Policies* policies,
         const ExecutorRegistry* executors, Worker* worker, Waiters* waiters);

  // See GroupCommit.
  void StartDeciding() { groups_.StartDeciding(); }
  void StopDeciding() { groups_.StopDeciding(); }

  // Stores the submission and calls `done`, once, with the intent: at once or
  // when it is decided. A repeat of a request id gives the intent as it
  // stands. Statuses for the caller: INVALID_ARGUMENT naming every bad field,
  // ALREADY_EXISTS, FAILED_PRECONDITION without an active policy.
  // REQUIRES: the principal is an agent.
  void Submit(const CallScope& scope, const Submission& submission, Done done);

  // Submits each, in as few transactions as they fit in; each `done` is called
  // once. A cancel of the call does not reach them any more.
  // REQUIRES: the principal is an agent.
  void SubmitBatch(const CallScope& scope, std::vector<BatchItem> items);

  // Returns the intent that Submit would store, with the decision that it
  // would get now. Stores nothing.
  absl::StatusOr<storage::IntentRow> Validate(const CallScope& scope,
                                              const Submission& submission);

  // Returns the decision that the intent would get now from whoever calls: an
  // agent's own facts count. `request_id` and `wait` are not looked at.
  absl::StatusOr<Evaluation> Evaluate(const CallScope& scope,
                                      const Submission& submission);

 private:
  struct Preview;
  enum class Why : uint8_t { kUnasked, kExplained };
  absl::StatusOr<Preview> Look(const CallScope& scope,
                               const Submission& submission, Why why);
  absl::StatusOr<Preview> TryLook(const CallScope& scope,
                                  const Submission& submission, Why why);
  // What every submission that is to be stored needs.
  absl::Status Check(const Submission& submission) const;

  storage::Database* const db_;
  Policies* const policies_;
  const ExecutorRegistry* const executors_;
  GroupCommit groups_;
  // Beyond the ids of calls, which count from 1.
  std::atomic<uint64_t> next_item_id_ = uint64_t{1} << 63;
};

}  // namespace sgl::engine

#endif  // ENGINE_INTAKE_H_
