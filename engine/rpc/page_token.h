// Page tokens: opaque to callers, a position in a list to us. Internal to
// engine/rpc.
//
// A token holds the last item's creation time and id, and a fingerprint of
// the filter it was made for: a token used with another filter is refused
// instead of silently skipping items.

#ifndef ENGINE_RPC_PAGE_TOKEN_H_
#define ENGINE_RPC_PAGE_TOKEN_H_

#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>

#include "storage/intents.h"

namespace sgl::engine {

inline constexpr int kPageSizeDefault = 50;
inline constexpr int kPageSizeMax = 200;
// A page ends before it is larger, unless a single row is: clients refuse
// answers over 4 MiB where nobody told them otherwise.
inline constexpr size_t kPageBytesMax = 3 * 1024 * 1024;

// Returns the token of the page after `position`, for lists with `filter`
// (the filter message's serialized bytes).
std::string EncodePageToken(const storage::PageCursor& position,
                            absl::string_view filter);

// Returns the position of a token. INVALID_ARGUMENT (a bad field
// `page_token`) for text that no list gave, or that came with another filter.
absl::StatusOr<storage::PageCursor> DecodePageToken(absl::string_view token,
                                                    absl::string_view filter);

// Returns the page size to use. INVALID_ARGUMENT where it is negative or
// greater than kPageSizeMax.
absl::StatusOr<int> PageSize(int requested);

}  // namespace sgl::engine

#endif  // ENGINE_RPC_PAGE_TOKEN_H_
