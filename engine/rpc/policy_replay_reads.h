// What ReplayPolicy sends: a replay's pages, and how far it is, as messages.
// Internal to engine/rpc.

#ifndef ENGINE_RPC_POLICY_REPLAY_READS_H_
#define ENGINE_RPC_POLICY_REPLAY_READS_H_

#include <absl/status/statusor.h>

#include <functional>

#include "engine/policy_replay.h"
#include "engine/rpc/watch_stream.h"
#include "intent/v1/policy_service.pb.h"
#include "storage/identity.h"

namespace sgl::engine {

// Returns what does one page of the replay at each call, and gives a message
// now and then, the last one `done`. What is wrong with the request is the
// first page's answer.
std::function<
    absl::StatusOr<WatchStream<intent::v1::ReplayPolicyResponse>::Page>(
        const storage::Principal&, bool wants_beat)>
PolicyReplayReader(PolicyReplays* replays,
                   const intent::v1::ReplayPolicyRequest& request);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_POLICY_REPLAY_READS_H_
