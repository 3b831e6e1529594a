#include "engine/sealer.h"

#include <absl/container/flat_hash_map.h>
#include <absl/strings/str_cat.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "engine/audit_head.h"

namespace sgl::engine {
namespace {

// After a failed turn; doubled with each further one, up to the greatest.
constexpr absl::Duration kBackoffMin = absl::Milliseconds(100);
constexpr absl::Duration kBackoffMax = absl::Seconds(5);

// A transaction takes up to so many blocks' worth of entries. Where 1,000
// tenants are at work, a block of each then has 32 entries and not 4; and even
// on a busy machine it takes less than a second.
constexpr int kBlocksABatch = 8;

absl::string_view LogOf(const storage::AuditRecord& record) {
  const absl::string_view tenant = record.Text(storage::AuditColumn::kTenantId);
  return tenant.empty() ? storage::kPlatformLog : tenant;
}

// The tree that a log goes on with. A tip that was tampered with is gone on
// from all the same: whoever verifies finds it, and no tenant's sealing stops.
MerkleTree TreeOf(const storage::LogTip& tip) {
  std::optional<MerkleTree> tree =
      MerkleTree::FromFrontier(tip.tree_size, tip.frontier);
  if (!tree.has_value() ||
      (tip.tree_size > 0 && tree->Root() != tip.root_hash)) {
    LogError(
        "audit log {}: the last seal's tree is not its root: it was "
        "tampered with; run `intentctl audit verify`",
        tip.log_id);
  }
  if (tree.has_value()) return *std::move(tree);
  const auto peaks =
      static_cast<size_t>(std::popcount(static_cast<uint64_t>(tip.tree_size)));
  return *MerkleTree::FromFrontier(tip.tree_size,
                                   std::string(peaks * kMerkleHashBytes, '\0'));
}

}  // namespace

Sealer::Sealer(storage::Database* db, const Options& options)
    : db_(db),
      options_(options),
      heads_(options.heads_path),
      batch_(options.block_max * kBlocksABatch) {
  SGL_CHECK(options.block_max >= 1);
}

Sealer::~Sealer() { Stop(); }

void Sealer::Start() {
  SGL_CHECK(!thread_.joinable());
  if (!options_.seals) return;
  if (!options_.key.has_value()) {
    LogWarn(
        "no --audit-key: the audit log is sealed, but its heads are not "
        "signed");
  }
  thread_ = std::jthread([this] { Run(); });
}

void Sealer::Stop() {
  signal_.Stop();
  if (thread_.joinable()) thread_.join();
}

void Sealer::Run() {
  absl::Duration backoff = kBackoffMin;
  while (!signal_.is_stopped()) {
    const absl::StatusOr<int> sealed = SealAll();
    absl::Duration pause = options_.idle_interval;
    if (sealed.ok()) {
      backoff = kBackoffMin;
      if (*sealed > 0) pause = options_.poll_interval;
    } else {
      LogWarn("seal the audit log: {}; next try in {}",
              sealed.status().ToString(), absl::FormatDuration(backoff));
      pause = backoff;
      backoff = std::min(backoff * 2, kBackoffMax);
    }
    signal_.Wait(pause);
  }
}

absl::StatusOr<int> Sealer::SealAll() {
  if (!has_written_newest_) {
    const absl::Status written = WriteNewestHeads();
    if (!written.ok()) return written;
  }
  int total = 0;
  while (!signal_.is_stopped()) {
    const int batch = batch_;
    const absl::StatusOr<int> sealed = SealBatch();
    if (!sealed.ok()) {
      batch_ = std::max(1, batch_ / 2);
      return sealed.status();
    }
    batch_ = std::min(options_.block_max * kBlocksABatch, batch_ * 2);
    total += *sealed;
    if (*sealed < batch) break;
  }
  // What could not be written before.
  KeepHeads({});
  return total;
}

absl::Status Sealer::WriteNewestHeads() {
  // A process that ended between its commit and its write left heads that are
  // in the database alone. The newest of each log says all that they said.
  if (options_.heads_path.empty()) {
    has_written_newest_ = true;
    return absl::OkStatus();
  }
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  if (!tx.ok()) return tx.status();
  const absl::StatusOr<std::vector<storage::SealHead>> newest =
      storage::LatestHeads(*tx);
  if (!newest.ok()) return newest.status();
  has_written_newest_ = true;
  const absl::Status written = heads_.Append(*newest);
  if (!written.ok()) LogError("keep audit heads: {}", written.ToString());
  return absl::OkStatus();
}

absl::StatusOr<int> Sealer::SealBatch() {
  absl::StatusOr<storage::Transaction> tx = db_->Begin({});
  if (!tx.ok()) return tx.status();
  absl::flat_hash_map<std::string, std::vector<Leaf>> by_log;
  const absl::StatusOr<int> count = storage::ClaimUnsealed(
      *tx, batch_,
      [&](int64_t queue_position, const storage::AuditRecord& record) {
        by_log[LogOf(record)].push_back(
            {queue_position, AuditLeafHash(record)});
      });
  if (!count.ok()) return count.status();
  if (*count == 0) {
    // Entries that are gone may have been noted.
    const absl::Status committed = tx->Commit();
    if (!committed.ok()) return committed;
    return 0;
  }
  std::vector<std::string> log_ids;
  for (const auto& [log_id, leaves] : by_log) log_ids.push_back(log_id);
  const absl::StatusOr<std::vector<storage::LogTip>> tips =
      storage::ReadLogTips(*tx, log_ids);
  if (!tips.ok()) return tips.status();
  std::vector<storage::NewSeal> seals;
  for (const storage::LogTip& tip : *tips) {
    AddBlocks(tip, std::move(by_log[tip.log_id]), &seals);
  }
  absl::Status status = storage::AppendSeals(*tx, seals);
  if (status.ok()) status = tx->Commit();
  if (!status.ok()) return status;
  KeepHeads(seals);
  return *count;
}

void Sealer::AddBlocks(const storage::LogTip& tip, std::vector<Leaf> leaves,
                       std::vector<storage::NewSeal>* seals) const {
  // The queue's order, which is that of an intent's transitions.
  std::sort(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) {
    return a.queue_position < b.queue_position;
  });
  const auto block_max = static_cast<size_t>(options_.block_max);
  MerkleTree tree = TreeOf(tip);
  for (size_t begin = 0; begin < leaves.size(); begin += block_max) {
    const size_t end = std::min(leaves.size(), begin + block_max);
    storage::NewSeal item;
    item.seal.first_sequence = tree.size();
    for (size_t i = begin; i < end; ++i) {
      item.seal.leaf_hashes += leaves[i].hash;
      tree.Append(std::move(leaves[i].hash));
      item.queue_positions.push_back(leaves[i].queue_position);
    }
    item.seal.frontier = tree.Frontier();
    item.seal.head = MakeHead(tip, tree);
    seals->push_back(std::move(item));
  }
}

storage::SealHead Sealer::MakeHead(const storage::LogTip& tip,
                                   const MerkleTree& tree) const {
  storage::SealHead head;
  head.log_id = tip.log_id;
  head.tree_size = tree.size();
  head.root_hash = tree.Root();
  head.sealed_at = tip.now;
  if (options_.key.has_value()) {
    head.key_id = options_.key->public_key().id();
    head.signature = options_.key->Sign(HeadNote(head));
  }
  return head;
}

void Sealer::KeepHeads(const std::vector<storage::NewSeal>& seals) {
  std::vector<storage::SealHead> heads;
  heads.reserve(seals.size());
  for (const storage::NewSeal& item : seals) heads.push_back(item.seal.head);
  const absl::Status written = heads_.Append(heads);
  if (!written.ok()) {
    LogError("keep audit heads: {}; {} wait to be written", written.ToString(),
             heads_.pending());
  }
}

}  // namespace sgl::engine
