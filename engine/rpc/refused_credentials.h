// How often credentials were refused: a number for each source and minute,
// however many calls there were. Internal to engine/rpc.
//
// A caller without credentials can so make neither the log nor the audit log
// grow: a minute gives kSourcesMax lines and one for all others.

#ifndef ENGINE_RPC_REFUSED_CREDENTIALS_H_
#define ENGINE_RPC_REFUSED_CREDENTIALS_H_

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>
#include <absl/time/time.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace sgl::engine {

// Returns where a call came from, out of gRPC's name of its peer
// (`ipv4:10.0.0.7:4711`): an IPv4 address, the /64 of an IPv6 address (one
// caller has all of that), or `local` for a unix socket. What can't be read is
// `unknown`.
std::string SourceOfPeer(absl::string_view peer);

// Thread-safe.
class RefusedCredentials {
 public:
  // Sources told apart in one minute.
  static constexpr size_t kSourcesMax = 16;

  struct Count {
    absl::Time minute;
    // `others` for those beyond kSourcesMax.
    std::string source;
    int64_t calls = 0;
  };

  void Add(const std::string& source, absl::Time now);

  // Returns, once, the counts of minutes that are over at `now`; of the minute
  // under way too where `everything` is wanted. Sorted by source.
  std::vector<Count> TakeFinished(absl::Time now, bool everything = false);

 private:
  void Finish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Mutex mutex_;
  absl::Time minute_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  absl::flat_hash_map<std::string, int64_t> counts_ ABSL_GUARDED_BY(mutex_);
  // Of at most two minutes: each call of Admission takes them.
  std::vector<Count> finished_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sgl::engine

#endif  // ENGINE_RPC_REFUSED_CREDENTIALS_H_
