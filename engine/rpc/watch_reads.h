// What watches read and send: pages of changed rows as messages with cursors.
// Internal to engine/rpc.

#ifndef ENGINE_RPC_WATCH_READS_H_
#define ENGINE_RPC_WATCH_READS_H_

#include <absl/status/statusor.h>

#include <functional>

#include "engine/rpc/watch_stream.h"
#include "intent/v1/decision_service.pb.h"
#include "intent/v1/intent_service.pb.h"
#include "storage/database.h"
#include "storage/identity.h"

namespace sgl::engine {

template <typename Response>
using WatchReader =
    std::function<absl::StatusOr<typename WatchStream<Response>::Page>(
        const storage::Principal&, bool wants_beat)>;

// Each returns what reads one watch's pages, from the request's cursor on; it
// remembers where the watch stands. What is wrong with the request is the
// first page's answer.
WatchReader<intent::v1::WatchIntentsResponse> IntentWatchReader(
    storage::Database* db, const intent::v1::WatchIntentsRequest& request);
WatchReader<intent::v1::WatchDecisionMemosResponse> MemoWatchReader(
    storage::Database* db,
    const intent::v1::WatchDecisionMemosRequest& request);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_WATCH_READS_H_
