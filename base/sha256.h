// SHA-256 (FIPS 180-4) over bytes, by OpenSSL: policy digests, payload hashes
// and stored token hashes.

#ifndef BASE_SHA256_H_
#define BASE_SHA256_H_

#include <absl/strings/string_view.h>

#include <string>

namespace sgl {

// Returns the 32 raw bytes of the hash.
std::string Sha256(absl::string_view bytes);

// Returns the hash as 64 lower-case hex digits.
std::string Sha256Hex(absl::string_view bytes);

}  // namespace sgl

#endif  // BASE_SHA256_H_
