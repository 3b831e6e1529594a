#include "engine/secret_keys.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>
#include <sodium.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"

namespace sgl::engine {
namespace {

constexpr size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr size_t kIdDigits = 16;

// libsodium wants to be told once; it says so itself where it was already.
void Start() { SGL_CHECK(sodium_init() >= 0) << "libsodium does not start"; }

const unsigned char* In(absl::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* Out(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// What is authenticated with a secret. Only the last part is anybody's to
// choose, so that no two places have the same text.
std::string AssociatedData(const SecretPlace& place) {
  return absl::StrCat("intent-engine secret 1\n", place.field, "\n",
                      place.tenant_id, "\n", place.integration_id, "\n",
                      place.provider);
}

std::string IdOf(absl::string_view raw) {
  return Sha256Hex(absl::StrCat("intent-engine secrets key\n", raw))
      .substr(0, kIdDigits);
}

}  // namespace

absl::StatusOr<SecretKeys> SecretKeys::FromText(absl::string_view text) {
  Start();
  std::vector<Key> keys;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    Key key;
    if (!absl::Base64Unescape(line, &key.raw) || key.raw.size() != kKeyBytes) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " is no key: ", kKeyBytes,
                       " bytes in base64, as `intentctl secrets generate-key` "
                       "prints them"));
    }
    key.id = IdOf(key.raw);
    if (std::any_of(keys.begin(), keys.end(),
                    [&](const Key& other) { return other.id == key.id; })) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " has a key that was there before"));
    }
    keys.push_back(std::move(key));
  }
  if (keys.empty()) {
    return absl::InvalidArgumentError(
        "there is no key; `intentctl secrets generate-key` prints one");
  }
  if (keys.size() > kKeysMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(keys.size(), " keys; at most ", kKeysMax,
                     " are allowed: `intentctl secrets rotate`, then take out "
                     "all but the first"));
  }
  return SecretKeys(std::move(keys));
}

std::string SecretKeys::GenerateLine() {
  Start();
  std::string raw(kKeyBytes, '\0');
  randombytes_buf(raw.data(), raw.size());
  return absl::Base64Escape(raw);
}

Sealed SecretKeys::Seal(absl::string_view secret,
                        const SecretPlace& place) const {
  const Key& key = keys_.front();
  const std::string data = AssociatedData(place);
  std::string bytes(kNonceBytes + secret.size() + kTagBytes, '\0');
  randombytes_buf(bytes.data(), kNonceBytes);
  unsigned long long size = 0;  // NOLINT(google-runtime-int): libsodium's type
  const int failed = crypto_aead_xchacha20poly1305_ietf_encrypt(
      Out(bytes) + kNonceBytes, &size, In(secret), secret.size(), In(data),
      data.size(), nullptr, In(bytes), In(key.raw));
  SGL_CHECK(failed == 0 && size == secret.size() + kTagBytes);
  return {.key_id = key.id, .bytes = std::move(bytes)};
}

absl::StatusOr<std::string> SecretKeys::Open(const Sealed& sealed,
                                             const SecretPlace& place) const {
  const auto key =
      std::find_if(keys_.begin(), keys_.end(),
                   [&](const Key& one) { return one.id == sealed.key_id; });
  if (key == keys_.end()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "it was sealed by the key ", sealed.key_id, ", and here is ",
        absl::StrJoin(keys_, ", ",
                      [](std::string* out, const Key& one) {
                        absl::StrAppend(out, one.id);
                      }),
        "; put that key into the file too"));
  }
  const std::string data = AssociatedData(place);
  if (sealed.bytes.size() >= kNonceBytes + kTagBytes) {
    std::string secret(sealed.bytes.size() - kNonceBytes - kTagBytes, '\0');
    unsigned long long size = 0;  // NOLINT(google-runtime-int): as above
    const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
        Out(secret), &size, nullptr, In(sealed.bytes) + kNonceBytes,
        sealed.bytes.size() - kNonceBytes, In(data), data.size(),
        In(sealed.bytes), In(key->raw));
    if (failed == 0) return secret;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("it was changed since it was sealed, or it was sealed for "
                   "another tenant or integration; set it again"));
}

}  // namespace sgl::engine
