// Recomputes an audit log from its entries and seals, and says what is wrong
// with it, from the first bad entry on. Pure: rows or files are fed to it, so
// that the server, the command line and an export are judged by one and the
// same code.
//
//   AuditVerifier verifier({.log_id = tenant, .heads = heads, .keys = keys});
//   verifier.AddSeal(seal, entries);      // In order, from the first one.
//   verifier.AddUnsealed({...});
//   AuditReport report = verifier.Finish();
//
// What it can tell depends on what it is given. Rows alone show any change that
// was made to one side of (entries, seals) only. A public key shows seals that
// the engine didn't sign. A head kept outside shows what nothing inside can: a
// log that was rolled back or written anew as a whole.

#ifndef ENGINE_AUDIT_VERIFIER_H_
#define ENGINE_AUDIT_VERIFIER_H_

#include <absl/container/flat_hash_map.h>
#include <absl/strings/string_view.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/audit_key.h"
#include "engine/merkle.h"
#include "storage/audit_records.h"
#include "storage/seals.h"

namespace sgl::engine {

// One thing that is wrong.
struct AuditFinding {
  // CHANGED, DROPPED, ADDED, REORDERED, SEAL_MISSING, SEAL_CHANGED,
  // WRONG_SIGNATURE, UNKNOWN_KEY, ROLLED_BACK, FORKED.
  std::string kind = {};
  // Number of the first entry that it concerns; unset for one that has none.
  std::optional<int64_t> sequence = {};
  // Its id; empty where it concerns more than one.
  std::string entry_id = {};
  // A sentence.
  std::string message = {};
};

// An entry that no seal holds yet.
struct UnsealedNote {
  std::string id;
  std::string action;
  // False: nor does it wait for one. It was put in behind the sealer's back.
  bool is_queued = true;
};

struct AuditReport {
  // In the order in which they were found: by entry. At most kFindingsMax.
  std::vector<AuditFinding> findings = {};
  // Findings in all.
  int64_t finding_count = 0;
  int64_t sealed_count = 0;
  int64_t unsealed_count = 0;
  // The first of the unsealed ones; at most kFindingsMax.
  std::vector<UnsealedNote> unsealed = {};
  // Entries that a verified signature covers; 0 where no key was given.
  int64_t signed_size = 0;
  // The largest head from outside that the log agrees with; 0 for none.
  int64_t head_size = 0;
  // Of the log as recomputed.
  std::string root_hash = {};
};

// Confined to one thread.
class AuditVerifier {
 public:
  static constexpr size_t kFindingsMax = 100;

  struct Options {
    std::string log_id = {};
    // Heads kept outside; those of other logs are left aside.
    std::vector<storage::SealHead> heads = {};
    // Empty: signatures are not looked at.
    std::vector<AuditPublicKey> keys = {};
  };

  explicit AuditVerifier(const Options& options);

  // Goes on after a log's first entries, which somebody verified before.
  void StartAt(MerkleTree tree) { tree_ = std::move(tree); }

  // Takes the next seal and the entries with its ids, in any order.
  void AddSeal(const storage::Seal& seal,
               const std::vector<storage::AuditRecord>& entries);
  // Takes an entry that no seal holds.
  void AddUnsealed(const UnsealedNote& entry);
  // Takes an entry that was gone before it was sealed.
  void AddMissing(const std::string& entry_id);

  // The tree up to here.
  const MerkleTree& tree() const { return tree_; }

  // What was found up to here, without what only the end can tell.
  const AuditReport& report() const { return report_; }
  // Says what is left to say, and returns all of it.
  AuditReport Finish();

 private:
  using EntriesById = absl::flat_hash_map<std::string, std::vector<size_t>>;

  void Report(AuditFinding finding);
  bool CheckPlace(const storage::Seal& seal);
  void CheckEntries(const storage::Seal& seal,
                    const std::vector<storage::AuditRecord>& entries);
  void CheckEntry(const storage::Seal& seal, size_t place,
                  const std::vector<std::string>& hashes,
                  const std::vector<size_t>& found);
  void CheckOrder(int64_t sequence, const storage::AuditRecord& entry);
  void CheckSeal(const storage::Seal& seal);
  void CheckSignature(const storage::SealHead& head, int64_t first_sequence);
  void CheckHeads();
  absl::string_view HashAt(const storage::Seal& seal, size_t place) const;

  const std::vector<AuditPublicKey> keys_;
  // By size; several of one size where they differ.
  std::multimap<int64_t, storage::SealHead> heads_;
  MerkleTree tree_;
  AuditReport report_;
  // Where the range begins that the next head from outside vouches for.
  int64_t vouched_ = 0;
  bool is_forked_ = false;
  // The last transition seen of each intent.
  absl::flat_hash_map<std::string, int64_t> transitions_;
};

}  // namespace sgl::engine

#endif  // ENGINE_AUDIT_VERIFIER_H_
