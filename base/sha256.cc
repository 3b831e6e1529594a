#include "base/sha256.h"

#include <absl/strings/escaping.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "base/check.h"

namespace sgl {
namespace {

// OpenSSL's one-call functions look the algorithm up, under a lock, for each
// hash: for short texts that is half of the time.
const EVP_MD* Algorithm() {
  static const EVP_MD* const kFetched =
      EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kFetched;
}

}  // namespace

std::string Sha256(absl::string_view bytes) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SGL_CHECK(EVP_Digest(bytes.data(), bytes.size(),
                       reinterpret_cast<unsigned char*>(hash.data()), nullptr,
                       Algorithm(), nullptr) == 1);
  return hash;
}

std::string Sha256Hex(absl::string_view bytes) {
  return absl::BytesToHexString(Sha256(bytes));
}

}  // namespace sgl
