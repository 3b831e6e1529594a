// Request ids that are past their time. A submission that is repeated after 30
// days is a new one.

#ifndef STORAGE_REQUESTS_H_
#define STORAGE_REQUESTS_H_

#include <absl/status/statusor.h>

#include <cstdint>

#include "storage/database.h"

namespace sgl::storage {

// Forgets up to `limit` request ids of any tenant that are older than 30 days,
// the oldest first; returns how many. Their intents stay.
absl::StatusOr<int64_t> ForgetRequests(Transaction& tx, int limit) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_REQUESTS_H_
