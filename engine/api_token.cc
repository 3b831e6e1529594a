#include "engine/api_token.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <openssl/rand.h>

#include "base/check.h"
#include "base/sha256.h"

namespace sgl::engine {
namespace {

constexpr size_t kTokenBytes = 32;

}  // namespace

std::string NewApiToken() {
  std::string bytes(kTokenBytes, '\0');
  // A generator without entropy is no place to make tokens from.
  SGL_CHECK_EQ(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                          static_cast<int>(bytes.size())),
               1);
  return absl::StrCat("iet_", absl::WebSafeBase64Escape(bytes));
}

std::string HashApiToken(absl::string_view token) { return Sha256Hex(token); }

}  // namespace sgl::engine
