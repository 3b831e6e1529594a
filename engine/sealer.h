// The loop that seals audit entries: off the hot path, it takes what was
// committed, hashes it into each log's Merkle tree, signs the new heads and
// stores them, within about a second.
//
//   Sealer sealer(&db, {.key = key, .heads_path = "/var/log/heads.jsonl"});
//   sealer.Start();
//   sealer.Stop();   // Finishes the batch in hand.
//
// One sealer of a database works at a time, under a lock that lasts for a
// transaction; the others skip their turn. It seals what it sees and waits for
// nobody: an entry whose transaction commits late is sealed after others that
// are younger. Without a key heads are stored unsigned.

#ifndef ENGINE_SEALER_H_
#define ENGINE_SEALER_H_

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/audit_key.h"
#include "engine/heads_file.h"
#include "engine/merkle.h"
#include "engine/wake_signal.h"
#include "storage/database.h"
#include "storage/seals.h"

namespace sgl::engine {

// Start and Stop are thread-safe against each other; SealAll is for the
// sealer's thread, and for tests that have none. Owned by the engine; borrows
// the database.
class Sealer {
 public:
  struct Options {
    std::optional<AuditKey> key = {};
    // Empty: heads are kept in the database alone.
    std::string heads_path = {};
    // Entries a block. Larger ones gain nothing more and make a block heavier
    // to read. A transaction takes several times as many, for logs that get few
    // entries each.
    int block_max = 4096;
    // How long after it sealed something it looks at the queue again: with the
    // work of a batch that keeps the lag well under 2 s.
    absl::Duration poll_interval = absl::Milliseconds(500);
    // The same after it found nothing; Wake ends it.
    absl::Duration idle_interval = absl::Milliseconds(500);
    // Off: leaves sealing to other engines.
    bool seals = true;
  };

  Sealer(storage::Database* db, const Options& options);
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;
  // Stops.
  ~Sealer();

  void Start();
  // Returns when the thread ended. Calling it again does nothing.
  void Stop();

  // Says that there may be entries to seal.
  void Wake() { signal_.Set(); }

  // Seals until the queue is empty or another sealer is at work. Returns how
  // many entries it sealed.
  absl::StatusOr<int> SealAll();

 private:
  void Run();
  absl::Status WriteNewestHeads();
  // Seals one batch; returns how many entries it had.
  absl::StatusOr<int> SealBatch();
  // A claimed entry, hashed.
  struct Leaf {
    int64_t queue_position = 0;
    std::string hash;
  };
  void AddBlocks(const storage::LogTip& tip, std::vector<Leaf> leaves,
                 std::vector<storage::NewSeal>* seals) const;
  storage::SealHead MakeHead(const storage::LogTip& tip,
                             const MerkleTree& tree) const;
  void KeepHeads(const std::vector<storage::NewSeal>& seals);

  storage::Database* const db_;
  const Options options_;
  HeadsFile heads_;
  // Entries a transaction. Halved when a batch fails, so that one entry that
  // can't be handled holds up few; doubled when one succeeds.
  int batch_;
  bool has_written_newest_ = false;
  WakeSignal signal_;
  std::jthread thread_;
};

}  // namespace sgl::engine

#endif  // ENGINE_SEALER_H_
