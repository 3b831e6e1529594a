#include "storage/database.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include "storage/connection_pool.h"
#include "storage/connection_url.h"
#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

absl::Status RuntimeRoleError(absl::string_view role,
                              absl::string_view problem) {
  return absl::FailedPreconditionError(absl::StrCat(
      "check the runtime role: ", "`", role, "` ", problem,
      "; let DATABASE_URL log in as a role of its own that is only a member of "
      "intent_runtime (CREATE ROLE intent_engine LOGIN PASSWORD '...' IN ROLE "
      "intent_runtime)"));
}

}  // namespace

Transaction::Transaction(std::shared_ptr<ConnectionPool> pool,
                         std::unique_ptr<Session> session)
    : pool_(std::move(pool)), session_(std::move(session)) {}

Transaction::Transaction(Transaction&&) noexcept = default;

Transaction& Transaction::operator=(Transaction&& other) noexcept {
  if (this != &other) {
    Rollback();
    pool_ = std::move(other.pool_);
    session_ = std::move(other.session_);
  }
  return *this;
}

Transaction::~Transaction() { Rollback(); }

void Transaction::Rollback() noexcept {
  if (session_ != nullptr) pool_->Return(std::move(session_));
  session_ = nullptr;
}

absl::Status Transaction::SetTenants(
    const std::vector<std::string>& tenants) noexcept {
  return Guard("set the tenants", [&] {
    OpenSession(*this).SetTenants(tenants);
    return absl::OkStatus();
  });
}

absl::Status Transaction::InSavepoint(
    const std::function<absl::Status()>& body) noexcept {
  std::vector<std::string> tenants;
  const absl::Status set = Guard("set a savepoint", [&] {
    tenants = OpenSession(*this).tenants();
    OpenSession(*this).SetSavepoint();
    return absl::OkStatus();
  });
  if (!set.ok()) return set;
  absl::Status done = body();
  if (done.ok()) {
    done = Guard("check deferred constraints", [&] {
      OpenSession(*this).CheckDeferred();
      return absl::OkStatus();
    });
  }
  const absl::Status ended = Guard("end a savepoint", [&] {
    Session& session = OpenSession(*this);
    if (done.ok()) {
      session.ReleaseSavepoint();
    } else {
      session.RollbackToSavepoint();
      session.NoteTenants(std::move(tenants));
    }
    return absl::OkStatus();
  });
  return done.ok() ? ended : done;
}

absl::Status Transaction::Commit() noexcept {
  const absl::Status committed = Guard("commit", [&] {
    OpenSession(*this).Commit();
    return absl::OkStatus();
  });
  Rollback();  // Nothing is left to roll back after a success.
  if (absl::IsUnavailable(committed)) {
    return absl::UnknownError(absl::StrCat(
        committed.message(), "; the commit may or may not have happened"));
  }
  return committed;
}

Database::Database(std::shared_ptr<ConnectionPool> pool)
    : pool_(std::move(pool)) {}

Database::~Database() = default;

absl::StatusOr<std::unique_ptr<Database>> Database::Create(
    absl::string_view url, const DatabaseOptions& options) noexcept {
  using Result = absl::StatusOr<std::unique_ptr<Database>>;
  return Guard("open the database", [&]() -> Result {
    if (options.connections_max < 1) {
      return absl::InvalidArgumentError("connections_max must be at least 1");
    }
    absl::StatusOr<ConnectionUrl> parsed =
        ParseConnectionUrl(url, options.application_name);
    if (!parsed.ok()) return parsed.status();
    return std::unique_ptr<Database>(
        new Database(std::make_shared<ConnectionPool>(
            std::move(parsed->connection_string),
            std::move(parsed->search_path), options)));
  });
}

absl::StatusOr<Transaction> Database::Begin(
    const TransactionOptions& options) noexcept {
  return Guard("begin a transaction", [&]() -> absl::StatusOr<Transaction> {
    return Transaction(pool_, pool_->Begin(options));
  });
}

absl::StatusOr<WaitingWork> Database::LookForWork() noexcept {
  return Guard("look for work", [&]() -> absl::StatusOr<WaitingWork> {
    const pqxx::result result = pool_->Ask(kLookForWorkSql);
    RowReader row(result.at(0));
    WaitingWork work;
    work.has_drafts = row.Bool();
    work.has_due_memos = row.Bool();
    work.has_escalations = row.Bool();
    work.has_expired_leases = row.Bool();
    work.has_unsealed = row.Bool();
    work.has_expired_limits = row.Bool();
    return work;
  });
}

absl::Status Database::CheckRuntimeRole() noexcept {
  absl::StatusOr<Transaction> tx = Begin({});
  if (!tx.ok()) return tx.status();
  return Guard("check the runtime role", [&]() -> absl::Status {
    RowReader row(
        OpenSession(*tx).ExecOne(kCheckRuntimeRoleSql, Args(), "role"));
    const std::string role = row.Text();
    if (!row.Bool()) {
      return absl::FailedPreconditionError(
          "check the runtime role: the database has no tables yet; run "
          "`intentctl db deploy`");
    }
    if (row.Bool()) return RuntimeRoleError(role, "is a superuser");
    if (row.Bool()) return RuntimeRoleError(role, "has BYPASSRLS");
    if (row.Bool()) return RuntimeRoleError(role, "owns the tables");
    if (row.Bool()) return RuntimeRoleError(role, "acts as intent_definer");
    if (!row.Bool()) {
      return RuntimeRoleError(role, "is no member of intent_runtime");
    }
    return absl::OkStatus();
  });
}

}  // namespace sgl::storage
