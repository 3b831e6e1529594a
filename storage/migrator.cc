#include "storage/migrator.h"

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/time/clock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/sha256.h"
#include "storage/connection_url.h"
#include "storage/guard.h"
#include "storage/queries.h"
#include "storage/session.h"

namespace sgl::storage {
namespace {

constexpr char kApplicationName[] = "intent-engine migrations";

// Deploys of other databases of the cluster make the same roles at the same
// time; the catalog then says that a tuple was concurrently updated, and the
// same again succeeds.
constexpr int kTriesMax = 10;
constexpr absl::Duration kRetryPause = absl::Milliseconds(50);

// Runs `body` in a transaction of its own, in the schema to work on, with no
// time limit and, where `alone`, no other deploy beside it.
template <typename Body>
absl::Status WithTransaction(absl::string_view direct_url,
                             absl::string_view operation, bool alone,
                             Body&& body) noexcept {
  const absl::StatusOr<ConnectionUrl> url =
      ParseConnectionUrl(direct_url, kApplicationName);
  if (!url.ok()) return url.status();
  return Guard(operation, [&] {
    Session session(url->connection_string);
    session.Begin({});
    session.Exec(kMigrationsPrepareSql, Args().Text(url->search_path));
    if (alone) session.Exec(kMigrationsLockSql);
    if (alone && !url->search_path.empty()) {
      session.Script(kMigrationsCreateSchemaSql);
    }
    body(session);
    session.Commit();
    return absl::OkStatus();
  });
}

bool MayRetry(const absl::Status& status) {
  const std::string sqlstate = SqlStateOf(status);
  return absl::IsAborted(status) || sqlstate == "XX000" ||
         sqlstate == "23505" || sqlstate == "42710";
}

// Returns name and hash of what is applied.
absl::flat_hash_map<std::string, std::string> ReadApplied(Session& session) {
  absl::flat_hash_map<std::string, std::string> applied;
  const bool exists = session.Exec(kMigrationsTableExistsSql)[0][0].as<bool>();
  if (!exists) return applied;
  for (const pqxx::row& row : session.Exec(kMigrationsAppliedSql)) {
    applied.emplace(row[0].c_str(), row[1].c_str());
  }
  return applied;
}

// Raises FAILED_PRECONDITION unless what is applied is what these migrations
// say.
void CheckApplied(const absl::flat_hash_map<std::string, std::string>& applied,
                  std::span<const Migration> migrations) {
  absl::flat_hash_set<absl::string_view> known;
  for (const Migration& migration : migrations) {
    known.insert(migration.name);
    const auto found = applied.find(migration.name);
    if (found == applied.end()) continue;
    if (found->second != Sha256Hex(migration.sql)) {
      Raise(absl::FailedPreconditionError(absl::StrCat(
          "the migration `", migration.name,
          "` was edited after it was applied here; put its text back and make "
          "the change in a new migration")));
    }
  }
  for (const auto& [name, sha256] : applied) {
    if (known.contains(name)) continue;
    Raise(absl::FailedPreconditionError(
        absl::StrCat("the database has the migration `", name,
                     "`, which this build doesn't know; use the newer build")));
  }
}

// Applies the first pending one; returns its name, or nothing.
std::string ApplyNext(Session& session, std::span<const Migration> migrations) {
  session.Exec(kMigrationsCreateTableSql);
  const auto applied = ReadApplied(session);
  CheckApplied(applied, migrations);
  for (const Migration& migration : migrations) {
    if (applied.contains(migration.name)) continue;
    const absl::Status run = Guard(migration.name, [&] {
      session.Script(migration.sql.c_str());
      return absl::OkStatus();
    });
    if (!run.ok()) Raise(run);
    session.Exec(kMigrationsRecordSql,
                 Args().Text(migration.name).Text(Sha256Hex(migration.sql)));
    return migration.name;
  }
  return "";
}

absl::StatusOr<std::string> ApplyNextWithRetries(
    absl::string_view direct_url, std::span<const Migration> migrations) {
  absl::Status status;
  for (int attempt = 0; attempt < kTriesMax; ++attempt) {
    if (attempt > 0) absl::SleepFor(kRetryPause);
    std::string applied;
    status = WithTransaction(
        direct_url, "deploy", /*alone=*/true,
        [&](Session& session) { applied = ApplyNext(session, migrations); });
    if (status.ok()) return applied;
    if (!MayRetry(status)) break;
  }
  return status;
}

absl::Status RunForRole(absl::string_view direct_url,
                        absl::string_view operation, const std::string& role,
                        const char* sql) noexcept {
  absl::Status status;
  for (int attempt = 0; attempt < kTriesMax; ++attempt) {
    if (attempt > 0) absl::SleepFor(kRetryPause);
    status = WithTransaction(
        direct_url, operation, /*alone=*/true, [&](Session& session) {
          session.Exec(kSetRoleArgumentSql, Args().Text(role));
          session.Script(sql);
        });
    if (status.ok() || !MayRetry(status)) break;
  }
  return status;
}

bool IsMigrationName(absl::string_view name) {
  return !name.empty() && name.size() <= 80 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
         });
}

// Returns one more than the greatest number that a file in there starts with.
int NextNumber(const std::filesystem::path& folder) {
  int next = 1;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    int number = 0;
    if (entry.path().extension() == ".sql" && name.size() > 4 &&
        absl::SimpleAtoi(name.substr(0, 4), &number)) {
      next = std::max(next, number + 1);
    }
  }
  return next;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> Deploy(
    absl::string_view direct_url) noexcept {
  return DeployMigrations(direct_url, BuiltInMigrations());
}

absl::StatusOr<std::vector<std::string>> DeployMigrations(
    absl::string_view direct_url,
    std::span<const Migration> migrations) noexcept {
  std::vector<std::string> all;
  while (true) {
    absl::StatusOr<std::string> applied =
        ApplyNextWithRetries(direct_url, migrations);
    if (!applied.ok()) return applied.status();
    if (applied->empty()) return all;
    all.push_back(*std::move(applied));
  }
}

absl::StatusOr<std::vector<MigrationState>> MigrationStatus(
    absl::string_view direct_url) noexcept {
  std::vector<MigrationState> states;
  const absl::Status read = WithTransaction(
      direct_url, "read the migrations", /*alone=*/false,
      [&](Session& session) {
        const auto applied = ReadApplied(session);
        CheckApplied(applied, BuiltInMigrations());
        for (const Migration& migration : BuiltInMigrations()) {
          states.push_back({.name = migration.name,
                            .applied = applied.contains(migration.name)});
        }
      });
  if (!read.ok()) return read;
  return states;
}

absl::Status Reset(absl::string_view direct_url) noexcept {
  const absl::Status dropped =
      WithTransaction(direct_url, "reset", /*alone=*/true,
                      [](Session& session) { session.Script(kResetSql); });
  return dropped.ok() ? Deploy(direct_url).status() : dropped;
}

absl::StatusOr<std::string> CreateMigration(const std::string& folder,
                                            const std::string& name) noexcept {
  return Guard("create a migration", [&]() -> absl::StatusOr<std::string> {
    if (!IsMigrationName(name)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "create a migration: `", name,
          "` is no name for one; use lower-case letters, digits and `_`"));
    }
    const std::filesystem::path path =
        std::filesystem::path(folder) /
        absl::StrFormat("%04d_%s.sql", NextNumber(folder), name);
    std::ofstream file(path);
    file << "-- What this changes, and why.\n";
    file.close();
    if (!file) {
      return absl::FailedPreconditionError(absl::StrCat(
          "create a migration: `", path.string(), "` can't be written"));
    }
    return path.string();
  });
}

absl::Status GrantRuntime(absl::string_view direct_url,
                          const std::string& login_role) noexcept {
  return RunForRole(direct_url, "grant the runtime role", login_role,
                    kGrantRuntimeSql);
}

absl::Status AdoptWriter(absl::string_view direct_url,
                         const std::string& role) noexcept {
  return RunForRole(direct_url, "adopt a writer", role, kAdoptWriterSql);
}

}  // namespace sgl::storage
