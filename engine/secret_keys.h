// The keys that seal tokens of integrations, so that who reads the database, or
// a copy of it, reads no token: XChaCha20-Poly1305, by libsodium.
//
//   absl::StatusOr<SecretKeys> keys = SecretKeys::FromText(text_of_key_file);
//   Sealed sealed = keys->Seal(token, place);
//   absl::StatusOr<std::string> token = keys->Open(sealed, place);
//
// A key file has one key a line, base64 of 32 bytes; empty lines and those that
// start with `#` are left aside. The first key seals, all of them open: to
// change keys, put the new one first, seal anew, then take the old one out.

#ifndef ENGINE_SECRET_KEYS_H_
#define ENGINE_SECRET_KEYS_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>
#include <vector>

namespace sgl::engine {

// Where a secret belongs. What was sealed for one place opens in no other: it
// is authenticated with the sealed text.
struct SecretPlace {
  std::string tenant_id = {};
  std::string integration_id = {};
  std::string provider = {};
  // `access_token` or `refresh_token`.
  std::string field = {};
};

struct Sealed {
  std::string key_id = {};
  // The nonce, then the sealed text with its tag.
  std::string bytes = {};
};

// Immutable after construction; thread-safe.
class SecretKeys {
 public:
  // Nobody changes keys more often than tokens are sealed anew.
  static constexpr size_t kKeysMax = 8;

  // INVALID_ARGUMENT, naming the line, for what is no key; for none, for too
  // many, and for one twice. The text itself is in no message.
  static absl::StatusOr<SecretKeys> FromText(absl::string_view text);
  // Returns a line for a key file, from the system's random source.
  static std::string GenerateLine();

  // By the first key.
  Sealed Seal(absl::string_view secret, const SecretPlace& place) const;

  // FAILED_PRECONDITION: no key of this id is here, or the bytes were sealed
  // for another place, or changed since. The message says which.
  absl::StatusOr<std::string> Open(const Sealed& sealed,
                                   const SecretPlace& place) const;

  // Of the key that seals: a part of its hash, 16 hex digits.
  const std::string& current_id() const { return keys_.front().id; }

 private:
  struct Key {
    std::string id;
    // 32 bytes.
    std::string raw;
  };
  explicit SecretKeys(std::vector<Key> keys) : keys_(std::move(keys)) {}

  // At least one.
  std::vector<Key> keys_;
};

}  // namespace sgl::engine

#endif  // ENGINE_SECRET_KEYS_H_
