// Enters what settlements count for limits. Internal to storage/: part of
// settling, so that no path can leave it out.

#ifndef STORAGE_LIMIT_COUNTS_H_
#define STORAGE_LIMIT_COUNTS_H_

#include <span>

#include "storage/limits.h"
#include "storage/session.h"

namespace sgl::storage {

// One statement, and none where there is nothing to count. Raises
// FAILED_PRECONDITION for a counter that the transaction did not lock.
void EnterLimitCounts(std::span<const LimitCount> counts, Session& session);

}  // namespace sgl::storage

#endif  // STORAGE_LIMIT_COUNTS_H_
