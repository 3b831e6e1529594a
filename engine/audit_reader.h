// Reads an audit log from the database: for whoever verifies or exports it,
// and for proofs about single entries. Bounded work a call; a transaction each.

#ifndef ENGINE_AUDIT_READER_H_
#define ENGINE_AUDIT_READER_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/audit_verifier.h"
#include "engine/merkle.h"
#include "storage/audit_records.h"
#include "storage/database.h"
#include "storage/seals.h"

namespace sgl::engine {

// Where a reading of a log is: first its seals with their entries, then its
// entries by time, for those that no seal holds.
struct AuditCursor {
  int64_t next_sequence = 0;
  bool are_seals_done = false;
  storage::EntryPosition entries = {};
  bool is_done = false;
};

// A seal with the entries that it names, as far as they are there.
struct SealWithEntries {
  storage::Seal seal;
  std::vector<storage::AuditRecord> entries;
};

// Returns the seals from the cursor on, until they hold `entries_max` entries
// (one seal at least), and moves the cursor on.
absl::StatusOr<std::vector<SealWithEntries>> ReadSealedEntries(
    storage::Transaction& tx, const std::string& log_id, int64_t entries_max,
    AuditCursor* cursor);

// Feeds the verifier what comes next, about `entries_max` entries of it, and
// moves the cursor on.
absl::Status FeedVerifier(storage::Transaction& tx, const std::string& log_id,
                          int64_t entries_max, AuditCursor* cursor,
                          AuditVerifier* verifier);

// What shows that an entry is in a log.
struct InclusionProof {
  storage::AuditRecord record;
  int64_t index = 0;
  storage::SealHead head;
  std::vector<std::string> path;
};

// Returns the proof of an entry under the log's newest head. NOT_FOUND: there
// is no such entry. FAILED_PRECONDITION (NOT_SEALED_YET): try again shortly.
// DATA_LOSS: the seals were tampered with.
absl::StatusOr<InclusionProof> ProveInclusion(storage::Transaction& tx,
                                              const std::string& log_id,
                                              const std::string& entry_id);

// Returns the proof that the log of `new_size` begins with that of `old_size`,
// both of which it had. REQUIRES: 0 <= old_size <= new_size.
absl::StatusOr<std::vector<std::string>> ProveConsistency(
    storage::Transaction& tx, const std::string& log_id, int64_t old_size,
    int64_t new_size);

}  // namespace sgl::engine

#endif  // ENGINE_AUDIT_READER_H_
