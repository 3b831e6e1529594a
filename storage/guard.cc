#include "storage/guard.h"

#include <absl/strings/cord.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/strip.h>

#include <new>
#include <pqxx/except>
#include <string>

#include "base/check.h"

namespace sgl::storage {
namespace {

// What Raise throws.
struct Raised {
  absl::Status status;
};

// Marks a status that came from a statement; the payload is the SQLSTATE.
constexpr char kSqlStateUrl[] = "intent-engine/sqlstate";

// The server's first line without its severity: hints and context lines may
// quote values.
absl::string_view FirstLine(absl::string_view text) {
  text = text.substr(0, text.find('\n'));
  for (absl::string_view severity : {"ERROR:", "FATAL:", "PANIC:"}) {
    absl::ConsumePrefix(&text, severity);
  }
  while (absl::ConsumePrefix(&text, " ")) {
  }
  return text;
}

absl::Status OfStatement(absl::string_view operation, absl::StatusCode code,
                         absl::string_view sqlstate,
                         absl::string_view message) {
  absl::Status status(code, absl::StrCat(operation, ": ", FirstLine(message),
                                         " [", sqlstate, "]"));
  status.SetPayload(kSqlStateUrl, absl::Cord(sqlstate));
  return status;
}

}  // namespace

void Raise(absl::Status status) {
  SGL_CHECK(!status.ok()) << "OK was raised";
  throw Raised{std::move(status)};
}

absl::StatusCode CodeOfSqlState(absl::string_view sqlstate) {
  if (sqlstate == "57014") return absl::StatusCode::kDeadlineExceeded;
  if (sqlstate == "23505") return absl::StatusCode::kAlreadyExists;
  // Lock timeout, "tuple concurrently updated" under DDL, and class 40
  // (serialization, deadlock): nothing happened, the same again may succeed.
  if (sqlstate == "55P03" || absl::StartsWith(sqlstate, "40")) {
    return absl::StatusCode::kAborted;
  }
  // The server is going, coming, full (connections, disk, memory: class 53),
  // has I/O errors (58), became a standby, or ended our idle transaction. None
  // of it is a row's fault.
  if (absl::StartsWith(sqlstate, "08") || absl::StartsWith(sqlstate, "57P") ||
      absl::StartsWith(sqlstate, "53") || absl::StartsWith(sqlstate, "58") ||
      sqlstate == "25006" || sqlstate == "25P03") {
    return absl::StatusCode::kUnavailable;
  }
  if (absl::StartsWith(sqlstate, "23")) {
    return absl::StatusCode::kFailedPrecondition;
  }
  if (absl::StartsWith(sqlstate, "22")) {
    return absl::StatusCode::kInvalidArgument;
  }
  return absl::StatusCode::kInternal;
}

std::string SqlStateOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kSqlStateUrl);
  return payload.has_value() ? std::string(*payload) : "";
}

absl::Status StatusOfException(absl::string_view operation) {
  // The order matters: serialization_failure and deadlock_detected are
  // transaction_rollbacks and no sql_errors; all are pqxx::failures.
  try {
    throw;
  } catch (const Raised& raised) {
    absl::Status status(raised.status.code(),
                        absl::StrCat(operation, ": ", raised.status.message()));
    return status;
  } catch (const pqxx::in_doubt_error& error) {
    return absl::UnknownError(absl::StrCat(
        operation, ": commit in doubt: ", FirstLine(error.what())));
  } catch (const pqxx::broken_connection& error) {
    return absl::UnavailableError(
        absl::StrCat(operation, ": ", FirstLine(error.what())));
  } catch (const pqxx::deadlock_detected& error) {
    return OfStatement(operation, absl::StatusCode::kAborted, "40P01",
                       error.what());
  } catch (const pqxx::transaction_rollback& error) {
    return OfStatement(operation, absl::StatusCode::kAborted, "40001",
                       error.what());
  } catch (const pqxx::sql_error& error) {
    return OfStatement(operation, CodeOfSqlState(error.sqlstate()),
                       error.sqlstate(), error.what());
  } catch (const pqxx::failure& error) {
    return absl::InternalError(
        absl::StrCat(operation, ": ", FirstLine(error.what())));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat(operation, ": out of memory"));
  } catch (const std::exception& error) {
    return absl::InternalError(
        absl::StrCat(operation, ": ", FirstLine(error.what())));
  } catch (...) {
    return absl::InternalError(
        absl::StrCat(operation, ": an exception of an unknown kind"));
  }
}

}  // namespace sgl::storage
