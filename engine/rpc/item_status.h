// What becomes of one member of a batch, as its caller may see it. Internal to
// engine/rpc.

#ifndef ENGINE_RPC_ITEM_STATUS_H_
#define ENGINE_RPC_ITEM_STATUS_H_

#include <absl/status/status.h>

#include "engine/rpc/authorization.h"
#include "intent/v1/intent.pb.h"

namespace sgl::engine {

// Says what a call of its own would have answered, and logs what its caller
// may not see. REQUIRES: it is not OK.
void SetItemStatus(const absl::Status& status, Method method,
                   intent::v1::ItemStatus* item);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_ITEM_STATUS_H_
