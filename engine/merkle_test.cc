// Proves that the tree, its frontier and its proofs are those of RFC 6962: by
// the reference values that implementations of it share, by the RFC's own
// recursive definition for all sizes up to 64, and by proofs that were tampered
// with.

#include "engine/merkle.h"

#include <absl/strings/escaping.h>
#include <gtest/gtest.h>

#include "base/sha256.h"

namespace sgl::engine {
namespace {

// The leaves of the reference tree that implementations of the RFC test with.
const std::vector<std::string>& ReferenceLeaves() {
  static const auto* const leaves = new std::vector<std::string>{
      absl::HexStringToBytes(""),
      absl::HexStringToBytes("00"),
      absl::HexStringToBytes("10"),
      absl::HexStringToBytes("2021"),
      absl::HexStringToBytes("3031"),
      absl::HexStringToBytes("40414243"),
      absl::HexStringToBytes("5051525354555657"),
      absl::HexStringToBytes("606162636465666768696a6b6c6d6e6f"),
  };
  return *leaves;
}

std::vector<std::string> Hashes(int64_t count) {
  std::vector<std::string> hashes;
  for (int64_t i = 0; i < count; ++i) {
    hashes.push_back(LeafHash(std::string(1, static_cast<char>(i))));
  }
  return hashes;
}

// The RFC's definition, word for word.
std::string Mth(std::span<const std::string> hashes) {
  if (hashes.empty()) return Sha256("");
  if (hashes.size() == 1) return hashes[0];
  size_t split = 1;
  while (split * 2 < hashes.size()) split *= 2;
  return NodeHash(Mth(hashes.first(split)), Mth(hashes.subspan(split)));
}

std::vector<std::string> RootsOf(std::span<const std::string> hashes,
                                 const std::vector<LeafRange>& ranges) {
  std::vector<std::string> roots;
  for (const LeafRange& range : ranges) {
    roots.push_back(
        Mth(hashes.subspan(static_cast<size_t>(range.begin),
                           static_cast<size_t>(range.end - range.begin))));
  }
  return roots;
}

TEST(MerkleTreeTest, ReferenceRoots) {
  const char* const kRoots[] = {
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  };
  MerkleTree tree;
  for (size_t size = 0;; ++size) {
    SCOPED_TRACE(size);
    EXPECT_EQ(absl::BytesToHexString(tree.Root()), kRoots[size]);
    if (size == ReferenceLeaves().size()) break;
    tree.Append(LeafHash(ReferenceLeaves()[size]));
  }
}

TEST(MerkleTreeTest, AgreesWithTheDefinitionAtEverySize) {
  const std::vector<std::string> hashes = Hashes(64);
  MerkleTree tree;
  for (size_t size = 0; size <= 64; ++size) {
    SCOPED_TRACE(size);
    const std::span<const std::string> some = std::span(hashes).first(size);
    EXPECT_EQ(tree.Root(), Mth(some));
    EXPECT_EQ(MerkleRoot(some), Mth(some));
    // A frontier is all it takes to go on.
    const auto again = MerkleTree::FromFrontier(tree.size(), tree.Frontier());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->Root(), tree.Root());
    tree = *again;
    if (size < 64) tree.Append(hashes[size]);
  }
}

TEST(MerkleTreeTest, FrontierOfAnotherLengthIsRefused) {
  MerkleTree tree;
  for (const std::string& hash : Hashes(5)) tree.Append(hash);
  EXPECT_TRUE(MerkleTree::FromFrontier(5, tree.Frontier()).has_value());
  EXPECT_FALSE(MerkleTree::FromFrontier(4, tree.Frontier()).has_value());
  EXPECT_FALSE(MerkleTree::FromFrontier(-1, "").has_value());
  EXPECT_FALSE(MerkleTree::FromFrontier(5, "short").has_value());
}

TEST(MerkleProofTest, ReferencePath) {
  // Leaf 0 of the reference tree of 8, and leaf 2 of the one of 3.
  std::vector<std::string> hashes;
  for (const std::string& leaf : ReferenceLeaves()) {
    hashes.push_back(LeafHash(leaf));
  }
  const std::vector<std::string> path = RootsOf(hashes, InclusionRanges(0, 8));
  ASSERT_EQ(path.size(), 3u);
  EXPECT_EQ(absl::BytesToHexString(path[0]),
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7");
  EXPECT_EQ(absl::BytesToHexString(path[1]),
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e");
  EXPECT_EQ(absl::BytesToHexString(path[2]),
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4");
  const std::vector<std::string> right = RootsOf(hashes, InclusionRanges(2, 3));
  ASSERT_EQ(right.size(), 1u);
  EXPECT_EQ(absl::BytesToHexString(right[0]),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
  // RFC 6962, 2.1.3: the consistency proof of 6 and 8 is of three nodes.
  const std::vector<std::string> growth =
      RootsOf(hashes, ConsistencyRanges(6, 8));
  ASSERT_EQ(growth.size(), 3u);
  EXPECT_EQ(absl::BytesToHexString(growth[0]),
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a");
  EXPECT_EQ(absl::BytesToHexString(growth[1]),
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
  EXPECT_EQ(absl::BytesToHexString(growth[2]),
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");
}

TEST(MerkleProofTest, EveryLeafOfEverySizeIsProved) {
  const std::vector<std::string> hashes = Hashes(64);
  for (int64_t size = 1; size <= 64; ++size) {
    const auto some = std::span(hashes).first(static_cast<size_t>(size));
    for (int64_t index = 0; index < size; ++index) {
      SCOPED_TRACE(testing::Message() << index << " of " << size);
      std::vector<std::string> path =
          RootsOf(some, InclusionRanges(index, size));
      InclusionClaim claim{.leaf_hash = hashes[static_cast<size_t>(index)],
                           .index = index,
                           .tree_size = size,
                           .root = Mth(some)};
      EXPECT_TRUE(VerifyInclusion(claim, path));
      // Not as another leaf, at another place, with a node more, or changed.
      InclusionClaim other = claim;
      other.leaf_hash = hashes[static_cast<size_t>(index + 1) % 64];
      EXPECT_FALSE(VerifyInclusion(other, path));
      other = claim;
      other.index = index + 1;
      EXPECT_FALSE(VerifyInclusion(other, path));
      path.push_back(hashes[0]);
      EXPECT_FALSE(VerifyInclusion(claim, path));
      path.pop_back();
      for (std::string& node : path) {
        node[0] ^= 1;
        EXPECT_FALSE(VerifyInclusion(claim, path));
        node[0] ^= 1;
      }
    }
  }
}

TEST(MerkleProofTest, EveryTreeIsTheBeginningOfEveryLargerOne) {
  const std::vector<std::string> hashes = Hashes(64);
  for (int64_t size = 0; size <= 64; ++size) {
    for (int64_t old_size = 0; old_size <= size; ++old_size) {
      SCOPED_TRACE(testing::Message() << old_size << " and " << size);
      const std::span<const std::string> all(hashes);
      std::vector<std::string> path =
          RootsOf(all, ConsistencyRanges(old_size, size));
      ConsistencyClaim claim{
          .old_size = old_size,
          .old_root = Mth(all.first(static_cast<size_t>(old_size))),
          .new_size = size,
          .new_root = Mth(all.first(static_cast<size_t>(size)))};
      EXPECT_TRUE(VerifyConsistency(claim, path));
      if (old_size == 0) continue;
      for (std::string* root : {&claim.old_root, &claim.new_root}) {
        (*root)[5] ^= 1;
        EXPECT_FALSE(VerifyConsistency(claim, path));
        (*root)[5] ^= 1;
      }
      for (std::string& node : path) {
        node[31] ^= 1;
        EXPECT_FALSE(VerifyConsistency(claim, path));
        node[31] ^= 1;
      }
    }
  }
}

TEST(MerkleProofTest, NonsenseIsNoProof) {
  EXPECT_FALSE(VerifyInclusion({.index = 0, .tree_size = 0}, {}));
  EXPECT_FALSE(VerifyInclusion({.index = -1, .tree_size = 1}, {}));
  EXPECT_FALSE(VerifyConsistency({.old_size = 2, .new_size = 1}, {}));
  EXPECT_FALSE(VerifyConsistency({.old_size = -1, .new_size = 1}, {}));
  const std::vector<std::string> short_hash = {"abc"};
  EXPECT_FALSE(VerifyInclusion({.index = 0, .tree_size = 2}, short_hash));
}

}  // namespace
}  // namespace sgl::engine
