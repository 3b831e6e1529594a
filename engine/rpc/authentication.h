// Who calls: from `authorization: Bearer <token>` to a principal. Internal to
// engine/rpc.
//
// Tokens are looked up by their SHA-256. A found one is remembered for a
// second, so that a busy agent costs the database one look-up a second; a
// revoked token works that much longer at most. Refused ones are not
// remembered: a token works as soon as it is created.
//
// A source (a caller's address) that tries token after token is refused before
// the database is asked, so that guessing costs us next to nothing. A token
// that was good a moment ago is not its business: who keeps calling does not
// suffer for another behind the same address; who begins to call there waits
// with it.

#ifndef ENGINE_RPC_AUTHENTICATION_H_
#define ENGINE_RPC_AUTHENTICATION_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <functional>
#include <list>
#include <string>

#include "base/mutex.h"
#include "engine/rate_limiter.h"
#include "storage/database.h"
#include "storage/identity.h"

namespace sgl::engine {

// Thread-safe. Owned by the server; borrows the database.
class Authenticator {
 public:
  // How long a token that was found is not looked up again.
  static constexpr absl::Duration kCacheTtl = absl::Seconds(1);
  // Tokens remembered at once; beyond that the one that was not used for
  // longest is forgotten.
  static constexpr size_t kCacheMax = 10'000;
  // Ours have 47 characters.
  static constexpr size_t kTokenMax = 512;
  // Unknown tokens that one source may have looked up: a fleet that restarts
  // with an old secret fits into the burst, and who guesses at this rate has
  // tried 2^-228 of the tokens in a year.
  static constexpr double kFailuresPerSecond = 10;
  static constexpr double kFailuresBurst = 100;

  explicit Authenticator(storage::Database* db,
                         std::function<absl::Time()> now = absl::Now);

  // Returns the principal of an `authorization` header's text. UNAUTHENTICATED
  // where it is empty, of another form, unknown, expired or revoked;
  // RESOURCE_EXHAUSTED where `source` sent too many of those; the database's
  // status where that is away.
  absl::StatusOr<storage::Principal> Authenticate(
      absl::string_view authorization, const std::string& source);

 private:
  struct Entry {
    std::string hash;
    storage::Principal principal;
    absl::Time looked_up;
  };
  enum class Cached : uint8_t { kFresh, kStale, kUnknown };

  // Returns what is known of the token; fills `principal` where that is fresh.
  Cached TryCache(const std::string& hash, storage::Principal* principal);
  void Remember(const std::string& hash, const storage::Principal& principal,
                absl::Time looked_up);
  void Forget(const std::string& hash);

  storage::Database* const db_;
  const std::function<absl::Time()> now_;
  RateLimiter failures_;
  Mutex mutex_;
  // By the token's hash: the tokens themselves are not kept. The one used last
  // is first.
  std::list<Entry> cache_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, std::list<Entry>::iterator> by_hash_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_AUTHENTICATION_H_
