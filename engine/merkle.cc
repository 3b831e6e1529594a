#include "engine/merkle.h"

#include <absl/strings/str_cat.h>

#include <bit>
#include <utility>

#include "base/check.h"
#include "base/sha256.h"

namespace sgl::engine {
namespace {

int PeakCount(int64_t size) {
  return std::popcount(static_cast<uint64_t>(size));
}

// The largest power of two below `size`. REQUIRES: size >= 2.
int64_t SplitOf(int64_t size) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(size - 1)));
}

// Folds peaks, largest first, from the right.
std::string Fold(std::span<const std::string> peaks) {
  std::string root = peaks.back();
  for (size_t i = peaks.size() - 1; i > 0; --i) {
    root = NodeHash(peaks[i - 1], root);
  }
  return root;
}

bool AreHashes(std::span<const std::string> path) {
  for (const std::string& hash : path) {
    if (hash.size() != kMerkleHashBytes) return false;
  }
  return true;
}

}  // namespace

std::string LeafHash(absl::string_view leaf) {
  return Sha256(absl::StrCat(absl::string_view("\0", 1), leaf));
}

std::string NodeHash(absl::string_view left, absl::string_view right) {
  return Sha256(absl::StrCat("\1", left, right));
}

std::optional<MerkleTree> MerkleTree::FromFrontier(int64_t size,
                                                   absl::string_view frontier) {
  if (size < 0) return std::nullopt;
  const auto count = static_cast<size_t>(PeakCount(size));
  if (frontier.size() != count * kMerkleHashBytes) return std::nullopt;
  MerkleTree tree;
  tree.size_ = size;
  for (size_t i = 0; i < count; ++i) {
    tree.peaks_.emplace_back(
        frontier.substr(i * kMerkleHashBytes, kMerkleHashBytes));
  }
  return tree;
}

void MerkleTree::Append(std::string leaf_hash) {
  SGL_CHECK_EQ(leaf_hash.size(), kMerkleHashBytes);
  // Each bit that carries joins two subtrees of one size.
  std::string hash = std::move(leaf_hash);
  for (int64_t carry = size_; (carry & 1) != 0; carry >>= 1) {
    hash = NodeHash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(std::move(hash));
  ++size_;
}

std::string MerkleTree::Root() const {
  return peaks_.empty() ? Sha256("") : Fold(peaks_);
}

std::string MerkleTree::Frontier() const {
  std::string frontier;
  for (const std::string& peak : peaks_) frontier += peak;
  return frontier;
}

std::string MerkleRoot(std::span<const std::string> leaf_hashes) {
  MerkleTree tree;
  for (const std::string& hash : leaf_hashes) tree.Append(hash);
  return tree.Root();
}

std::vector<LeafRange> InclusionRanges(int64_t index, int64_t size) {
  SGL_CHECK(index >= 0 && index < size);
  std::vector<LeafRange> downwards;
  LeafRange range{.begin = 0, .end = size};
  while (range.end - range.begin > 1) {
    const int64_t middle = range.begin + SplitOf(range.end - range.begin);
    if (index < middle) {
      downwards.push_back({.begin = middle, .end = range.end});
      range.end = middle;
    } else {
      downwards.push_back({.begin = range.begin, .end = middle});
      range.begin = middle;
    }
  }
  return {downwards.rbegin(), downwards.rend()};
}

std::vector<LeafRange> ConsistencyRanges(int64_t old_size, int64_t new_size) {
  SGL_CHECK(old_size >= 0 && old_size <= new_size);
  if (old_size == 0 || old_size == new_size) return {};
  std::vector<LeafRange> downwards;
  LeafRange range{.begin = 0, .end = new_size};
  // Whether the old tree's root is what is left of the range: then whoever
  // verifies has it already.
  bool is_old_root = true;
  while (range.end != old_size) {
    const int64_t middle = range.begin + SplitOf(range.end - range.begin);
    if (old_size <= middle) {
      downwards.push_back({.begin = middle, .end = range.end});
      range.end = middle;
    } else {
      downwards.push_back({.begin = range.begin, .end = middle});
      range.begin = middle;
      is_old_root = false;
    }
  }
  if (!is_old_root) downwards.push_back(range);
  return {downwards.rbegin(), downwards.rend()};
}

bool VerifyInclusion(const InclusionClaim& claim,
                     std::span<const std::string> path) {
  if (claim.index < 0 || claim.index >= claim.tree_size || !AreHashes(path)) {
    return false;
  }
  const std::vector<LeafRange> ranges =
      InclusionRanges(claim.index, claim.tree_size);
  if (ranges.size() != path.size()) return false;
  std::string hash = claim.leaf_hash;
  for (size_t i = 0; i < path.size(); ++i) {
    hash = ranges[i].begin > claim.index ? NodeHash(hash, path[i])
                                         : NodeHash(path[i], hash);
  }
  return hash == claim.root;
}

bool VerifyConsistency(const ConsistencyClaim& claim,
                       std::span<const std::string> path) {
  if (claim.old_size < 0 || claim.old_size > claim.new_size) return false;
  const std::vector<LeafRange> ranges =
      ConsistencyRanges(claim.old_size, claim.new_size);
  if (ranges.size() != path.size() || !AreHashes(path)) return false;
  if (claim.old_size == claim.new_size) {
    return claim.old_root == claim.new_root;
  }
  if (claim.old_size == 0) return claim.old_root == Sha256("");
  // Without a first hash that ends where the old tree does, that tree is a
  // complete subtree of the new one and its root is where to start.
  size_t next = 0;
  std::string old_hash = claim.old_root;
  if (ranges[0].end == claim.old_size) old_hash = path[next++];
  std::string new_hash = old_hash;
  for (; next < path.size(); ++next) {
    if (ranges[next].begin >= claim.old_size) {
      new_hash = NodeHash(new_hash, path[next]);
    } else {
      old_hash = NodeHash(path[next], old_hash);
      new_hash = NodeHash(path[next], new_hash);
    }
  }
  return old_hash == claim.old_root && new_hash == claim.new_root;
}

}  // namespace sgl::engine
