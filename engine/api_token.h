// API tokens: what callers put behind `authorization: Bearer`.
//
// 256 random bits, so that a plain SHA-256 is enough to keep: there is nothing
// to guess that a slow hash would have to protect. The prefix lets secret
// scanners find a token that leaked.

#ifndef ENGINE_API_TOKEN_H_
#define ENGINE_API_TOKEN_H_

#include <absl/strings/string_view.h>

#include <string>

namespace sgl::engine {

// Returns a new token: `iet_` and 43 characters of base64url. Show it once and
// keep HashApiToken of it.
std::string NewApiToken();

// Returns what the database keeps: the token's SHA-256 in lower-case hex.
std::string HashApiToken(absl::string_view token);

}  // namespace sgl::engine

#endif  // ENGINE_API_TOKEN_H_
