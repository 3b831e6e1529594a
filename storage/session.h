// One connection with one transaction on it, and the little language that
// operations talk to it in: Args in, RowReader out. Internal to storage/; may
// throw, so it is used below a Guard only.

#ifndef STORAGE_SESSION_H_
#define STORAGE_SESSION_H_

#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <pqxx/connection>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <span>
#include <string>
#include <vector>

#include "storage/binary_array.h"
#include "storage/database.h"
#include "storage/guard.h"

namespace sgl::storage {

// A PostgreSQL array as text, for `$n::uuid[]` and the like: one parameter for
// a column of a whole batch.
class ArrayText {
 public:
  void Add(absl::string_view element);
  void AddInt(int64_t element);
  void AddNull();
  // An empty text is null.
  void AddNullable(absl::string_view element);

  std::string Finish() const { return text_ + "}"; }

 private:
  void Separate();

  std::string text_ = "{";
};

// The parameters of one statement, in order. All travel as text; the SQL casts.
// A text with a NUL byte, which PostgreSQL can't hold and libpq would cut
// short, is refused as INVALID_ARGUMENT.
class Args {
 public:
  Args& Text(absl::string_view value);
  // An empty text is null.
  Args& Nullable(absl::string_view value);
  Args& Int(int64_t value);
  Args& OptionalInt(const std::optional<int64_t>& value);
  Args& Bool(bool value);
  Args& Array(const ArrayText& value);
  Args& TextArray(const std::vector<std::string>& values);
  // Whole microseconds since 1970.
  Args& Time(const std::optional<absl::Time>& value);
  Args& Duration(const std::optional<absl::Duration>& value);
  Args& Null();

  // Null pointers are nulls.
  const std::vector<const char*>& values() const { return values_; }

 private:
  // A deque: growing it moves no string.
  std::deque<std::string> texts_;
  std::vector<const char*> values_;
};

// Reads one row's columns from left to right. A null reads as the empty value.
class RowReader {
 public:
  explicit RowReader(const pqxx::row& row,
                     pqxx::row::size_type first_column = 0)
      : row_(row), column_(first_column) {}

  std::string Text();
  int64_t Int();
  std::optional<int64_t> OptionalInt();
  bool Bool();
  absl::Time Time();
  std::optional<absl::Time> OptionalTime();
  std::vector<std::string> TextArray();
  // Whether the next column is null; doesn't move on.
  bool NextIsNull() const;

 private:
  pqxx::field Next();

  pqxx::row row_;
  pqxx::row::size_type column_;
};

// Confined to one thread. At most one transaction at a time.
class Session {
 public:
  // Connects. Never reconnects by itself: what a connection knew is gone with
  // it, and only its user knows what that means.
  explicit Session(const std::string& connection_string);

  struct BeginOptions {
    std::vector<std::string> tenants;
    absl::Duration statement_timeout;
    absl::Duration lock_timeout;
    absl::Duration idle_timeout;
    // Empty: the role's own.
    std::string search_path;
  };
  // One round trip.
  void Begin(const BeginOptions& options);

  // Asks outside any transaction, in one round trip. $1 and $2 of the
  // statements, sent as literals, are the timeout and the search path.
  // REQUIRES: no transaction is open.
  pqxx::result Ask(const char* sql, absl::Duration statement_timeout,
                   const std::string& search_path);

  // Runs one statement with parameters. After one that failed, others raise
  // ABORTED until RollbackToSavepoint or the end.
  pqxx::result Exec(const char* sql, const Args& args = Args());

  // The same with arrays in their binary form, which are the first parameters.
  pqxx::result Exec(const char* sql, std::span<const BinaryArray* const> arrays,
                    const Args& args);

  // Like Exec, where exactly one row must come; `missing` names what isn't
  // there, for NOT_FOUND, otherwise.
  pqxx::row ExecOne(const char* sql, const Args& args,
                    absl::string_view missing);

  // Runs statements without parameters, or with them written into the text as
  // quoted literals: several in one round trip.
  pqxx::result Script(const char* sql, const Args& args = Args());

  void SetTenants(const std::vector<std::string>& tenants);
  // What a function of the database set.
  void NoteTenants(std::vector<std::string> tenants) {
    tenants_ = std::move(tenants);
  }
  const std::vector<std::string>& tenants() const { return tenants_; }
  // The one tenant of the transaction; raises FAILED_PRECONDITION where there
  // isn't exactly one.
  const std::string& OnlyTenant() const;

  void SetSavepoint();
  void RollbackToSavepoint();
  void CheckDeferred();
  void ReleaseSavepoint();

  void Commit();
  void Rollback();

  // Makes the transaction good for nothing but a rollback, as a failed
  // statement does: for what was written in part.
  void MarkFailed() { has_failed_ = true; }

  bool in_transaction() const { return transaction_.has_value(); }
  pqxx::connection& connection() { return *connection_; }

 private:
  std::unique_ptr<pqxx::connection> connection_;
  std::optional<pqxx::nontransaction> transaction_;
  std::vector<std::string> tenants_;
  // A statement failed, so that PostgreSQL refuses all but a rollback.
  bool has_failed_ = false;
};

// Raises INVALID_ARGUMENT where one of them is no UUID; returns them as the
// text of an array.
std::string TenantSetting(const std::vector<std::string>& tenants);

// Returns the session of a transaction that is still open, else raises
// FAILED_PRECONDITION.
Session& OpenSession(Transaction& tx);

}  // namespace sgl::storage

#endif  // STORAGE_SESSION_H_
