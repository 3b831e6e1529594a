#include "storage/connection_pool.h"

#include <absl/cleanup/cleanup.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <utility>

#include "storage/guard.h"

namespace sgl::storage {
namespace {

absl::Duration Shorter(absl::Duration own, absl::Duration wanted) {
  return wanted <= absl::ZeroDuration() ? own : std::min(own, wanted);
}

}  // namespace

ConnectionPool::ConnectionPool(std::string connection_string,
                               std::string search_path,
                               const DatabaseOptions& options)
    : connection_string_(std::move(connection_string)),
      search_path_(std::move(search_path)),
      options_(options) {}

std::unique_ptr<Session> ConnectionPool::TakePlace() {
  MutexLock lock(mutex_);
  const auto has_place = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return HasPlace();
  };
  if (!mutex_.AwaitFor(has_place, options_.acquire_timeout)) {
    Raise(absl::ResourceExhaustedError(absl::StrCat(
        "all ", options_.connections_max, " database connections are busy")));
  }
  ++in_use_;
  if (idle_.empty()) return nullptr;
  std::unique_ptr<Session> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void ConnectionPool::GivePlaceBack(std::unique_ptr<Session> session_or_null) {
  MutexLock lock(mutex_);
  --in_use_;
  if (session_or_null != nullptr) idle_.push_back(std::move(session_or_null));
}

std::unique_ptr<Session> ConnectionPool::Begin(
    const TransactionOptions& options) {
  const Session::BeginOptions begin = {
      .tenants = options.tenants,
      .statement_timeout =
          Shorter(options_.statement_timeout, options.statement_timeout),
      .lock_timeout =
          Shorter(Shorter(options_.lock_timeout, options.statement_timeout),
                  options.lock_timeout),
      .idle_timeout = options_.idle_timeout,
      .search_path = search_path_,
  };
  TenantSetting(options.tenants);  // Raises before a place is taken.
  return Open([&](Session& session) { session.Begin(begin); });
}

pqxx::result ConnectionPool::Ask(const char* sql) {
  pqxx::result result;
  Return(Open([&](Session& session) {
    result = session.Ask(sql, options_.statement_timeout, search_path_);
  }));
  return result;
}

std::unique_ptr<Session> ConnectionPool::Open(
    const std::function<void(Session&)>& open) {
  std::unique_ptr<Session> session = TakePlace();
  absl::Cleanup give_back = [&] { GivePlaceBack(nullptr); };
  if (session != nullptr) {
    const absl::Status opened = Guard("begin", [&] {
      open(*session);
      return absl::OkStatus();
    });
    if (!opened.ok() && opened.code() != absl::StatusCode::kUnavailable) {
      Raise(opened);
    }
    // A restart of the server kills all that were kept: those behind this one
    // are as dead, and each is found out when its turn comes.
    if (!opened.ok()) session = nullptr;
  }
  if (session == nullptr) {
    session = std::make_unique<Session>(connection_string_);
    open(*session);
  }
  std::move(give_back).Cancel();
  return session;
}

void ConnectionPool::Return(std::unique_ptr<Session> session) noexcept {
  if (session->in_transaction()) {
    const absl::Status rolled_back = Guard("roll back", [&] {
      session->Rollback();
      return absl::OkStatus();
    });
    if (!rolled_back.ok()) session = nullptr;
  }
  if (session != nullptr && !session->connection().is_open()) {
    session = nullptr;
  }
  GivePlaceBack(std::move(session));
}

}  // namespace sgl::storage
