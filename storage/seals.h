// Seals: the blocks of the Merkle tree over each log of audit entries. The
// sealer claims entries and appends blocks; verifiers and proofs read them.
//
// A log is a tenant's, or the platform's (kPlatformLog). Nothing here hashes or
// signs: engine/sealer does.

#ifndef STORAGE_SEALS_H_
#define STORAGE_SEALS_H_

#include <absl/functional/function_ref.h>
#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/audit_records.h"
#include "storage/database.h"

namespace sgl::storage {

// A head: what a log was when it had `tree_size` entries.
struct SealHead {
  std::string log_id = {};
  int64_t tree_size = 0;
  // 32 raw bytes.
  std::string root_hash = {};
  absl::Time sealed_at = {};
  // Both empty where the engine that sealed had no key.
  std::string key_id = {};
  std::string signature = {};

  bool operator==(const SealHead&) const = default;
};

// A block: the head after it, and what it added.
struct Seal {
  SealHead head = {};
  // The tree's size before; the number of its first entry, from 0.
  int64_t first_sequence = 0;
  std::vector<std::string> entry_ids = {};
  // Raw, 32 bytes each, one after another.
  std::string leaf_hashes = {};
  // The frontier of the tree after it (engine/merkle.h).
  std::string frontier = {};
};

// Where a log ends. Size 0 and no frontier: it has no seals yet.
struct LogTip {
  std::string log_id;
  int64_t tree_size = 0;
  std::string frontier;
  std::string root_hash;
  // The database's time when the tip was read.
  absl::Time now;
};

// A block to be appended.
struct NewSeal {
  Seal seal;
  // In the order of its leaves.
  std::vector<int64_t> queue_positions;
};

// Sees an entry that waits to be sealed. An intent's entries are in the order
// of its transitions by their positions in the queue.
using UnsealedVisitor =
    absl::FunctionRef<void(int64_t queue_position, const AuditRecord& record)>;

// Takes the sealers' lock for the transaction and shows up to `count_max`
// entries that wait, in no order and a part of them in memory at a time.
// Returns how many; none where another sealer is at work. The transaction then
// acts for their tenants. Once a transaction.
absl::StatusOr<int> ClaimUnsealed(Transaction& tx, int count_max,
                                  UnsealedVisitor visit) noexcept;

// Returns the tips of these logs, in no order.
absl::StatusOr<std::vector<LogTip>> ReadLogTips(
    Transaction& tx, const std::vector<std::string>& log_ids) noexcept;

// Appends blocks of claimed entries, those of one log in their order. All have
// the same time and key; those without a signature are unsigned.
// FAILED_PRECONDITION: an entry is not in the queue or of another log, or a
// block is not at the end of its log.
absl::Status AppendSeals(Transaction& tx,
                         std::span<const NewSeal> seals) noexcept;

// Returns up to `count_max` seals that begin at or after this number.
absl::StatusOr<std::vector<Seal>> ReadSeals(Transaction& tx,
                                            const std::string& log_id,
                                            int64_t first_sequence,
                                            int count_max) noexcept;

// Returns the last seal that begins before this number: the one that ends the
// log, for a large one. Unset where there is none.
absl::StatusOr<std::optional<Seal>> SealBefore(Transaction& tx,
                                               const std::string& log_id,
                                               int64_t sequence) noexcept;

// Returns the seal that holds this entry, written at that time. Unset: it is
// not sealed.
absl::StatusOr<std::optional<Seal>> SealHolding(Transaction& tx,
                                                const std::string& log_id,
                                                const std::string& entry_id,
                                                absl::Time written) noexcept;

// Returns the newest head of every log; any transaction may ask.
absl::StatusOr<std::vector<SealHead>> LatestHeads(Transaction& tx) noexcept;

// What waits to be sealed, in all logs.
struct SealingLag {
  int64_t waiting = 0;
  // Unset where nothing waits.
  std::optional<absl::Time> oldest;
};
absl::StatusOr<SealingLag> ReadSealingLag(Transaction& tx) noexcept;

// An entry as VerifyAuditLog's second pass meets it.
struct EntryState {
  std::string id;
  // As PostgreSQL writes it: with the id the position of the next page.
  std::string created_at;
  std::string action;
  bool is_sealed = false;
  // It waits to be sealed.
  bool is_queued = false;
};

// Where a pass over a log's entries is, by time. Empty: at the beginning.
struct EntryPosition {
  std::string created_at = {};
  std::string id = {};
};

// Returns up to `count_max` entries after a position, oldest first, with what
// became of each.
absl::StatusOr<std::vector<EntryState>> ReadEntryStates(
    Transaction& tx, const std::string& log_id, const EntryPosition& after,
    int count_max) noexcept;

// Returns the ids of entries that were gone before they were sealed; at most
// 100.
absl::StatusOr<std::vector<std::string>> MissingEntries(
    Transaction& tx, const std::string& log_id) noexcept;

}  // namespace sgl::storage

#endif  // STORAGE_SEALS_H_
