#include "engine/audit_key.h"

#include <absl/strings/escaping.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <utility>

#include "base/check.h"
#include "base/sha256.h"

namespace sgl::engine {
namespace {

constexpr size_t kRawKeyBytes = 32;
constexpr size_t kSignatureBytes = 64;
constexpr size_t kKeyIdBytes = 16;

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Key PrivateOf(const std::string& seed) {
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Bytes(seed),
                                       seed.size()));
  SGL_CHECK(key != nullptr);
  return key;
}

Key PublicOf(const std::string& raw) {
  Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(raw),
                                      raw.size()));
  SGL_CHECK(key != nullptr);
  return key;
}

Bio ReaderOf(absl::string_view pem) {
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  SGL_CHECK(bio != nullptr);
  return bio;
}

std::string TextOf(const Bio& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

// Without a question on the terminal for an encrypted key's password.
int NoPassword(char*, int, int, void*) { return -1; }

bool IsEd25519(const Key& key) {
  return key != nullptr && EVP_PKEY_id(key.get()) == EVP_PKEY_ED25519;
}

std::string RawPublic(const EVP_PKEY* key) {
  std::string raw(kRawKeyBytes, '\0');
  size_t size = raw.size();
  SGL_CHECK(EVP_PKEY_get_raw_public_key(
                key, reinterpret_cast<unsigned char*>(raw.data()), &size) == 1);
  SGL_CHECK_EQ(size, kRawKeyBytes);
  return raw;
}

}  // namespace

AuditPublicKey::AuditPublicKey(const std::string& raw)
    : raw_(raw),
      id_(absl::BytesToHexString(Sha256(raw).substr(0, kKeyIdBytes))) {}

absl::StatusOr<AuditPublicKey> AuditPublicKey::FromPem(absl::string_view pem) {
  Key key(
      PEM_read_bio_PUBKEY(ReaderOf(pem).get(), nullptr, NoPassword, nullptr));
  if (key == nullptr) {
    key.reset(PEM_read_bio_PrivateKey(ReaderOf(pem).get(), nullptr, NoPassword,
                                      nullptr));
  }
  if (!IsEd25519(key)) {
    return absl::InvalidArgumentError("this is no Ed25519 key in PEM");
  }
  return AuditPublicKey(RawPublic(key.get()));
}

bool AuditPublicKey::Verify(absl::string_view text,
                            absl::string_view signature) const {
  if (signature.size() != kSignatureBytes) return false;
  const Key key = PublicOf(raw_);
  const DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr,
                              key.get()) == 1 &&
         EVP_DigestVerify(context.get(), Bytes(signature), signature.size(),
                          Bytes(text), text.size()) == 1;
}

std::string AuditPublicKey::Pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  SGL_CHECK(PEM_write_bio_PUBKEY(bio.get(), PublicOf(raw_).get()) == 1);
  return TextOf(bio);
}

AuditKey::AuditKey(std::shared_ptr<EVP_PKEY> key)
    : key_(std::move(key)), public_key_(RawPublic(key_.get())) {}

AuditKey AuditKey::Generate() {
  std::string seed(kRawKeyBytes, '\0');
  SGL_CHECK(RAND_priv_bytes(reinterpret_cast<unsigned char*>(seed.data()),
                            static_cast<int>(seed.size())) == 1);
  return AuditKey(PrivateOf(seed));
}

absl::StatusOr<AuditKey> AuditKey::FromPem(absl::string_view pem) {
  Key key(PEM_read_bio_PrivateKey(ReaderOf(pem).get(), nullptr, NoPassword,
                                  nullptr));
  if (!IsEd25519(key)) {
    return absl::InvalidArgumentError(
        "this is no private Ed25519 key in PEM; `intentctl audit keygen` makes "
        "one");
  }
  return AuditKey(std::move(key));
}

std::string AuditKey::Sign(absl::string_view text) const {
  const DigestContext context(EVP_MD_CTX_new());
  std::string signature(kSignatureBytes, '\0');
  size_t size = signature.size();
  SGL_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr,
                               key_.get()) == 1);
  SGL_CHECK(EVP_DigestSign(context.get(),
                           reinterpret_cast<unsigned char*>(signature.data()),
                           &size, Bytes(text), text.size()) == 1);
  SGL_CHECK_EQ(size, kSignatureBytes);
  return signature;
}

std::string AuditKey::Pem() const {
  const Bio bio(BIO_new(BIO_s_mem()));
  SGL_CHECK(PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0,
                                     nullptr, nullptr) == 1);
  return TextOf(bio);
}

}  // namespace sgl::engine
