// A PostgreSQL server of one's own: what `intentd dev`, the quickstart and the
// tests run on. The cluster lives in a folder of the caller's, listens on a
// unix socket in there and on no network address, and never runs as root.
//
//   absl::StatusOr<std::unique_ptr<PrivatePostgres>> server =
//       PrivatePostgres::Start({.data_dir = "/srv/intent"});
//   if (!server.ok()) return server.status();
//   Use((*server)->Url("intent", "postgres"));
//
// Called by root, the server runs as the system user `postgres`. That user
// must be able to reach the data folder; where it can't (a folder below a
// private home, say) or where the socket's path would be too long for the
// kernel, the cluster is put below /var/tmp and the folder remembers where.

#ifndef STORAGE_PRIVATE_POSTGRES_H_
#define STORAGE_PRIVATE_POSTGRES_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <string>
#include <vector>

namespace sgl::storage {

struct PrivatePostgresOptions {
  // Created where it is missing. Holds one cluster.
  std::string data_dir;
  // Where initdb, pg_ctl and postgres are; empty: what INTENT_POSTGRES_BIN
  // names, and without that the newest version below /usr/lib/postgresql, or
  // the one that made the cluster.
  std::string bin_dir = {};
  // Off only where the data may be lost with the machine: in tests.
  bool durable = true;
  // The server ends with the thread that starts it, however that one ends.
  // Off: it goes on after a crash of ours and the next Start takes it over.
  bool ends_with_caller = false;
  // Further settings, each `name=value`.
  std::vector<std::string> settings = {};
};

// A running server. Not thread-safe; its URLs are.
class PrivatePostgres {
 public:
  // Makes the cluster on first use, then starts it, or takes over the server
  // that still runs in `data_dir`. Takes about 2 s the first time.
  //
  // NOT_FOUND: PostgreSQL is not installed. FAILED_PRECONDITION: the folder, or
  // that of the programs, can't be used. INTERNAL: initdb or the server failed;
  // the message carries the end of its output. DEADLINE_EXCEEDED: not ready
  // within a minute.
  static absl::StatusOr<std::unique_ptr<PrivatePostgres>> Start(
      const PrivatePostgresOptions& options) noexcept;

  // Leaves the server running unless Stop was called (a server that
  // `ends_with_caller` is stopped).
  ~PrivatePostgres();

  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;

  // Disconnects everybody and stops the server. Calling it again does
  // nothing.
  absl::Status Stop() noexcept;

  // Returns a libpq URL for `database` as `user`. No password is needed: the
  // socket's folder lets only the server's user (and root) in.
  std::string Url(absl::string_view database, absl::string_view user) const;

  // Whether a server of an earlier process was taken over.
  bool was_running() const { return was_running_; }
  const std::string& socket_dir() const { return socket_dir_; }

 private:
  PrivatePostgres() = default;

  absl::Status Locate(const PrivatePostgresOptions& options);
  absl::Status Initialize(const PrivatePostgresOptions& options);
  absl::Status Launch(const PrivatePostgresOptions& options);
  absl::Status AwaitReady();
  bool IsRunning() const;

  std::string bin_dir_;
  // Holds cluster/, socket/ and server.log; belongs to the server's user.
  std::string home_dir_;
  std::string socket_dir_;
  // The user to run as; empty: whoever calls.
  std::string user_;
  bool was_running_ = false;
  bool ends_with_caller_ = false;
  bool is_stopped_ = false;
  // The server's process where it is our child, else 0.
  int child_pid_ = 0;
};

}  // namespace sgl::storage

#endif  // STORAGE_PRIVATE_POSTGRES_H_
