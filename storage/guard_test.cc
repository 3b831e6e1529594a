// Proves the table of README.md: what each failure of the database becomes,
// row by row. Exceptions are made by hand here; tests/storage provokes the
// real ones.

#include "storage/guard.h"

#include <absl/status/statusor.h>
#include <gtest/gtest.h>

#include <functional>
#include <new>
#include <pqxx/except>
#include <stdexcept>
#include <string>
#include <vector>

namespace sgl::storage {
namespace {

struct Row {
  std::string name;
  std::function<void()> fail;
  absl::StatusCode code;
  std::string message;
};

std::function<void()> Sql(const std::string& sqlstate) {
  return [sqlstate] {
    throw pqxx::sql_error("ERROR:  it broke\nDETAIL:  (id)=(7)", "SELECT 1",
                          sqlstate.c_str());
  };
}

std::vector<Row> Table() {
  using enum absl::StatusCode;
  return {
      {"not connected",
       [] { throw pqxx::broken_connection("connection refused\nhint"); },
       kUnavailable, "work: connection refused"},
      {"too many connections",
       [] { throw pqxx::too_many_connections("too many clients"); },
       kUnavailable, "work: too many clients"},
      {"the server shuts down", Sql("57P01"), kUnavailable,
       "work: it broke [57P01]"},
      {"idle in transaction too long", Sql("25P03"), kUnavailable,
       "work: it broke [25P03]"},
      {"disk full", Sql("53100"), kUnavailable, "work: it broke [53100]"},
      {"I/O error", Sql("58030"), kUnavailable, "work: it broke [58030]"},
      {"a standby", Sql("25006"), kUnavailable, "work: it broke [25006]"},
      {"serialization",
       [] { throw pqxx::serialization_failure("ERROR:  could not serialize"); },
       kAborted, "work: could not serialize [40001]"},
      {"deadlock",
       [] { throw pqxx::deadlock_detected("ERROR:  deadlock detected"); },
       kAborted, "work: deadlock detected [40P01]"},
      {"lock timeout", Sql("55P03"), kAborted, "work: it broke [55P03]"},
      {"commit in doubt", [] { throw pqxx::in_doubt_error("lost"); }, kUnknown,
       "work: commit in doubt: lost"},
      {"unique",
       [] {
         throw pqxx::unique_violation("ERROR:  duplicate key", "q", "23505");
       },
       kAlreadyExists, "work: duplicate key [23505]"},
      {"check",
       [] { throw pqxx::check_violation("ERROR:  check", "q", "23514"); },
       kFailedPrecondition, "work: check [23514]"},
      {"foreign key", Sql("23503"), kFailedPrecondition,
       "work: it broke [23503]"},
      {"not null", Sql("23502"), kFailedPrecondition, "work: it broke [23502]"},
      {"append-only", Sql("23001"), kFailedPrecondition,
       "work: it broke [23001]"},
      {"statement timeout", Sql("57014"), kDeadlineExceeded,
       "work: it broke [57014]"},
      {"a value that can't be stored", Sql("22P05"), kInvalidArgument,
       "work: it broke [22P05]"},
      {"row security", Sql("42501"), kInternal, "work: it broke [42501]"},
      {"syntax",
       [] { throw pqxx::syntax_error("ERROR:  syntax", "q", "42601", 1); },
       kInternal, "work: syntax [42601]"},
      {"misuse of libpqxx", [] { throw pqxx::usage_error("misused"); },
       kInternal, "work: misused"},
      {"out of memory", [] { throw std::bad_alloc(); }, kResourceExhausted,
       "work: out of memory"},
      {"something else", [] { throw 7; }, kInternal,
       "work: an exception of an unknown kind"},
      {"raised", [] { Raise(absl::NotFoundError("there is no intent x")); },
       kNotFound, "work: there is no intent x"},
  };
}

TEST(GuardTest, EveryFailureHasItsCode) {
  for (const Row& row : Table()) {
    SCOPED_TRACE(row.name);
    const absl::Status status = Guard("work", [&] {
      row.fail();
      return absl::OkStatus();
    });
    EXPECT_EQ(status.code(), row.code) << status;
    EXPECT_EQ(status.message(), row.message);
  }
}

TEST(GuardTest, KeepsTheSqlState) {
  const absl::Status status = Guard("work", [] {
    Sql("23514")();
    return absl::OkStatus();
  });
  EXPECT_EQ(SqlStateOf(status), "23514");
  EXPECT_EQ(SqlStateOf(absl::InternalError("ends with [23514]")), "");
}

TEST(GuardTest, HandsValuesAndStatusesOn) {
  const absl::StatusOr<int> seven =
      Guard("work", []() -> absl::StatusOr<int> { return 7; });
  EXPECT_EQ(*seven, 7);
  const absl::StatusOr<int> refused = Guard(
      "work",
      []() -> absl::StatusOr<int> { return absl::AbortedError("as it is"); });
  EXPECT_EQ(refused.status(), absl::AbortedError("as it is"));
}

}  // namespace
}  // namespace sgl::storage
