// What a payload must keep to before it may be stored.

#ifndef POLICY_EVAL_PAYLOAD_BOUNDS_H_
#define POLICY_EVAL_PAYLOAD_BOUNDS_H_

#include <absl/status/status.h>
#include <absl/strings/string_view.h>

#include <cstddef>
#include <cstdint>

namespace sgl {

// Bytes of one payload. A large one is a document, to be passed by reference.
inline constexpr size_t kPayloadBytesMax = 256 * 1024;

// Objects and lists inside each other, the payload itself included. PostgreSQL
// and every JSON library in use read this deep.
inline constexpr int kPayloadDepthMax = 64;

// Digits and exponent of one number. A jsonb of `1e131071`s grows beyond 1 GB
// when it is read.
inline constexpr size_t kNumberDigitsMax = 40;
inline constexpr int64_t kNumberExponentMax = 64;

// Returns OK for a payload that may be stored and decided: a JSON object in
// UTF-8 within the bounds above and without `\u0000`, which PostgreSQL can't
// keep. Else INVALID_ARGUMENT; the message says what is wrong, where (the byte
// or the path), and what to do. Duplicate keys pass: the decision finds them
// INVALID_PAYLOAD.
absl::Status CheckPayloadBounds(absl::string_view json);

}  // namespace sgl

#endif  // POLICY_EVAL_PAYLOAD_BOUNDS_H_
