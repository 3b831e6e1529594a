// The running engine without its network: database, policy, worker, intake,
// approvals, and the thread that hears of other processes' work.
//
//   absl::StatusOr<std::unique_ptr<Engine>> engine = Engine::Create(options);
//   (*engine)->Load();
//   (*engine)->Start();
//   ... (*engine)->intake().Submit(...) ...
//   (*engine)->Stop();
//
// README.md says who owns which thread and what each failure does.

#ifndef ENGINE_ENGINE_H_
#define ENGINE_ENGINE_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "engine/approvals.h"
#include "engine/delegations.h"
#include "engine/executors.h"
#include "engine/intake.h"
#include "engine/jobs.h"
#include "engine/lease_waits.h"
#include "engine/memo_edits.h"
#include "engine/policies.h"
#include "engine/policy_replay.h"
#include "engine/policy_versions.h"
#include "engine/replays.h"
#include "engine/sealer.h"
#include "engine/secret_keys.h"
#include "engine/waiters.h"
#include "engine/watches.h"
#include "engine/worker.h"
#include "storage/database.h"
#include "storage/listener.h"

namespace sgl::engine {

// Thread-safe after Start.
class Engine {
 public:
  struct Options {
    // Pooled; PgBouncer in transaction mode will do. Its role is held to row
    // level security.
    std::string database_url;
    // Direct; only to LISTEN.
    std::string direct_url;
    ExecutorRegistry executors = ExecutorRegistry::RecordAllBut({});
    // Open the tokens of integrations. Unset: jobs that need one aren't leased.
    std::optional<SecretKeys> secret_keys = {};
    storage::DatabaseOptions database = {};
    Worker::Options worker = {};
    // The audit log's seals: key, file of heads.
    Sealer::Options sealer = {};
    // Off: serves calls and leaves claiming to other engines.
    bool claims = true;
  };

  // Checks the URLs and the role of `database_url`: FAILED_PRECONDITION for
  // one that row level security does not hold, UNAVAILABLE where the database
  // is away.
  static absl::StatusOr<std::unique_ptr<Engine>> Create(Options options);

  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  // Stops.
  ~Engine();

  // Loads the active policy and warns of declared types without an executor.
  // A failure is logged: the worker tries again.
  void Load();

  // Starts the threads: from here on intents are claimed. A database that is
  // away is waited for.
  void Start();

  // Claims nothing more, ends waits and watches with UNAVAILABLE, finishes the
  // batch in hand and joins all threads. Calling it again does nothing.
  void Stop();

  storage::Database& db() { return *db_; }
  Policies& policies() { return policies_; }
  Waiters& waiters() { return waiters_; }
  Watches& watches() { return watches_; }
  LeaseWaits& lease_waits() { return lease_waits_; }
  Worker& worker() { return worker_; }
  Intake& intake() { return intake_; }
  Approvals& approvals() { return approvals_; }
  MemoEdits& memo_edits() { return memo_edits_; }
  Delegations& delegations() { return delegations_; }
  Jobs& jobs() { return jobs_; }
  PolicyVersions& policy_versions() { return policy_versions_; }
  Replays& replays() { return replays_; }
  PolicyReplays& policy_replays() { return policy_replays_; }
  Sealer& sealer() { return sealer_; }

 private:
  Engine(Options options, std::unique_ptr<storage::Database> db,
         std::unique_ptr<storage::Listener> listener);

  Worker::Options WorkerOptions();
  Sealer::Options SealerOptions() const;
  void Listen();
  void Hear(const storage::Wakeup& wakeup);

  // In the order of dependence: each may use those above it.
  const Options options_;
  const std::unique_ptr<storage::Database> db_;
  const std::unique_ptr<storage::Listener> listener_;
  Policies policies_;
  Waiters waiters_;
  Watches watches_;
  LeaseWaits lease_waits_;
  Worker worker_;
  Intake intake_;
  Approvals approvals_;
  MemoEdits memo_edits_;
  Delegations delegations_;
  Jobs jobs_;
  PolicyVersions policy_versions_;
  Replays replays_;
  PolicyReplays policy_replays_;
  Sealer sealer_;
  // Stops the listening thread.
  WakeSignal listening_;
  std::jthread listener_thread_;
};

}  // namespace sgl::engine

#endif  // ENGINE_ENGINE_H_
