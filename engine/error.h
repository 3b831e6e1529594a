// Refusals that callers read: an absl::Status with a stable reason and, for
// bad input, the fields at fault.
//
//   return Refusal(absl::StatusCode::kAborted, "STALE_REVISION",
//                  "the memo is at revision 2; read it again");
//   return BadField("payload_sha256", "64 lower-case hex digits are required");
//
// A status made here is meant for the caller, word for word. Every other
// status (storage's, above all) holds internals: the gRPC edge answers it by
// its code alone and logs the rest.

#ifndef ENGINE_ERROR_H_
#define ENGINE_ERROR_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <string>
#include <vector>

namespace sgl::engine {

// One field of a request that can't be used as it is.
struct FieldError {
  // Path in the request message, such as `payload` or `filter.status`.
  std::string field;
  // What is wrong and what to do.
  std::string description;
};

// Returns a status for the caller. `reason` is UPPER_SNAKE_CASE and stable.
absl::Status Refusal(absl::StatusCode code, absl::string_view reason,
                     absl::string_view message);

// Returns INVALID_ARGUMENT with reason BAD_REQUEST naming the fields: the first
// ten, each cut to what a status has room for, and how many more there are.
// REQUIRES: `fields` is not empty.
absl::Status BadFields(const std::vector<FieldError>& fields);
absl::Status BadField(absl::string_view field, absl::string_view description);

// Returns the reason that the status was made with; empty where it was not
// made by the functions above.
std::string ReasonOf(const absl::Status& status);

// Returns the fields of a status made by BadFields; else none.
std::vector<FieldError> FieldErrorsOf(const absl::Status& status);

// Returns whether trying the same again, a little later, may succeed:
// UNAVAILABLE, ABORTED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED and UNKNOWN (a
// commit in doubt, read again by its key).
bool IsTransient(const absl::Status& status);

}  // namespace sgl::engine

#endif  // ENGINE_ERROR_H_
