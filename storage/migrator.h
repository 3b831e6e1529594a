// The schema's way forward: numbered SQL files, compiled in, each applied once
// and in its own transaction. All on DIRECT_URL.
//
// The role needs CREATEROLE (two NOLOGIN roles are made, once a cluster) and
// must be able to create tables in its schema; it becomes their owner.

#ifndef STORAGE_MIGRATOR_H_
#define STORAGE_MIGRATOR_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <span>
#include <string>
#include <vector>

namespace sgl::storage {

struct Migration {
  // `0001_tables`: the file's name without `.sql`.
  std::string name;
  std::string sql;
};

struct MigrationState {
  std::string name;
  bool applied = false;
};

// Returns the migrations of this build, in order.
const std::vector<Migration>& BuiltInMigrations();

// Applies what is pending; returns the names of what it applied. Safe to call
// from two places at once: the second waits, then finds nothing to do.
// FAILED_PRECONDITION: an applied migration was edited since or is unknown to
// this build (its name and the remedy are named); nothing is applied then.
absl::StatusOr<std::vector<std::string>> Deploy(
    absl::string_view direct_url) noexcept;

// The same for migrations of one's own; tests use it.
absl::StatusOr<std::vector<std::string>> DeployMigrations(
    absl::string_view direct_url,
    std::span<const Migration> migrations) noexcept;

// Returns each migration of this build with whether it is applied.
absl::StatusOr<std::vector<MigrationState>> MigrationStatus(
    absl::string_view direct_url) noexcept;

// Drops everything that migrations made in this database, and all rows with
// it, then deploys anew. The roles stay: other databases may use them.
absl::Status Reset(absl::string_view direct_url) noexcept;

// Writes `folder/NNNN_name.sql` with the next free number; returns its path.
// INVALID_ARGUMENT: a name of other than lower-case letters, digits and `_`.
absl::StatusOr<std::string> CreateMigration(const std::string& folder,
                                            const std::string& name) noexcept;

// Makes `login_role` a member of intent_runtime: what DATABASE_URL logs in as.
absl::Status GrantRuntime(absl::string_view direct_url,
                          const std::string& login_role) noexcept;

// Lets `role` go on reading and writing the tables of the data model for any
// tenant without setting one, as writers that were there before the engine do:
// a named policy (`writer_<role>`) on each, and the grants. The audit log stays
// append-only and policy sets stay closed. Twice is fine.
absl::Status AdoptWriter(absl::string_view direct_url,
                         const std::string& role) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_MIGRATOR_H_
