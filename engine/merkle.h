// The Merkle tree of RFC 6962 (and 9162): a log of leaves whose root commits
// to each leaf and to their order. Pure: no I/O, no clock.
//
//   MerkleTree tree;
//   tree.Append(LeafHash("first"));
//   tree.Append(LeafHash("second"));
//   std::string root = tree.Root();
//
// A tree is kept as its frontier: the roots of the complete subtrees that the
// size is made of, one for each bit that is set in it, largest first. That is
// enough to go on, and 64 hashes at most.
//
// Proofs are asked for in two steps, because whoever has the leaves knows best
// how to hash a range of them: InclusionRanges and ConsistencyRanges say which
// ranges a proof is made of, and the proof is the list of their roots.

#ifndef ENGINE_MERKLE_H_
#define ENGINE_MERKLE_H_

#include <absl/strings/string_view.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sgl::engine {

// Raw bytes of a SHA-256.
inline constexpr size_t kMerkleHashBytes = 32;

// Returns SHA-256 of 0x00 and the leaf's bytes: no leaf can pass for a node.
std::string LeafHash(absl::string_view leaf);
// Returns SHA-256 of 0x01 and both children's hashes.
std::string NodeHash(absl::string_view left, absl::string_view right);

// A tree that grows. Confined to one thread.
class MerkleTree {
 public:
  // Empty.
  MerkleTree() = default;
  // Goes on with a tree of `size` leaves. Unset where `frontier` (hashes one
  // after another) isn't as long as the size demands, or the size is negative.
  static std::optional<MerkleTree> FromFrontier(int64_t size,
                                                absl::string_view frontier);

  // REQUIRES: `leaf_hash` has kMerkleHashBytes bytes.
  void Append(std::string leaf_hash);

  int64_t size() const { return size_; }
  // Returns the root; of an empty tree, SHA-256 of nothing.
  std::string Root() const;
  // Returns the frontier, as FromFrontier reads it.
  std::string Frontier() const;

 private:
  int64_t size_ = 0;
  // Roots of complete subtrees, largest first.
  std::vector<std::string> peaks_;
};

// Returns the root over these leaf hashes.
std::string MerkleRoot(std::span<const std::string> leaf_hashes);

// Leaves `begin` to, and without, `end`.
struct LeafRange {
  int64_t begin = 0;
  int64_t end = 0;

  bool operator==(const LeafRange&) const = default;
};

// Returns the ranges whose roots prove that leaf `index` is in the tree of
// `size` leaves, from the leaf upwards. Each is a complete subtree, but for
// the tree's right edge. REQUIRES: 0 <= index < size.
std::vector<LeafRange> InclusionRanges(int64_t index, int64_t size);

// Returns the ranges whose roots prove that the tree of `old_size` leaves is
// the beginning of the one of `new_size`. None where one is empty or both are
// one. REQUIRES: 0 <= old_size <= new_size.
std::vector<LeafRange> ConsistencyRanges(int64_t old_size, int64_t new_size);

// What a proof of inclusion is about.
struct InclusionClaim {
  std::string leaf_hash = {};
  int64_t index = 0;
  int64_t tree_size = 0;
  std::string root = {};
};

// Returns whether `path` proves the claim.
bool VerifyInclusion(const InclusionClaim& claim,
                     std::span<const std::string> path);

// What a proof of consistency is about.
struct ConsistencyClaim {
  int64_t old_size = 0;
  std::string old_root = {};
  int64_t new_size = 0;
  std::string new_root = {};
};

// Returns whether `path` proves that the new tree only adds to the old one.
bool VerifyConsistency(const ConsistencyClaim& claim,
                       std::span<const std::string> path);

}  // namespace sgl::engine

#endif  // ENGINE_MERKLE_H_
