#include "engine/audit_reader.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <utility>

#include "engine/audit_head.h"
#include "engine/error.h"
#include "storage/uuid.h"

namespace sgl::engine {
namespace {

using storage::Seal;
using storage::Transaction;

// Seals read at once: small ones come in numbers, large ones by their entries.
constexpr int kSealsAtOnce = 16;

absl::Status Broken() {
  return Refusal(absl::StatusCode::kDataLoss, "AUDIT_LOG_TAMPERED",
                 "the seals of this log are not whole; verify it");
}

// Hashes ranges of one log's leaves from a few of its seals. A range's leaves
// are in the seal that holds its end; what is before that seal is in the
// frontier of the one before it, whose last peaks are those of the range.
class RangeHasher {
 public:
  RangeHasher(Transaction& tx, const std::string& log_id)
      : tx_(tx), log_id_(log_id) {}

  absl::StatusOr<std::vector<std::string>> Hash(
      const std::vector<LeafRange>& ranges) {
    std::vector<std::string> hashes;
    for (const LeafRange& range : ranges) {
      absl::StatusOr<std::string> hash = Root(range);
      if (!hash.ok()) return hash.status();
      hashes.push_back(*std::move(hash));
    }
    return hashes;
  }

 private:
  absl::StatusOr<std::string> Root(const LeafRange& range) {
    const absl::StatusOr<const Seal*> last = EndingAt(range.end);
    if (!last.ok()) return last.status();
    const Seal& seal = **last;
    MerkleTree tree;
    int64_t next = range.begin;
    if (seal.first_sequence > range.begin) {
      const absl::StatusOr<const Seal*> before = EndingAt(seal.first_sequence);
      if (!before.ok()) return before.status();
      next = seal.first_sequence;
      const auto bytes =
          kMerkleHashBytes * static_cast<size_t>(std::popcount(
                                 static_cast<uint64_t>(next - range.begin)));
      const std::string& frontier = (*before)->frontier;
      if (frontier.size() < bytes) return Broken();
      std::optional<MerkleTree> begun = MerkleTree::FromFrontier(
          next - range.begin,
          absl::string_view(frontier).substr(frontier.size() - bytes));
      if (!begun.has_value()) return Broken();
      tree = *std::move(begun);
    }
    for (; next < range.end; ++next) {
      const auto place = static_cast<size_t>(next - seal.first_sequence);
      if ((place + 1) * kMerkleHashBytes > seal.leaf_hashes.size()) {
        return Broken();
      }
      tree.Append(
          seal.leaf_hashes.substr(place * kMerkleHashBytes, kMerkleHashBytes));
    }
    return tree.Root();
  }

  // Returns the seal that holds the entry before `end`.
  absl::StatusOr<const Seal*> EndingAt(int64_t end) {
    // A seal read before may do: ranges lie close together.
    const auto known = seals_.lower_bound(end);
    if (known != seals_.begin()) {
      const Seal& seal = std::prev(known)->second;
      if (seal.first_sequence < end && end <= seal.head.tree_size) return &seal;
    }
    absl::StatusOr<std::optional<Seal>> seal =
        storage::SealBefore(tx_, log_id_, end);
    if (!seal.ok()) return seal.status();
    if (!seal->has_value() || (*seal)->head.tree_size < end) return Broken();
    const int64_t first = (*seal)->first_sequence;
    return &seals_.insert_or_assign(first, **std::move(seal)).first->second;
  }

  Transaction& tx_;
  const std::string& log_id_;
  std::map<int64_t, Seal> seals_;
};

absl::Status FeedSeals(Transaction& tx, const std::string& log_id,
                       int64_t entries_max, AuditCursor* cursor,
                       AuditVerifier* verifier) {
  const absl::StatusOr<std::vector<SealWithEntries>> seals =
      ReadSealedEntries(tx, log_id, entries_max, cursor);
  if (!seals.ok()) return seals.status();
  for (const SealWithEntries& item : *seals) {
    verifier->AddSeal(item.seal, item.entries);
  }
  return absl::OkStatus();
}

absl::Status FeedUnsealed(Transaction& tx, const std::string& log_id,
                          int64_t entries_max, AuditCursor* cursor,
                          AuditVerifier* verifier) {
  const absl::StatusOr<std::vector<storage::EntryState>> states =
      storage::ReadEntryStates(tx, log_id, cursor->entries,
                               static_cast<int>(entries_max));
  if (!states.ok()) return states.status();
  for (const storage::EntryState& state : *states) {
    if (state.is_sealed) continue;
    verifier->AddUnsealed(
        {.id = state.id, .action = state.action, .is_queued = state.is_queued});
  }
  if (static_cast<int64_t>(states->size()) == entries_max) {
    cursor->entries = {.created_at = states->back().created_at,
                       .id = states->back().id};
    return absl::OkStatus();
  }
  const absl::StatusOr<std::vector<std::string>> missing =
      storage::MissingEntries(tx, log_id);
  if (!missing.ok()) return missing.status();
  for (const std::string& id : *missing) verifier->AddMissing(id);
  cursor->is_done = true;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<SealWithEntries>> ReadSealedEntries(
    Transaction& tx, const std::string& log_id, int64_t entries_max,
    AuditCursor* cursor) {
  std::vector<SealWithEntries> read;
  int64_t entries = 0;
  while (entries < entries_max) {
    absl::StatusOr<std::vector<Seal>> seals =
        storage::ReadSeals(tx, log_id, cursor->next_sequence, kSealsAtOnce);
    if (!seals.ok()) return seals.status();
    if (seals->empty()) {
      cursor->are_seals_done = true;
      break;
    }
    for (Seal& seal : *seals) {
      absl::StatusOr<std::vector<storage::AuditRecord>> records =
          storage::ReadAuditRecords(tx, log_id, seal.entry_ids);
      if (!records.ok()) return records.status();
      entries += static_cast<int64_t>(seal.entry_ids.size());
      // One that was put between this and the next must be met as well.
      cursor->next_sequence = seal.first_sequence + 1;
      read.push_back({std::move(seal), *std::move(records)});
      if (entries >= entries_max) break;
    }
  }
  return read;
}

absl::Status FeedVerifier(Transaction& tx, const std::string& log_id,
                          int64_t entries_max, AuditCursor* cursor,
                          AuditVerifier* verifier) {
  return cursor->are_seals_done
             ? FeedUnsealed(tx, log_id, entries_max, cursor, verifier)
             : FeedSeals(tx, log_id, entries_max, cursor, verifier);
}

absl::StatusOr<InclusionProof> ProveInclusion(Transaction& tx,
                                              const std::string& log_id,
                                              const std::string& entry_id) {
  const absl::Status missing =
      Refusal(absl::StatusCode::kNotFound, "AUDIT_ENTRY_NOT_FOUND",
              "there is no audit entry with this id");
  if (!storage::IsUuid(entry_id)) return missing;
  const absl::StatusOr<std::vector<storage::AuditRecord>> records =
      storage::ReadAuditRecords(tx, log_id, {entry_id});
  if (!records.ok()) return records.status();
  if (records->empty()) return missing;
  InclusionProof proof;
  proof.record = records->front();
  int64_t micros = 0;
  static_cast<void>(absl::SimpleAtoi(
      proof.record.Text(storage::AuditColumn::kCreatedAt), &micros));
  const absl::StatusOr<std::optional<Seal>> seal =
      storage::SealHolding(tx, log_id, entry_id, absl::FromUnixMicros(micros));
  if (!seal.ok()) return seal.status();
  if (!seal->has_value()) {
    return Refusal(absl::StatusCode::kFailedPrecondition, "NOT_SEALED_YET",
                   "the entry is younger than the last seal; ask again in a "
                   "second");
  }
  // The caller's spelling of the id may be another than the database's.
  const std::vector<std::string>& ids = (*seal)->entry_ids;
  const auto place = std::find(ids.begin(), ids.end(),
                               proof.record.Text(storage::AuditColumn::kId));
  if (place == ids.end()) return Broken();
  proof.index = (*seal)->first_sequence + (place - ids.begin());
  absl::StatusOr<std::optional<Seal>> last =
      storage::SealBefore(tx, log_id, std::numeric_limits<int64_t>::max());
  if (!last.ok()) return last.status();
  if (!last->has_value()) return Broken();
  proof.head = (*last)->head;
  if (proof.index < 0 || proof.index >= proof.head.tree_size) return Broken();
  absl::StatusOr<std::vector<std::string>> path =
      RangeHasher(tx, log_id)
          .Hash(InclusionRanges(proof.index, proof.head.tree_size));
  if (!path.ok()) return path.status();
  proof.path = *std::move(path);
  return proof;
}

absl::StatusOr<std::vector<std::string>> ProveConsistency(
    Transaction& tx, const std::string& log_id, int64_t old_size,
    int64_t new_size) {
  return RangeHasher(tx, log_id).Hash(ConsistencyRanges(old_size, new_size));
}

}  // namespace sgl::engine
