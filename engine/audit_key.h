// The key that signs the heads of audit logs: Ed25519, by OpenSSL, in PEM
// files. Whoever holds the private one can sign a forged log, so it lives
// where the database's administrators can't read it; the public one is for
// everybody.

#ifndef ENGINE_AUDIT_KEY_H_
#define ENGINE_AUDIT_KEY_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <memory>
#include <string>

// OpenSSL's key.
struct evp_pkey_st;

namespace sgl::engine {

// Immutable after construction; thread-safe.
class AuditPublicKey {
 public:
  // Reads a public key, or takes it from a private one. INVALID_ARGUMENT for
  // text that is no Ed25519 key in PEM.
  static absl::StatusOr<AuditPublicKey> FromPem(absl::string_view pem);

  bool Verify(absl::string_view text, absl::string_view signature) const;
  // Returns the key in PEM.
  std::string Pem() const;
  // The first half of the SHA-256 of the raw key, in hex.
  const std::string& id() const { return id_; }

 private:
  friend class AuditKey;
  explicit AuditPublicKey(const std::string& raw);

  // 32 bytes.
  std::string raw_;
  std::string id_;
};

// Immutable after construction; thread-safe.
class AuditKey {
 public:
  // Makes a new one, from the system's random source.
  static AuditKey Generate();
  // Reads a private key. INVALID_ARGUMENT for text that is none of Ed25519.
  static absl::StatusOr<AuditKey> FromPem(absl::string_view pem);

  // Returns the 64 bytes of the signature.
  std::string Sign(absl::string_view text) const;
  // Returns the private key in PEM (PKCS #8, not encrypted).
  std::string Pem() const;
  const AuditPublicKey& public_key() const { return public_key_; }

 private:
  explicit AuditKey(std::shared_ptr<evp_pkey_st> key);

  // Made once: that takes as long as a signature.
  std::shared_ptr<evp_pkey_st> key_;
  AuditPublicKey public_key_;
};

}  // namespace sgl::engine

#endif  // ENGINE_AUDIT_KEY_H_
