// What stands between the arrival of a call and its work: who calls, how often
// they may, whether they may at all. Internal to engine/rpc.
//
// Every call passes here, unary or streaming, and nothing else of a call is
// looked at before it did.

#ifndef ENGINE_RPC_ADMISSION_H_
#define ENGINE_RPC_ADMISSION_H_

#include <absl/status/statusor.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>

#include <functional>
#include <string>

#include "engine/rate_limiter.h"
#include "engine/rpc/authentication.h"
#include "engine/rpc/authorization.h"
#include "engine/rpc/refused_credentials.h"
#include "storage/database.h"
#include "storage/identity.h"

namespace sgl::engine {

// Thread-safe. Owned by the server; borrows the database.
class Admission {
 public:
  struct Options {
    // Calls a second of one principal, whatever the number of its tokens, and
    // as many at once. 0: no limit.
    double calls_per_second = 0;
    double calls_burst = 1;
    std::function<absl::Time()> now = absl::Now;
  };

  // What is known of a call when it arrives.
  struct Arrival {
    // The text of its `authorization` header; empty where it has none.
    std::string authorization;
    // gRPC's name of its peer.
    std::string peer;
    Method method;
  };

  Admission(storage::Database* db, const Options& options);

  // Returns who calls. UNAUTHENTICATED, RESOURCE_EXHAUSTED (RATE_LIMITED) or
  // PERMISSION_DENIED where they may not; the database's status where that is
  // away. Asks the database: not for gRPC's own threads.
  absl::StatusOr<storage::Principal> Admit(const Arrival& arrival);

  // The same for a stream that goes on: it isn't counted as another call.
  absl::StatusOr<storage::Principal> AdmitAgain(const Arrival& arrival);

  // Counts as many calls of the principal as that, which may call less often
  // then until they are made up for.
  void Charge(const storage::Principal& principal, size_t calls);

  // Reports what was counted so far, for a server that ends.
  void Flush();

 private:
  // Writes finished minutes of refused credentials to both logs.
  void Report(bool everything);

  storage::Database* const db_;
  const std::function<absl::Time()> now_;
  Authenticator authenticator_;
  RateLimiter calls_;
  RefusedCredentials refused_;
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_ADMISSION_H_
