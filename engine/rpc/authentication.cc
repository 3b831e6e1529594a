#include "engine/rpc/authentication.h"

#include <absl/strings/match.h>
#include <absl/strings/strip.h>
#include <absl/time/clock.h>

#include "engine/api_token.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

absl::Status Unauthenticated(absl::string_view message) {
  return Refusal(absl::StatusCode::kUnauthenticated, "UNAUTHENTICATED",
                 message);
}

}  // namespace

Authenticator::Authenticator(storage::Database* db) : db_(db) {}

bool Authenticator::TryCache(const std::string& hash,
                             storage::Principal* principal) {
  MutexLock lock(mutex_);
  const auto found = cache_.find(hash);
  if (found == cache_.end()) return false;
  const absl::Time now = absl::Now();
  const Entry& entry = found->second;
  // A clock set back makes an entry look younger; the expiry still holds.
  const bool is_fresh =
      now < entry.looked_up + kCacheTtl && now >= entry.looked_up &&
      now < entry.principal.expires_at.value_or(absl::InfiniteFuture());
  if (is_fresh) {
    *principal = entry.principal;
  } else {
    cache_.erase(found);
  }
  return is_fresh;
}

absl::StatusOr<storage::Principal> Authenticator::Authenticate(
    absl::string_view authorization) {
  if (authorization.empty()) {
    return Unauthenticated(
        "the call has no token; send `authorization: Bearer <token>`");
  }
  absl::string_view token = authorization;
  // The scheme's case is free, as in HTTP.
  if (!absl::StartsWithIgnoreCase(token, "bearer ")) {
    return Unauthenticated(
        "the token is not sent as `authorization: Bearer <token>`, once");
  }
  token.remove_prefix(sizeof("bearer ") - 1);
  if (token.empty() || token.size() > kTokenMax) {
    return Unauthenticated("the token is malformed");
  }
  const std::string hash = HashApiToken(token);
  storage::Principal cached;
  if (TryCache(hash, &cached)) return cached;
  absl::StatusOr<storage::Principal> principal =
      storage::LookUpToken(*db_, hash);
  if (principal.status().code() == absl::StatusCode::kNotFound) {
    return Unauthenticated("the token is unknown, expired or revoked");
  }
  if (!principal.ok()) return principal.status();
  MutexLock lock(mutex_);
  if (cache_.size() >= kCacheMax) cache_.clear();
  cache_.insert_or_assign(hash, Entry{*principal, absl::Now()});
  return principal;
}

}  // namespace sgl::engine
