// Proves that a leaf tells every column of an entry apart, nulls and borders
// included, that signatures hold for exactly the head they were made for, and
// that the line of JSON says all of a head and nothing else is read as one.

#include "engine/audit_head.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <set>

#include "engine/audit_key.h"

namespace sgl::engine {
namespace {

using storage::AuditRecord;
using storage::SealHead;

AuditRecord SomeRecord() {
  AuditRecord record;
  for (size_t i = 0; i < storage::kAuditColumnCount; ++i) {
    record.values[i] = absl::StrCat("value ", i);
  }
  return record;
}

SealHead SomeHead() {
  return {.log_id = "0190d3f6-0000-4000-8000-000000000001",
          .tree_size = 1042,
          .root_hash = std::string(32, '\x5a'),
          .sealed_at = absl::FromUnixMicros(1'764'000'000'123'456)};
}

TEST(AuditLeafTest, EveryColumnCounts) {
  const AuditRecord record = SomeRecord();
  std::set<std::string> leaves = {AuditLeaf(record)};
  for (size_t i = 0; i < storage::kAuditColumnCount; ++i) {
    SCOPED_TRACE(storage::AuditColumnName(i));
    AuditRecord other = record;
    *other.values[i] += "!";
    EXPECT_TRUE(leaves.insert(AuditLeaf(other)).second);
    other.values[i] = "";
    EXPECT_TRUE(leaves.insert(AuditLeaf(other)).second);
    other.values[i] = std::nullopt;
    EXPECT_TRUE(leaves.insert(AuditLeaf(other)).second);
    // Nor does a text pass from a column to the next.
    if (i + 1 == storage::kAuditColumnCount) continue;
    other = record;
    other.values[i] = absl::StrCat(*record.values[i], *record.values[i + 1]);
    other.values[i + 1] = "";
    EXPECT_TRUE(leaves.insert(AuditLeaf(other)).second);
    other = record;
    std::swap(other.values[i], other.values[i + 1]);
    EXPECT_TRUE(leaves.insert(AuditLeaf(other)).second);
  }
}

TEST(AuditLeafTest, TheFormIsFixed) {
  // Logs outlive builds: another form needs another number in it.
  EXPECT_EQ(absl::BytesToHexString(AuditLeafHash(SomeRecord())),
            "779bea4f45268e5cd466e9a59e821dbdbfd1c68e16acc64e0afe3d1ad61168f0");
  EXPECT_EQ(absl::BytesToHexString(AuditLeafHash(AuditRecord())),
            "d4b6f27ab212ae2f50a6f020e9ee23e8957f289348bc7c86df0aca794a08eeac");
}

TEST(AuditKeyTest, AKeySignsAndItsPublicHalfVerifies) {
  const AuditKey key = AuditKey::Generate();
  SealHead head = SomeHead();
  head.key_id = key.public_key().id();
  const std::string signature = key.Sign(HeadNote(head));
  const AuditPublicKey& verifier = key.public_key();
  EXPECT_TRUE(verifier.Verify(HeadNote(head), signature));
  std::vector<SealHead> others(5, head);
  others[0].tree_size += 1;
  others[1].root_hash[0] ^= 1;
  others[2].sealed_at += absl::Microseconds(1);
  others[3].log_id = std::string(storage::kPlatformLog);
  others[4].key_id = "other";
  for (const SealHead& other : others) {
    EXPECT_FALSE(verifier.Verify(HeadNote(other), signature));
  }
  EXPECT_FALSE(
      AuditKey::Generate().public_key().Verify(HeadNote(head), signature));
  EXPECT_FALSE(verifier.Verify(HeadNote(head), ""));
  EXPECT_FALSE(verifier.Verify(HeadNote(head), signature.substr(1)));
}

TEST(AuditKeyTest, PemIsReadBack) {
  const AuditKey key = AuditKey::Generate();
  const auto again = AuditKey::FromPem(key.Pem());
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->public_key().id(), key.public_key().id());
  EXPECT_EQ(again->Sign("text"), key.Sign("text"));
  for (const std::string& pem : {key.Pem(), key.public_key().Pem()}) {
    const auto verifier = AuditPublicKey::FromPem(pem);
    ASSERT_TRUE(verifier.ok());
    EXPECT_EQ(verifier->id(), key.public_key().id());
    EXPECT_TRUE(verifier->Verify("text", key.Sign("text")));
  }
  EXPECT_FALSE(AuditKey::FromPem(key.public_key().Pem()).ok());
  EXPECT_FALSE(AuditKey::FromPem("").ok());
  EXPECT_FALSE(AuditPublicKey::FromPem("no key").ok());
}

TEST(HeadJsonTest, ALineIsReadBack) {
  SealHead head = SomeHead();
  EXPECT_EQ(*ParseHeadJson(HeadJson(head)), head);
  head.key_id = "abc";
  head.signature = std::string(64, '\x01');
  EXPECT_EQ(*ParseHeadJson(HeadJson(head)), head);
}

TEST(HeadJsonTest, WhatIsNoHeadIsRefused) {
  const SealHead head = SomeHead();
  const std::string good = HeadJson(head);
  EXPECT_FALSE(ParseHeadJson("").ok());
  EXPECT_FALSE(ParseHeadJson("[]").ok());
  EXPECT_FALSE(ParseHeadJson("{}").ok());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {"1042", "0"},
           {"1042", "\"1042\""},
           {"5a5a", "5a5g"},
           {"5a5a", "5a"},
           {"\"key_id\":\"\"", "\"key_id\":\"half\""},
           {"0190d3f6", "0190"},
           {"1764000000123456", "9223372036854775807"}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    bad.replace(bad.find(from), from.size(), to);
    EXPECT_FALSE(ParseHeadJson(bad).ok()) << bad;
  }
}

TEST(HeadJsonTest, AFileWhoseLastWriteWasCutShortIsRead) {
  const std::string line = HeadJson(SomeHead());
  EXPECT_EQ(ParseHeads(absl::StrCat(line, "\n\n", line, "\n"))->size(), 2u);
  EXPECT_EQ(ParseHeads(absl::StrCat(line, "\n", line.substr(0, 30)))->size(),
            1u);
  // But not in the middle.
  EXPECT_FALSE(ParseHeads(absl::StrCat(line.substr(0, 30), "\n", line)).ok());
}

}  // namespace
}  // namespace sgl::engine
