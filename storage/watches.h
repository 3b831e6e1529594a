// What changed since somebody last looked: the rows that transactions wrote
// which a snapshot did not see.
//
// Ids and timestamps can't say that: a transaction that began earlier may
// commit later, and a reader who had gone past its place would never see it.
// A snapshot knows which transactions were still open, so a round of reading
// covers exactly the writers between two snapshots, and the next round begins
// where it ended:
//
//   round 1: not visible in `since`, visible in `until`, in pages
//   round 2: not visible in the first `until`, ...
//
// A row is given as it stands when it is read; of several changes between two
// looks the last one counts. A row that changes while a round is read comes
// again in the next.

#ifndef STORAGE_WATCHES_H_
#define STORAGE_WATCHES_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/strings/string_view.h>

#include <string>
#include <vector>

#include "storage/database.h"
#include "storage/intents.h"
#include "storage/memos.h"

namespace sgl::storage {

// A snapshot's text grows with the transactions that were open; a server has
// at most some thousands of them, of at most 21 characters.
inline constexpr size_t kSnapshotBytesMax = size_t{64} * 1024;

// Where a watch stands.
struct WatchPosition {
  // pg_snapshot texts. Without `since`, the watch starts with what comes; with
  // kSinceEver, with all there is. `until` is set in the middle of a round.
  std::string since = {};
  std::string until = {};
  // The last row given of this round: the transaction that wrote it, and its
  // id. Empty at a round's start.
  std::string after_transaction = {};
  std::string after_id = {};

  bool operator==(const WatchPosition&) const = default;
};

// The snapshot that saw nothing.
inline constexpr char kSinceEver[] = "1:1:";

// Returns OK for a position that a watch could have given: INVALID_ARGUMENT
// else. To be asked before a position of a caller's is used.
absl::Status CheckWatchPosition(const WatchPosition& position);

// One page of a round.
struct Changes {
  struct Row {
    std::string id;
    // Where a watch stands that was given this row and all before it.
    WatchPosition position;
  };
  // In order.
  std::vector<Row> rows;
  // Where a watch stands that was given all of them.
  WatchPosition position;
  // Whether more rows of this round follow.
  bool has_more = false;
};

// Each returns up to `limit` (1 to kPageRowsMax) changed rows' ids that match
// the filter, of the transaction's one tenant. Times of the filter are left
// out. INVALID_ARGUMENT: the position is of another database: it knows
// transactions that this one has not begun.
absl::StatusOr<Changes> ChangedIntents(Transaction& tx,
                                       const IntentFilter& filter,
                                       const WatchPosition& position,
                                       int limit) noexcept;
absl::StatusOr<Changes> ChangedMemos(Transaction& tx, const MemoFilter& filter,
                                     const WatchPosition& position,
                                     int limit) noexcept;

struct ChangedTenants {
  std::vector<std::string> tenant_ids;
  // For the next call.
  std::string snapshot;
};

// Returns which of the transaction's tenants have intents or memos that
// changed since the snapshot; all of them where it is empty.
absl::StatusOr<ChangedTenants> TenantsChangedSince(
    Transaction& tx, const std::string& snapshot) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_WATCHES_H_
