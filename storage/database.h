// The door to PostgreSQL: a pool of connections that hands out transactions.
//
//   auto db = Database::Create(url, {.connections_max = 4});
//   auto tx = (*db)->Begin({.tenants = {tenant_id}});
//   auto row = GetIntent(*tx, intent_id);
//   absl::Status committed = tx->Commit();
//
// Works through PgBouncer in transaction mode: nothing here outlives its
// transaction, and no statement is prepared. A connection that broke is closed
// and never used again; the transaction that was on it is over. Nothing is
// retried here: who knows what the work means decides that (README.md, "What
// to retry").

#ifndef STORAGE_DATABASE_H_
#define STORAGE_DATABASE_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sgl::storage {

// One PostgreSQL connection with what the storage layer keeps beside it.
// Internal to storage/ (session.h).
class Session;
class ConnectionPool;

struct DatabaseOptions {
  // More transactions than this at once wait for each other. The default
  // leaves room for four engines under PostgreSQL's default of 100.
  int connections_max = 16;
  // How long Begin waits for a free connection, then for the server.
  absl::Duration acquire_timeout = absl::Seconds(5);
  // Set in each transaction, so that a paused engine blocks nobody for long.
  absl::Duration statement_timeout = absl::Seconds(10);
  absl::Duration lock_timeout = absl::Seconds(5);
  absl::Duration idle_timeout = absl::Seconds(15);
  // Shown in pg_stat_activity.
  std::string application_name = "intent-engine";
};

struct TransactionOptions {
  // Rows of these tenants are visible and writable; of no other. UUIDs.
  std::vector<std::string> tenants = {};
  // Zero or infinite: the database's own. Callers pass what is left of their
  // deadline; the shorter of the two holds.
  absl::Duration statement_timeout = absl::ZeroDuration();
  // The same of a wait for a lock, which is never longer than a statement.
  absl::Duration lock_timeout = absl::ZeroDuration();
};

// One transaction. Rolls back when destroyed without Commit. Confined to one
// thread at a time. After a statement failed only InSavepoint's rollback or the
// end of the transaction make sense: everything else answers ABORTED.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;
  ~Transaction();

  // Replaces the set of tenants from here to the transaction's end.
  absl::Status SetTenants(const std::vector<std::string>& tenants) noexcept;

  // Runs `body` in a savepoint: undoes all it did in the database, and returns
  // its status, where that isn't OK or a deferred constraint is broken. The
  // transaction stays usable then, unless the connection is gone.
  absl::Status InSavepoint(const std::function<absl::Status()>& body) noexcept;

  // Makes all of it durable. UNKNOWN: the connection broke before the answer,
  // so it may or may not have happened; read again by the idempotency key and
  // never repeat blindly. Any other failure: nothing happened.
  absl::Status Commit() noexcept;

  // Gives up at once instead of at destruction.
  void Rollback() noexcept;

  // For storage/ only (session.h). Null once the transaction ended.
  Session* session_or_null() { return session_.get(); }

 private:
  friend class Database;
  Transaction(std::shared_ptr<ConnectionPool> pool,
              std::unique_ptr<Session> session);

  std::shared_ptr<ConnectionPool> pool_;
  // Null once the transaction ended.
  std::unique_ptr<Session> session_;
};

// Which kinds of work there are, in any tenant. What a switch or another engine
// holds up counts as there.
struct WaitingWork {
  bool has_drafts = false;
  // Past their expiry.
  bool has_due_memos = false;
  bool has_escalations = false;
  // Of jobs.
  bool has_expired_leases = false;
  // Audit entries to be sealed.
  bool has_unsealed = false;
  // Entries of limits that are past their windows.
  bool has_expired_limits = false;
};

// Thread-safe. Transactions may outlive it.
class Database {
 public:
  // Checks the URL; connects with the first Begin. `url` is a libpq URI or
  // keyword string. Parameters that only Prisma understands (pgbouncer,
  // connection_limit, pool_timeout, ...) are dropped, and `schema` becomes the
  // search path. INVALID_ARGUMENT for text that is no connection string.
  static absl::StatusOr<std::unique_ptr<Database>> Create(
      absl::string_view url, const DatabaseOptions& options) noexcept;

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Opens a transaction in one round trip. UNAVAILABLE: the server can't be
  // reached, or refuses more connections. RESOURCE_EXHAUSTED: all connections
  // stayed busy for `acquire_timeout`.
  absl::StatusOr<Transaction> Begin(const TransactionOptions& options) noexcept;

  // Asks what there is to do, in one round trip without a transaction: the one
  // query of an engine that idles. Statuses as of Begin.
  absl::StatusOr<WaitingWork> LookForWork() noexcept;

  // Refuses, with FAILED_PRECONDITION and the remedy, a role for which row
  // level security means nothing: a superuser, one with BYPASSRLS, an owner of
  // the tables; and one that is no member of intent_runtime. `intentd serve`
  // calls it before it serves.
  absl::Status CheckRuntimeRole() noexcept;

 private:
  explicit Database(std::shared_ptr<ConnectionPool> pool);

  std::shared_ptr<ConnectionPool> pool_;
};

}  // namespace sgl::storage

#endif  // STORAGE_DATABASE_H_
