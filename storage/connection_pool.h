// Connections kept for reuse. Internal to storage/.
//
// The last one returned is the first one given out, so that a quiet engine
// holds few connections warm. What comes back with a transaction that can't be
// rolled back is closed.

#ifndef STORAGE_CONNECTION_POOL_H_
#define STORAGE_CONNECTION_POOL_H_

#include <absl/base/thread_annotations.h>

#include <functional>
#include <memory>
#include <pqxx/result>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "storage/database.h"
#include "storage/session.h"

namespace sgl::storage {

// Thread-safe. Its functions may throw; use them below a Guard.
class ConnectionPool {
 public:
  ConnectionPool(std::string connection_string, std::string search_path,
                 const DatabaseOptions& options);
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // Returns a session with an open transaction.
  std::unique_ptr<Session> Begin(const TransactionOptions& options);

  // Asks one question outside any transaction, of the database as a whole. The
  // statement's $1 is its timeout, $2 the search path.
  pqxx::result Ask(const char* sql);

  // Takes a session back; rolls back what is open on it. Never throws.
  void Return(std::unique_ptr<Session> session) noexcept;

 private:
  // Waits for a free place; returns a kept session, or null where the caller
  // connects a new one.
  std::unique_ptr<Session> TakePlace() ABSL_LOCKS_EXCLUDED(mutex_);
  void GivePlaceBack(std::unique_ptr<Session> session_or_null)
      ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasPlace() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return in_use_ < options_.connections_max;
  }

  // Returns a session on which `open` was done. A kept connection that proves
  // dead is replaced: nothing was done on it yet.
  std::unique_ptr<Session> Open(const std::function<void(Session&)>& open)
      ABSL_LOCKS_EXCLUDED(mutex_);

  const std::string connection_string_;
  const std::string search_path_;
  const DatabaseOptions options_;

  Mutex mutex_;
  std::vector<std::unique_ptr<Session>> idle_ ABSL_GUARDED_BY(mutex_);
  int in_use_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sgl::storage

#endif  // STORAGE_CONNECTION_POOL_H_
