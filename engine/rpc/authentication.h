// Who calls: from `authorization: Bearer <token>` to a principal. Internal to
// engine/rpc.
//
// Tokens are looked up by their SHA-256. A found one is remembered for a
// second, so that a busy agent costs the database one look-up a second; a
// revoked token works that much longer at most. Refused ones are not
// remembered: a token works as soon as it is created.

#ifndef ENGINE_RPC_AUTHENTICATION_H_
#define ENGINE_RPC_AUTHENTICATION_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <string>

#include "base/mutex.h"
#include "storage/database.h"
#include "storage/identity.h"

namespace sgl::engine {

// Thread-safe. Owned by the server; borrows the database.
class Authenticator {
 public:
  // How long a token that was found is not looked up again.
  static constexpr absl::Duration kCacheTtl = absl::Seconds(1);
  // Tokens remembered at once; beyond that all are forgotten.
  static constexpr size_t kCacheMax = 10'000;
  // Ours have 47 characters.
  static constexpr size_t kTokenMax = 512;

  explicit Authenticator(storage::Database* db);

  // Returns the principal of an `authorization` header's text. UNAUTHENTICATED
  // where it is empty, of another form, unknown, expired or revoked; the
  // database's status where that is away.
  absl::StatusOr<storage::Principal> Authenticate(
      absl::string_view authorization);

 private:
  struct Entry {
    storage::Principal principal;
    absl::Time looked_up;
  };

  bool TryCache(const std::string& hash, storage::Principal* principal);

  storage::Database* const db_;
  Mutex mutex_;
  // By the token's hash: the tokens themselves are not kept.
  absl::flat_hash_map<std::string, Entry> cache_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_AUTHENTICATION_H_
