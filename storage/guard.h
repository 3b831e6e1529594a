// The exception wall: what libpqxx and the standard library throw becomes an
// absl::Status here, and nowhere else. Internal to storage/.
//
// Every public operation of the storage layer is noexcept and its body is one
// call of Guard:
//
//   absl::StatusOr<bool> EngineEnabled(Transaction& tx) noexcept {
//     return Guard("read the kill switch", [&]() -> absl::StatusOr<bool> {
//       ... pqxx calls, which may throw ...
//     });
//   }
//
// README.md has the table of what becomes which code.

#ifndef STORAGE_GUARD_H_
#define STORAGE_GUARD_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <string>
#include <type_traits>
#include <utility>

namespace sgl::storage {

// Leaves the guarded body with this status: how a helper deep in it says, for
// example, NOT_FOUND. REQUIRES: `status` is not OK; called below a Guard.
[[noreturn]] void Raise(absl::Status status);

// Returns what the exception in flight means, prefixed with the operation's
// name. REQUIRES: called in a catch clause.
absl::Status StatusOfException(absl::string_view operation);

// Returns what the SQLSTATE of a failed statement means.
absl::StatusCode CodeOfSqlState(absl::string_view sqlstate);

// Returns the SQLSTATE that a status of Guard came from; empty where it didn't
// come from a statement.
std::string SqlStateOf(const absl::Status& status);

// Runs `body`, which returns a Status or a StatusOr, and turns whatever it
// throws into that.
template <typename Body>
std::invoke_result_t<Body> Guard(absl::string_view operation,
                                 Body&& body) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (...) {
    return StatusOfException(operation);
  }
}

}  // namespace sgl::storage

#endif  // STORAGE_GUARD_H_
