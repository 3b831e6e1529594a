#include "engine/rpc/authentication.h"

#include <absl/strings/match.h>
#include <absl/strings/strip.h>

#include <utility>

#include "engine/api_token.h"
#include "engine/error.h"

namespace sgl::engine {
namespace {

absl::Status Unauthenticated(absl::string_view message) {
  return Refusal(absl::StatusCode::kUnauthenticated, "UNAUTHENTICATED",
                 message);
}

}  // namespace

Authenticator::Authenticator(storage::Database* db,
                             std::function<absl::Time()> now)
    : db_(db),
      now_(std::move(now)),
      failures_({.per_second = kFailuresPerSecond,
                 .burst = kFailuresBurst,
                 .now = now_}) {}

Authenticator::Cached Authenticator::TryCache(const std::string& hash,
                                              storage::Principal* principal) {
  const absl::Time now = now_();
  MutexLock lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return Cached::kUnknown;
  cache_.splice(cache_.begin(), cache_, found->second);
  const Entry& entry = *found->second;
  // A clock set back makes an entry look younger; the expiry still holds.
  const bool is_fresh =
      now < entry.looked_up + kCacheTtl && now >= entry.looked_up &&
      now < entry.principal.expires_at.value_or(absl::InfiniteFuture());
  if (!is_fresh) return Cached::kStale;
  *principal = entry.principal;
  return Cached::kFresh;
}

void Authenticator::Remember(const std::string& hash,
                             const storage::Principal& principal,
                             absl::Time looked_up) {
  MutexLock lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found != by_hash_.end()) {
    *found->second = {hash, principal, looked_up};
    return;
  }
  if (cache_.size() >= kCacheMax) {
    by_hash_.erase(cache_.back().hash);
    cache_.pop_back();
  }
  cache_.push_front({hash, principal, looked_up});
  by_hash_.emplace(hash, cache_.begin());
}

void Authenticator::Forget(const std::string& hash) {
  MutexLock lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return;
  cache_.erase(found->second);
  by_hash_.erase(found);
}

absl::StatusOr<storage::Principal> Authenticator::Authenticate(
    absl::string_view authorization, const std::string& source) {
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
  const Cached known = TryCache(hash, &cached);
  if (known == Cached::kFresh) return cached;
  if (known == Cached::kUnknown &&
      failures_.Peek(source) > absl::ZeroDuration()) {
    return Refusal(absl::StatusCode::kResourceExhausted, "RATE_LIMITED",
                   "too many calls with bad tokens came from this address; "
                   "wait, and mend the token");
  }
  // Before the look-up: what is revoked after it was read is a second old at
  // most when it is used.
  const absl::Time asked = now_();
  absl::StatusOr<storage::Principal> principal =
      storage::LookUpToken(*db_, hash);
  if (principal.status().code() == absl::StatusCode::kNotFound) {
    Forget(hash);
    failures_.Take(source);
    return Unauthenticated("the token is unknown, expired or revoked");
  }
  if (!principal.ok()) return principal.status();
  Remember(hash, *principal, asked);
  return principal;
}

}  // namespace sgl::engine
