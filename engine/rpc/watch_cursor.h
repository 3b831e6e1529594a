// Cursors of watches: opaque to callers, a place in the stream of changes to
// us. Internal to engine/rpc.
//
// Like page tokens (page_token.h), a cursor knows which watch it was made for:
// with another filter, or another tenant's token, it is refused instead of
// silently leaving things out.

#ifndef ENGINE_RPC_WATCH_CURSOR_H_
#define ENGINE_RPC_WATCH_CURSOR_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>

#include "storage/watches.h"

namespace sgl::engine {

// Returns the cursor of a watch that stands at `position`. `watch` tells
// watches apart: what is watched, the tenant, the filter.
std::string EncodeWatchCursor(const storage::WatchPosition& position,
                              absl::string_view watch);

// Returns the place of a cursor. INVALID_ARGUMENT (a bad field `cursor`) for
// text that no watch gave, or that came from another watch.
absl::StatusOr<storage::WatchPosition> DecodeWatchCursor(
    absl::string_view cursor, absl::string_view watch);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_WATCH_CURSOR_H_
