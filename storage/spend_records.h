// Records what settlements spend. Internal to storage/: part of settling, so
// that no path can leave it out.

#ifndef STORAGE_SPEND_RECORDS_H_
#define STORAGE_SPEND_RECORDS_H_

#include <span>

#include "storage/session.h"
#include "storage/settlement.h"

namespace sgl::storage {

// One statement, and none where nothing is spent: committed where the intent is
// EXECUTED by now, reserved where it is VALIDATING, and nothing otherwise. The
// intents are there. Raises ALREADY_EXISTS for one that spent before.
void RecordSpends(std::span<const Settlement* const> settlements,
                  Session& session);

}  // namespace sgl::storage

#endif  // STORAGE_SPEND_RECORDS_H_
