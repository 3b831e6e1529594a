// Proves that the sealer seals every committed entry exactly once, in the tree
// of its own log and an intent's entries in their order, whatever commits late,
// whoever else seals, and whatever was done to the rows; and that heads reach
// their file.

#include "engine/sealer.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <set>
#include <thread>

#include "engine/audit_head.h"
#include "engine/files.h"
#include "engine/merkle.h"
#include "storage/seals.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::engine {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::TestDatabase;
using ::testing::ElementsAreArray;

class SealerTest : public ::testing::Test {
 protected:
  // Inserts entries as the engine does; `entity` is an intent's id.
  static std::string Insert(const std::string& tenant, int count) {
    return absl::StrCat(
        "INSERT INTO audit_log (tenant_id, action, entity_type, entity_id, "
        "meta, transition_number) SELECT ",
        tenant.empty() ? "NULL" : absl::StrCat("'", tenant, "'"),
        ", 'SGL_EVALUATED', 'intent', md5((n / 3)::text)::uuid, "
        "jsonb_build_object('n', n), n % 3 + 1 FROM generate_series(1, ",
        count, ") AS n");
  }

  void MustRun(const std::string& sql) {
    const auto result = super_.Run(sql);
    ASSERT_TRUE(result.ok()) << sql << "\n" << result.error;
  }

  int Waiting() {
    return std::stoi(super_.Value("SELECT count(*) FROM audit_unsealed"));
  }

  std::vector<storage::Seal> Seals(const std::string& log_id) {
    auto tx =
        database_->runtime().Begin({.tenants = {storage::ReaderOfLog(log_id)}});
    EXPECT_THAT(tx, IsOk());
    auto seals = storage::ReadSeals(*tx, log_id, 0, 10'000);
    EXPECT_THAT(seals, IsOk());
    return *seals;
  }

  // Recomputes a log from its rows and compares it with its seals; returns the
  // ids in the order of their leaves.
  std::vector<std::string> CheckLog(const std::string& log_id) {
    std::vector<std::string> ids;
    MerkleTree tree;
    for (const storage::Seal& seal : Seals(log_id)) {
      EXPECT_EQ(seal.first_sequence, tree.size());
      auto tx = database_->runtime().Begin(
          {.tenants = {storage::ReaderOfLog(log_id)}});
      const auto records =
          storage::ReadAuditRecords(*tx, log_id, seal.entry_ids);
      EXPECT_THAT(records, IsOk());
      EXPECT_EQ(records->size(), seal.entry_ids.size());
      std::map<std::string, std::string> hashes;
      for (const storage::AuditRecord& record : *records) {
        hashes[*record[storage::AuditColumn::kId]] = AuditLeafHash(record);
      }
      for (const std::string& id : seal.entry_ids) {
        tree.Append(hashes[id]);
        ids.push_back(id);
      }
      EXPECT_EQ(tree.Root(), seal.head.root_hash);
      EXPECT_EQ(tree.Frontier(), seal.frontier);
      EXPECT_EQ(tree.size(), seal.head.tree_size);
    }
    return ids;
  }

  std::string CountOf(const std::string& tenant) {
    return super_.Value(absl::StrCat(
        "SELECT count(*) FROM audit_log WHERE tenant_id ",
        tenant.empty() ? "IS NULL" : absl::StrCat("= '", tenant, "'")));
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SqlConnection& super_ = database_->Super();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
};

TEST_F(SealerTest, EveryColumnOfAnEntryIsKnown) {
  std::vector<std::string> ours;
  for (size_t i = 0; i < storage::kAuditColumnCount; ++i) {
    ours.emplace_back(storage::AuditColumnName(i));
  }
  const auto columns = super_.Run(
      "SELECT attname FROM pg_attribute WHERE attrelid = 'audit_log'::regclass "
      "AND attnum > 0 AND NOT attisdropped ORDER BY attnum");
  std::vector<std::string> theirs;
  for (const auto& row : columns.rows) theirs.push_back(row[0]);
  EXPECT_THAT(ours, ElementsAreArray(theirs));
}

TEST_F(SealerTest, EveryEntryIsSealedOnceInItsOwnLog) {
  MustRun(Insert(acme_.id, 300));
  MustRun(Insert(bolt_.id, 5));
  MustRun(Insert("", 3));
  Sealer sealer(&database_->runtime(), {.block_max = 64});
  ASSERT_THAT(sealer.SealAll(), IsOk());
  EXPECT_EQ(Waiting(), 0);
  MustRun(Insert(bolt_.id, 1));
  EXPECT_EQ(*sealer.SealAll(), 1);
  EXPECT_EQ(*sealer.SealAll(), 0);
  for (const std::string& tenant : {acme_.id, bolt_.id, std::string()}) {
    SCOPED_TRACE(tenant);
    const std::vector<std::string> ids =
        CheckLog(tenant.empty() ? std::string(storage::kPlatformLog) : tenant);
    EXPECT_EQ(std::set(ids.begin(), ids.end()).size(), ids.size());
    EXPECT_EQ(absl::StrCat(ids.size()), CountOf(tenant));
  }
  // More than a block's worth were sealed at once, and blocks stayed small.
  EXPECT_EQ(super_.Value(absl::StrCat(
                "SELECT max(entry_count) || ' ' || (count(*) >= 5) FROM "
                "audit_seals WHERE tenant_id = '",
                acme_.id, "'")),
            "64 true");
  // An intent's entries stand in their order, over the borders of blocks.
  EXPECT_EQ(super_.Value(absl::StrCat(
                "SELECT count(*) FROM (SELECT a.transition_number, "
                "lag(a.transition_number) OVER (PARTITION BY a.entity_id ORDER "
                "BY s.first_sequence, e.place) AS before FROM audit_seals AS s "
                "CROSS JOIN unnest(s.entry_ids) WITH ORDINALITY AS e (id, "
                "place) JOIN audit_log AS a ON a.id = e.id WHERE a.tenant_id = "
                "'",
                acme_.id,
                "' AND a.entity_type = 'intent') AS o "
                "WHERE o.before >= o.transition_number")),
            "0");
}

TEST_F(SealerTest, WhatCommitsLateIsSealedLater) {
  SqlConnection slow(database_->superuser_url());
  ASSERT_TRUE(slow.Run("BEGIN").ok());
  ASSERT_TRUE(slow.Run(Insert(acme_.id, 2)).ok());
  MustRun(Insert(acme_.id, 3));
  Sealer sealer(&database_->runtime(), {});
  ASSERT_THAT(sealer.SealAll(), IsOk());
  const size_t before = CheckLog(acme_.id).size();
  // Another one goes away without a trace.
  SqlConnection undone(database_->superuser_url());
  ASSERT_TRUE(undone.Run("BEGIN").ok());
  ASSERT_TRUE(undone.Run(Insert(acme_.id, 7)).ok());
  ASSERT_TRUE(undone.Run("ROLLBACK").ok());
  ASSERT_TRUE(slow.Run("COMMIT").ok());
  EXPECT_EQ(*sealer.SealAll(), 2);
  EXPECT_EQ(CheckLog(acme_.id).size(), before + 2);
  EXPECT_EQ(Waiting(), 0);
}

TEST_F(SealerTest, SealersTakeTurns) {
  constexpr int kSealers = 4;
  std::atomic<int> sealed = 0;
  std::atomic<bool> is_done = false;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kSealers; ++i) {
    threads.emplace_back([&] {
      Sealer sealer(&database_->runtime(), {.block_max = 16});
      while (!is_done) {
        const auto count = sealer.SealAll();
        EXPECT_THAT(count, IsOk());
        sealed += count.value_or(0);
      }
    });
  }
  const int before = std::stoi(super_.Value("SELECT count(*) FROM audit_log"));
  for (int i = 0; i < 50; ++i) {
    MustRun(Insert(i % 2 == 0 ? acme_.id : bolt_.id, 7));
  }
  while (sealed < before + 350 && !HasFailure()) std::this_thread::yield();
  is_done = true;
  threads.clear();
  EXPECT_EQ(sealed, before + 350);
  EXPECT_EQ(Waiting(), 0);
  for (const std::string& tenant : {acme_.id, bolt_.id}) {
    EXPECT_EQ(absl::StrCat(CheckLog(tenant).size()), CountOf(tenant));
  }
}

TEST_F(SealerTest, NobodySealsWhatIsNotTheirs) {
  MustRun(Insert(acme_.id, 1));
  const std::string position =
      super_.Value("SELECT max(queue_position) FROM audit_unsealed");
  SqlConnection runtime(database_->runtime_url());
  const auto seal = [&](const std::string& tenant, int first,
                        const std::string& positions, int count) {
    const std::string hash = "ARRAY[sha256('x')]";
    return runtime
        .Run(absl::StrCat("SELECT append_audit_seals(ARRAY['", tenant,
                          "'::uuid], ARRAY[", first, "::bigint], ARRAY[", count,
                          "], ARRAY[", positions, "]::bigint[], ", hash, ", ",
                          hash, ", ", hash, ", 0, NULL, ARRAY[NULL::bytea])"))
        .sqlstate;
  };
  // In another's log, not at the end, one that isn't there, one twice, and
  // more than were named.
  EXPECT_EQ(seal(bolt_.id, 0, position, 1), "23514");
  EXPECT_EQ(seal(acme_.id, 5, position, 1), "23514");
  EXPECT_EQ(seal(acme_.id, 0, "0", 1), "23514");
  EXPECT_EQ(seal(acme_.id, 0, absl::StrCat(position, ",", position), 2),
            "23514");
  EXPECT_EQ(seal(acme_.id, 0, position, 0), "23514");
  EXPECT_EQ(seal(acme_.id, 0, position, 1), "");
  EXPECT_EQ(seal(acme_.id, 1, position, 1), "23514");
  // Two blocks of one log at once: the second must go on from the first, and
  // what one lacks isn't made up for by the other.
  MustRun(Insert(acme_.id, 2));
  const std::string positions = super_.Value(
      "SELECT string_agg(queue_position::text, ',' ORDER BY queue_position) "
      "FROM (SELECT queue_position FROM audit_unsealed ORDER BY queue_position "
      "DESC LIMIT 2) AS newest");
  const auto seal_both = [&](const std::string& tenants,
                             const std::string& firsts,
                             const std::string& counts) {
    const std::string hashes = "ARRAY[sha256('x'), sha256('y')]";
    return runtime
        .Run(absl::StrCat("SELECT append_audit_seals('{", tenants, "}', '{",
                          firsts, "}', '{", counts, "}', '{", positions, "}', ",
                          hashes, ", ", hashes, ", ", hashes,
                          ", 0, NULL, ARRAY[NULL, NULL]::bytea[])"))
        .sqlstate;
  };
  const std::string acme_twice = absl::StrCat(acme_.id, ",", acme_.id);
  EXPECT_EQ(seal_both(acme_twice, "1,1", "1,1"), "23514");
  EXPECT_EQ(seal_both(acme_twice, "1,3", "1,1"), "23514");
  EXPECT_EQ(seal_both(acme_twice, "2,1", "1,1"), "23514");
  EXPECT_EQ(seal_both(acme_twice, "1,3", "2,0"), "23514");
  EXPECT_EQ(seal_both(absl::StrCat(acme_.id, ",", bolt_.id), "1,0", "1,1"),
            "23514");
  EXPECT_EQ(seal_both(acme_twice, "1,2", "1,1"), "");
}

TEST_F(SealerTest, AnEntryTakenOutBeforeItsSealHoldsNobodyUp) {
  MustRun(Insert(acme_.id, 3));
  MustRun(
      "SET session_replication_role = replica; "
      "DELETE FROM audit_log WHERE meta ->> 'n' = '2'; "
      "SET session_replication_role = DEFAULT");
  Sealer sealer(&database_->runtime(), {.block_max = 2});
  while (*sealer.SealAll() > 0) {
  }
  EXPECT_EQ(Waiting(), 1);
  EXPECT_EQ(absl::StrCat(CheckLog(acme_.id).size()), CountOf(acme_.id));
  auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
  ASSERT_THAT(tx, IsOk());
  EXPECT_EQ(storage::MissingEntries(*tx, acme_.id)->size(), 1u);
}

TEST_F(SealerTest, ATamperedTipHoldsNobodyUp) {
  Sealer sealer(&database_->runtime(), {});
  ASSERT_THAT(sealer.SealAll(), IsOk());
  MustRun(
      "SET session_replication_role = replica; "
      "UPDATE audit_seals SET frontier = sha256('x'); "
      "SET session_replication_role = DEFAULT");
  MustRun(Insert(acme_.id, 2));
  MustRun(Insert(bolt_.id, 2));
  EXPECT_EQ(*sealer.SealAll(), 4);
}

TEST_F(SealerTest, HeadsAreSignedAndReachTheirFile) {
  std::string folder = absl::StrCat(::testing::TempDir(), "/heads.XXXXXX");
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = absl::StrCat(folder, "/later/heads.jsonl");
  const AuditKey key = AuditKey::Generate();
  Sealer sealer(&database_->runtime(), {.key = key, .heads_path = path});
  // The folder isn't there: heads wait, sealing goes on.
  ASSERT_THAT(sealer.SealAll(), IsOk());
  std::filesystem::create_directory(absl::StrCat(folder, "/later"));
  EXPECT_EQ(*sealer.SealAll(), 0);
  const auto read = [&]() -> std::vector<storage::SealHead> {
    const auto text = ReadFile(path);
    EXPECT_THAT(text, IsOk());
    const auto heads = ParseHeads(text.value_or(""));
    EXPECT_THAT(heads, IsOk());
    return *heads;
  };
  const std::vector<storage::SealHead> heads = read();
  // Both tenants, and the system tenant, whose own making is an entry.
  EXPECT_EQ(heads.size(), 3u);
  for (const storage::SealHead& head : heads) {
    EXPECT_EQ(head, Seals(head.log_id).back().head);
    EXPECT_TRUE(key.public_key().Verify(HeadNote(head), head.signature));
  }
  // Moved away, as log rotation does it.
  std::filesystem::rename(path, absl::StrCat(path, ".1"));
  MustRun(Insert(bolt_.id, 2));
  EXPECT_EQ(*sealer.SealAll(), 2);
  EXPECT_EQ(read().size(), 1u);
  // A process that ended before it wrote: the next one writes what is newest.
  // A line that was cut short stays alone.
  ASSERT_TRUE(WriteFileWhole(path, "{\"log\":", 0600).ok());
  Sealer again(&database_->runtime(), {.key = key, .heads_path = path});
  EXPECT_EQ(*again.SealAll(), 0);
  const auto text = ReadFile(path);
  EXPECT_EQ(ParseHeads(text->substr(text->find('\n')))->size(), 3u);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sgl::engine
