#include "engine/audit_verifier.h"

#include <absl/container/flat_hash_set.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>

#include "engine/audit_head.h"

namespace sgl::engine {
namespace {

using storage::AuditColumn;
using storage::AuditRecord;
using storage::Seal;
using storage::SealHead;

// `entry 5` or `entries 5 to 9`; numbers as people see them in a proof.
std::string Entries(int64_t begin, int64_t end) {
  if (end - begin == 1) return absl::StrCat("entry ", begin);
  return absl::StrCat("entries ", begin, " to ", end - 1);
}

}  // namespace

AuditVerifier::AuditVerifier(const Options& options) : keys_(options.keys) {
  for (const SealHead& head : options.heads) {
    if (head.log_id != options.log_id) continue;
    heads_.emplace(head.tree_size, head);
  }
  // Two heads of one size that differ prove a fork by themselves, where both
  // are signed by a key we know.
  for (auto first = heads_.begin(); first != heads_.end(); ++first) {
    const auto second = std::next(first);
    if (second == heads_.end() || second->first != first->first ||
        second->second.root_hash == first->second.root_hash) {
      continue;
    }
    is_forked_ = true;
    Report({.kind = "FORKED",
            .message = absl::StrCat(
                "two heads of size ", first->first,
                " were given that differ: the log was written twice")});
  }
}

void AuditVerifier::Report(AuditFinding finding) {
  ++report_.finding_count;
  if (report_.findings.size() < kFindingsMax) {
    report_.findings.push_back(std::move(finding));
  }
}

void AuditVerifier::AddSeal(const Seal& seal,
                            const std::vector<AuditRecord>& entries) {
  if (!CheckPlace(seal)) return;
  CheckEntries(seal, entries);
  // The tree goes on over what was sealed, so that one bad entry is told apart
  // from a bad seal.
  for (size_t i = 0; i < seal.entry_ids.size(); ++i) {
    tree_.Append(std::string(HashAt(seal, i)));
    CheckHeads();
  }
  CheckSeal(seal);
  report_.sealed_count += static_cast<int64_t>(seal.entry_ids.size());
}

absl::string_view AuditVerifier::HashAt(const Seal& seal, size_t place) const {
  return absl::string_view(seal.leaf_hashes)
      .substr(place * kMerkleHashBytes, kMerkleHashBytes);
}

// Returns whether the seal can be read at all.
bool AuditVerifier::CheckPlace(const Seal& seal) {
  const int64_t expected = tree_.size();
  if (seal.first_sequence != expected) {
    Report({.kind = "SEAL_MISSING",
            .sequence = expected,
            .message = absl::StrCat("the seal of entry ", expected,
                                    " is missing: the next one "
                                    "begins at ",
                                    seal.first_sequence)});
  }
  const size_t count = seal.entry_ids.size();
  const bool is_whole = seal.leaf_hashes.size() == count * kMerkleHashBytes &&
                        seal.head.root_hash.size() == kMerkleHashBytes;
  if (!is_whole) {
    Report({.kind = "SEAL_CHANGED",
            .sequence = seal.first_sequence,
            .message = absl::StrCat("the seal that begins at entry ",
                                    seal.first_sequence,
                                    " does not hold a hash for each entry")});
  }
  return is_whole;
}

void AuditVerifier::CheckEntries(const Seal& seal,
                                 const std::vector<AuditRecord>& entries) {
  EntriesById by_id;
  std::vector<std::string> hashes;
  hashes.reserve(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    hashes.push_back(AuditLeafHash(entries[i]));
    by_id[std::string(entries[i].Text(AuditColumn::kId))].push_back(i);
  }
  for (size_t place = 0; place < seal.entry_ids.size(); ++place) {
    const std::vector<size_t>& found = by_id[seal.entry_ids[place]];
    CheckEntry(seal, place, hashes, found);
    if (!found.empty()) {
      CheckOrder(tree_.size() + static_cast<int64_t>(place),
                 entries[found.front()]);
    }
  }
}

void AuditVerifier::CheckEntry(const Seal& seal, size_t place,
                               const std::vector<std::string>& hashes,
                               const std::vector<size_t>& found) {
  const int64_t sequence = tree_.size() + static_cast<int64_t>(place);
  const std::string& id = seal.entry_ids[place];
  AuditFinding finding{.sequence = sequence, .entry_id = id};
  const std::string name = absl::StrCat("entry ", sequence, " (", id, ")");
  if (found.empty()) {
    finding.kind = "DROPPED";
    finding.message =
        absl::StrCat(name, " was dropped: it is sealed, but not in the log");
    return Report(std::move(finding));
  }
  bool is_intact = false;
  for (const size_t i : found) {
    if (hashes[i] == HashAt(seal, place)) is_intact = true;
  }
  if (is_intact && found.size() > 1) {
    finding.kind = "ADDED";
    finding.message =
        absl::StrCat("a second entry with the id of ", name, " was added");
    return Report(std::move(finding));
  }
  if (is_intact) return;
  for (size_t other = 0; other < seal.entry_ids.size(); ++other) {
    if (HashAt(seal, other) != hashes[found.front()]) continue;
    finding.kind = "REORDERED";
    finding.message =
        absl::StrCat(name, " was reordered: it was sealed as entry ",
                     tree_.size() + static_cast<int64_t>(other));
    return Report(std::move(finding));
  }
  finding.kind = "CHANGED";
  finding.message =
      absl::StrCat(name, " was changed: it is not what was sealed");
  Report(std::move(finding));
}

// An intent's transitions only ascend: a forged one that went the honest way
// repeats a number.
void AuditVerifier::CheckOrder(int64_t sequence, const AuditRecord& entry) {
  int64_t transition = 0;
  if (!absl::SimpleAtoi(entry.Text(AuditColumn::kTransitionNumber),
                        &transition)) {
    return;
  }
  const std::string key = absl::StrCat(entry.Text(AuditColumn::kEntityType),
                                       " ", entry.Text(AuditColumn::kEntityId));
  const auto [last, is_new] = transitions_.try_emplace(key, transition);
  if (!is_new && transition <= last->second) {
    const absl::string_view id = entry.Text(AuditColumn::kId);
    Report({.kind = "ADDED",
            .sequence = sequence,
            .entry_id = std::string(id),
            .message = absl::StrCat("entry ", sequence, " (", id,
                                    ") accounts for transition ", transition,
                                    " of ", key,
                                    ", which an earlier entry does: one "
                                    "of them was added or moved")});
  }
  last->second = transition;
}

void AuditVerifier::CheckSeal(const Seal& seal) {
  const SealHead& head = seal.head;
  const bool is_consistent = tree_.Root() == head.root_hash &&
                             tree_.size() == head.tree_size &&
                             tree_.Frontier() == seal.frontier;
  if (!is_consistent) {
    Report({.kind = "SEAL_CHANGED",
            .sequence = seal.first_sequence,
            .message = absl::StrCat(
                "the seal of ",
                Entries(seal.first_sequence,
                        seal.first_sequence +
                            static_cast<int64_t>(seal.entry_ids.size())),
                " was changed, or one before it: its hashes don't give its "
                "root")});
  }
  CheckSignature(head, seal.first_sequence);
  if (is_consistent) return;
  // One bad seal is one finding: those after it are judged by what they say.
  std::optional<MerkleTree> claimed =
      MerkleTree::FromFrontier(head.tree_size, seal.frontier);
  if (claimed.has_value() && claimed->Root() == head.root_hash) {
    tree_ = *std::move(claimed);
  }
}

void AuditVerifier::CheckSignature(const SealHead& head,
                                   int64_t first_sequence) {
  if (keys_.empty() || head.signature.empty()) return;
  for (const AuditPublicKey& key : keys_) {
    if (key.id() != head.key_id) continue;
    if (key.Verify(HeadNote(head), head.signature)) {
      report_.signed_size = tree_.size();
      return;
    }
    return Report({.kind = "WRONG_SIGNATURE",
                   .sequence = first_sequence,
                   .message = absl::StrCat(
                       "the signature of the seal that begins at entry ",
                       first_sequence, " is not of this head")});
  }
  Report({.kind = "UNKNOWN_KEY",
          .sequence = first_sequence,
          .message = absl::StrCat("the seal that begins at entry ",
                                  first_sequence, " is signed by the key ",
                                  head.key_id, ", which was not given")});
}

void AuditVerifier::CheckHeads() {
  const auto [first, last] = heads_.equal_range(tree_.size());
  if (first == last) return;
  const std::string root = tree_.Root();
  bool does_agree = false;
  for (auto at = first; at != last; ++at) {
    if (at->second.root_hash == root) {
      does_agree = true;
    } else if (!is_forked_) {
      // Later heads can't agree either: one fork, one finding.
      is_forked_ = true;
      Report({.kind = "FORKED",
              .sequence = vouched_,
              .message = absl::StrCat(
                  "the log was written anew: the head of size ", tree_.size(),
                  " from outside is of another log; the first entry that "
                  "differs is among ",
                  Entries(vouched_, tree_.size()))});
    }
  }
  if (does_agree) report_.head_size = tree_.size();
  vouched_ = tree_.size();
}

void AuditVerifier::AddUnsealed(const UnsealedNote& entry) {
  ++report_.unsealed_count;
  if (report_.unsealed.size() < kFindingsMax) {
    report_.unsealed.push_back(entry);
  }
  if (entry.is_queued) return;
  Report({.kind = "ADDED",
          .entry_id = entry.id,
          .message = absl::StrCat(
              "entry ", entry.id, " (", entry.action,
              ") was added: no seal "
              "holds it and none will, since it is not in the sealer's "
              "queue")});
}

void AuditVerifier::AddMissing(const std::string& entry_id) {
  Report({.kind = "DROPPED",
          .entry_id = entry_id,
          .message = absl::StrCat("entry ", entry_id,
                                  " was dropped before it was sealed")});
}

AuditReport AuditVerifier::Finish() {
  report_.root_hash = tree_.Root();
  if (!heads_.empty() && heads_.rbegin()->first > tree_.size()) {
    Report({.kind = "ROLLED_BACK",
            .sequence = tree_.size(),
            .message =
                absl::StrCat(Entries(tree_.size(), heads_.rbegin()->first),
                             " and their seals are gone: a head of size ",
                             heads_.rbegin()->first,
                             " was kept outside, the log has ", tree_.size())});
  }
  return report_;
}

}  // namespace sgl::engine
