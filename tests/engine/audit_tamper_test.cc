// Tampers with the audit log as only a superuser can, with all triggers off:
// flips each column, drops, adds, reorders, truncates, rolls back and forks
// entries, seals and both; and proves that the verifier finds each, names the
// first bad entry, and says what it can't know. Every case runs over the
// database's rows and over an export.

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <limits>

#include "engine/audit_head.h"
#include "engine/audit_reader.h"
#include "engine/audit_verifier.h"
#include "engine/merkle.h"
#include "engine/sealer.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"
#include "tools/intentctl/audit_files.h"

namespace sgl::engine {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::HasSubstr;

class AuditTamperTest : public ::testing::Test {
 protected:
  // 12 entries of 4 intents in three seals of 4.
  void SetUp() override {
    MustRun("SET session_replication_role = replica");
    MustRun("DELETE FROM audit_unsealed; DELETE FROM audit_log");
    MustRun("SET session_replication_role = DEFAULT");
    for (int seal = 0; seal < 3; ++seal) {
      Insert(4);
      SealAll();
    }
  }

  void MustRun(const std::string& sql) {
    const auto result = super_.Run(sql);
    ASSERT_TRUE(result.ok()) << sql << "\n" << result.error;
  }

  // Without triggers: past everything that keeps the log append-only.
  void Tamper(const std::string& sql) {
    MustRun("SET session_replication_role = replica");
    MustRun(sql);
    MustRun("SET session_replication_role = DEFAULT");
  }

  void Insert(int count) {
    for (int i = 0; i < count; ++i) {
      const int n = ++written_;
      MustRun(absl::StrCat(
          "INSERT INTO audit_log (tenant_id, actor_user_id, "
          "actor_external_id, action, entity_type, entity_id, meta, "
          "transition_number) VALUES ('",
          acme_.id, "', '", acme_.carol, "', 'agent:x', 'A", n,
          "', 'intent', '", Intent((n - 1) / 3), "', '{\"n\": ", n, "}', ",
          (n - 1) % 3 + 1, ")"));
    }
  }

  // In the order in which seals put them.
  static std::string Intent(int number) {
    return absl::StrFormat("00000000-0000-4000-8000-%012d", number);
  }

  void SealAll() {
    ASSERT_THAT(Sealer(&database_->runtime(), {.key = key_}).SealAll(), IsOk());
  }

  storage::SealHead LastHead() {
    auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
    const auto seal =
        storage::SealBefore(*tx, acme_.id, std::numeric_limits<int64_t>::max());
    EXPECT_THAT(seal, IsOk());
    return (*seal)->head;
  }

  AuditVerifier::Options With(std::vector<storage::SealHead> heads) {
    return {.log_id = acme_.id,
            .heads = std::move(heads),
            .keys = {key_.public_key()}};
  }

  AuditReport VerifyRows(const AuditVerifier::Options& options) {
    AuditVerifier verifier(options);
    AuditCursor cursor;
    while (!cursor.is_done) {
      auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
      const absl::Status fed =
          FeedVerifier(*tx, acme_.id, 5, &cursor, &verifier);
      EXPECT_THAT(fed, IsOk());
      if (!fed.ok()) break;
    }
    return verifier.Finish();
  }

  AuditReport VerifyExported(const AuditVerifier::Options& options) {
    std::string folder = absl::StrCat(::testing::TempDir(), "/export.XXXXXX");
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    EXPECT_THAT(tools::ExportAuditLog(database_->runtime(), acme_.id, folder),
                IsOk());
    AuditVerifier verifier(options);
    EXPECT_THAT(tools::FeedExport(folder, &verifier), IsOk());
    std::filesystem::remove_all(folder);
    return verifier.Finish();
  }

  // Both ways; the rows' report.
  AuditReport Verify(const AuditVerifier::Options& options) {
    const AuditReport rows = VerifyRows(options);
    const AuditReport exported = VerifyExported(options);
    EXPECT_EQ(exported.finding_count, rows.finding_count);
    if (!rows.findings.empty() && !exported.findings.empty()) {
      EXPECT_EQ(exported.findings[0].message, rows.findings[0].message);
    }
    return rows;
  }

  // The first finding as `KIND sequence`.
  static std::string First(const AuditReport& report) {
    if (report.findings.empty()) return "nothing";
    const AuditFinding& finding = report.findings[0];
    return finding.sequence.has_value()
               ? absl::StrCat(finding.kind, " ", *finding.sequence)
               : finding.kind;
  }

  // The id of the entry with this number.
  std::string IdAt(int sequence) {
    return super_.Value(absl::StrCat(
        "SELECT id FROM audit_log WHERE action = 'A", sequence + 1, "'"));
  }

  const AuditKey key_ = AuditKey::Generate();
  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SqlConnection& super_ = database_->Super();
  SeededTenant acme_ = database_->Seed("acme");
  int written_ = 0;
};

TEST_F(AuditTamperTest, AnHonestLogIsIntact) {
  const AuditReport report = Verify(With({LastHead()}));
  EXPECT_EQ(First(report), "nothing") << report.findings[0].message;
  EXPECT_EQ(report.sealed_count, 12);
  EXPECT_EQ(report.signed_size, 12);
  EXPECT_EQ(report.head_size, 12);
  EXPECT_EQ(report.unsealed_count, 0);
}

TEST_F(AuditTamperTest, EachColumnThatIsFlippedIsFound) {
  const std::vector<std::pair<std::string, std::string>> flips = {
      {"id", "gen_random_uuid()"},
      {"tenant_id", "NULL"},
      {"actor_user_id", "NULL"},
      {"actor_external_id", "'agent:y'"},
      {"actor_type", "'user'"},
      {"level", "'security'"},
      {"action", "'FORGED'"},
      {"entity_type", "'job'"},
      {"entity_id", "gen_random_uuid()"},
      {"meta", "'{\"n\": 7.0}'"},
      {"created_at", "created_at + interval '1 microsecond'"},
      {"transition_number", "transition_number + 10"},
      {"xact_id", "'1'"},
  };
  ASSERT_EQ(flips.size(), storage::kAuditColumnCount);
  const storage::SealHead head = LastHead();
  for (size_t i = 0; i < flips.size(); ++i) {
    const auto& [column, value] = flips[i];
    SCOPED_TRACE(column);
    EXPECT_EQ(storage::AuditColumnName(i), column);
    const std::string id = IdAt(6);
    Tamper("CREATE TEMP TABLE kept AS SELECT * FROM audit_log");
    Tamper(absl::StrCat("UPDATE audit_log SET ", column, " = ", value,
                        " WHERE id = '", id, "'"));
    const AuditReport report = Verify(With({head}));
    // One whose id or tenant changed is no more where it was.
    EXPECT_EQ(First(report), column == "id" || column == "tenant_id"
                                 ? "DROPPED 6"
                                 : "CHANGED 6");
    ASSERT_FALSE(report.findings.empty());
    EXPECT_EQ(report.findings[0].entry_id, id);
    Tamper(
        "DELETE FROM audit_log; INSERT INTO audit_log SELECT * FROM kept; "
        "DROP TABLE kept");
    EXPECT_EQ(First(VerifyRows(With({head}))), "nothing");
  }
}

TEST_F(AuditTamperTest, ATimeThatIsNoneIsStillRead) {
  Tamper(
      absl::StrCat("UPDATE audit_log SET created_at = 'infinity' WHERE id "
                   "= '",
                   IdAt(4), "'"));
  EXPECT_EQ(First(Verify(With({}))), "CHANGED 4");
}

TEST_F(AuditTamperTest, ADroppedEntryIsFound) {
  Tamper(absl::StrCat("DELETE FROM audit_log WHERE id = '", IdAt(5), "'"));
  const AuditReport report = Verify(With({}));
  EXPECT_EQ(First(report), "DROPPED 5");
  EXPECT_EQ(report.finding_count, 1);
}

TEST_F(AuditTamperTest, AnAddedEntryIsFound) {
  // Behind the triggers' back, as old as the others.
  Tamper(absl::StrCat(
      "INSERT INTO audit_log (tenant_id, action, entity_type, created_at) "
      "SELECT tenant_id, 'FORGED', 'x', created_at FROM audit_log WHERE id = '",
      IdAt(2), "'"));
  EXPECT_EQ(First(Verify(With({}))), "ADDED");
}

TEST_F(AuditTamperTest, ASecondEntryOfAnIdIsFound) {
  Tamper(
      "CREATE TEMP TABLE twin AS SELECT * FROM audit_log WHERE action = 'A3'; "
      "UPDATE twin SET action = 'TWIN', created_at = '2020-01-01'; "
      "INSERT INTO audit_log SELECT * FROM twin");
  EXPECT_EQ(First(Verify(With({}))), "ADDED 2");
}

TEST_F(AuditTamperTest, AnEntryThatWentTheHonestWayBetraysItselfByItsNumber) {
  // Added with the triggers on, so that it is queued, sealed and signed.
  MustRun(absl::StrCat(
      "INSERT INTO audit_log (tenant_id, action, entity_type, entity_id, "
      "transition_number) VALUES ('",
      acme_.id, "', 'FORGED', 'intent', '", Intent(0), "', 2)"));
  SealAll();
  EXPECT_EQ(First(Verify(With({}))), "ADDED 12");
}

TEST_F(AuditTamperTest, ReorderedEntriesAreFound) {
  // The numbers of two of an intent's transitions change places.
  Tamper(
      "UPDATE audit_log SET transition_number = 3 - transition_number "
      "WHERE action IN ('A1', 'A2')");
  EXPECT_EQ(First(Verify(With({}))), "CHANGED 0");
  Tamper(
      "UPDATE audit_log SET transition_number = 3 - transition_number "
      "WHERE action IN ('A1', 'A2')");
  EXPECT_EQ(First(Verify(With({}))), "nothing");
  // The seal's list of ids does.
  Tamper(
      "UPDATE audit_seals SET entry_ids = ARRAY[entry_ids[2], entry_ids[1], "
      "entry_ids[3], entry_ids[4]] WHERE first_sequence = 4");
  const AuditReport report = Verify(With({}));
  EXPECT_EQ(First(report), "REORDERED 4");
  EXPECT_THAT(report.findings[0].message, HasSubstr("sealed as entry 5"));
}

TEST_F(AuditTamperTest, ATailThatWasCutOffIsFoundByTheLastHead) {
  const storage::SealHead head = LastHead();
  Tamper(
      "DELETE FROM audit_seals WHERE first_sequence >= 8; "
      "DELETE FROM audit_log WHERE action IN ('A9', 'A10', 'A11', 'A12')");
  // Nothing inside can tell.
  EXPECT_EQ(First(Verify(With({}))), "nothing");
  const AuditReport report = Verify(With({head}));
  EXPECT_EQ(First(report), "ROLLED_BACK 8");
  EXPECT_THAT(report.findings[0].message, HasSubstr("entries 8 to 11"));
}

TEST_F(AuditTamperTest, SealsAloneThatWereCutOffAreFound) {
  Tamper("DELETE FROM audit_seals WHERE first_sequence >= 8");
  const AuditReport report = Verify(With({}));
  EXPECT_EQ(First(report), "ADDED");
  EXPECT_EQ(report.findings[0].entry_id, IdAt(8));
}

TEST_F(AuditTamperTest, ASealInTheMiddleThatIsGoneIsFound) {
  Tamper("DELETE FROM audit_seals WHERE first_sequence = 4");
  EXPECT_EQ(First(Verify(With({}))), "SEAL_MISSING 4");
}

TEST_F(AuditTamperTest, AForkIsFoundThoughBothSidesAreSigned) {
  // A copy of log and seals as they are; two histories go on from it.
  const storage::SealHead common = LastHead();
  Insert(3);
  SealAll();
  const storage::SealHead seen = LastHead();
  Tamper(
      "DELETE FROM audit_seals WHERE first_sequence >= 12; "
      "DELETE FROM audit_log WHERE action IN ('A13', 'A14', 'A15')");
  Insert(4);
  SealAll();
  EXPECT_EQ(LastHead().tree_size, 16);
  // Valid in itself, and against what both share.
  EXPECT_EQ(First(Verify(With({common}))), "nothing");
  const AuditReport report = Verify(With({common, seen}));
  // The other side had no head of 15: the seal's own tree has.
  EXPECT_EQ(First(report), "FORKED 12");
  EXPECT_THAT(report.findings[0].message, HasSubstr("entries 12 to 14"));
  EXPECT_EQ(report.signed_size, 16);
}

TEST_F(AuditTamperTest, TwoHeadsOfOneSizeAreAForkByThemselves) {
  storage::SealHead other = LastHead();
  other.root_hash[0] ^= 1;
  EXPECT_EQ(First(Verify(With({LastHead(), other}))), "FORKED");
}

TEST_F(AuditTamperTest, AnEditedSealIsFound) {
  const std::vector<std::string> edits = {
      "root_hash = sha256('x')",
      "leaf_hashes = leaf_hashes || '' , frontier = sha256('x')",
      "leaf_hashes = overlay(leaf_hashes PLACING sha256('x') FROM 33)",
      "sealed_at = sealed_at + interval '1 second'",
      "signature = sha256('x') || sha256('y')",
      "key_id = 'other'",
  };
  for (const std::string& edit : edits) {
    SCOPED_TRACE(edit);
    Tamper("CREATE TEMP TABLE kept AS SELECT * FROM audit_seals");
    Tamper(absl::StrCat("UPDATE audit_seals SET ", edit,
                        " WHERE first_sequence = 4"));
    const AuditReport report = Verify(With({}));
    ASSERT_GT(report.finding_count, 0);
    EXPECT_GE(*report.findings[0].sequence, 4);
    EXPECT_LT(*report.findings[0].sequence, 8);
    Tamper(
        "DELETE FROM audit_seals; INSERT INTO audit_seals (tenant_id, "
        "first_sequence, entry_count, tree_size, entry_ids, leaf_hashes, "
        "frontier, root_hash, sealed_at, key_id, signature) SELECT tenant_id, "
        "first_sequence, entry_count, tree_size, entry_ids, leaf_hashes, "
        "frontier, root_hash, sealed_at, key_id, signature FROM kept; "
        "DROP TABLE kept");
  }
  EXPECT_EQ(First(Verify(With({LastHead()}))), "nothing");
}

// A whole log written anew, consistent in itself.
class RewrittenTest : public AuditTamperTest {
 protected:
  void Rewrite(const std::optional<AuditKey>& key) {
    Tamper(
        "DELETE FROM audit_seals; "
        "UPDATE audit_log SET action = 'FORGED' WHERE action = 'A2'; "
        "INSERT INTO audit_unsealed (tenant_id, entry_id, created_at) "
        "SELECT tenant_id, id, created_at FROM audit_log "
        "ORDER BY created_at");
    ASSERT_THAT(Sealer(&database_->runtime(), {.key = key}).SealAll(), IsOk());
  }
};

TEST_F(RewrittenTest, SignedWithAnotherKey) {
  Rewrite(AuditKey::Generate());
  EXPECT_EQ(First(Verify(With({}))), "UNKNOWN_KEY 0");
}

TEST_F(RewrittenTest, NotSignedAtAll) {
  const storage::SealHead head = LastHead();
  Rewrite(std::nullopt);
  const AuditReport report = Verify(With({}));
  EXPECT_EQ(report.signed_size, 0);
  EXPECT_EQ(First(Verify(With({head}))), "FORKED 0");
}

TEST_F(RewrittenTest, SignedWithTheStolenKey) {
  const storage::SealHead head = LastHead();
  Rewrite(key_);
  EXPECT_EQ(First(Verify(With({}))), "nothing");
  EXPECT_EQ(First(Verify(With({head}))), "FORKED 0");
}

TEST_F(AuditTamperTest, WhatIsYoungerThanTheLastSealIsNamedAsUnsealed) {
  Insert(2);
  const AuditReport report = Verify(With({LastHead()}));
  EXPECT_EQ(First(report), "nothing");
  EXPECT_EQ(report.unsealed_count, 2);
  ASSERT_EQ(report.unsealed.size(), 2u);
  EXPECT_EQ(report.unsealed[0].id, IdAt(12));
  EXPECT_EQ(report.unsealed[0].action, "A13");
}

TEST_F(AuditTamperTest, AnEntryDroppedBeforeItsSealIsNamedOnceTheSealerSaw) {
  Insert(1);
  const std::string id = IdAt(12);
  Tamper("DELETE FROM audit_log WHERE action = 'A13'");
  SealAll();
  const AuditReport report = VerifyRows(With({}));
  EXPECT_EQ(First(report), "DROPPED");
  EXPECT_EQ(report.findings[0].entry_id, id);
}

TEST_F(AuditTamperTest, EntriesAndHeadsAreProved) {
  // Seals of several sizes, so that ranges begin and end within them.
  for (const int count : {1, 7, 2, 13, 1, 1, 30}) {
    Insert(count);
    SealAll();
  }
  auto tx = database_->runtime().Begin({.tenants = {acme_.id}});
  ASSERT_THAT(tx, IsOk());
  const storage::SealHead head = LastHead();
  ASSERT_EQ(head.tree_size, written_);
  for (int sequence = 0; sequence < written_; ++sequence) {
    const auto proof = ProveInclusion(*tx, acme_.id, IdAt(sequence));
    ASSERT_THAT(proof, IsOk());
    EXPECT_TRUE(VerifyInclusion({.leaf_hash = AuditLeafHash(proof->record),
                                 .index = proof->index,
                                 .tree_size = head.tree_size,
                                 .root = head.root_hash},
                                proof->path))
        << sequence;
  }
  const auto seals = storage::ReadSeals(*tx, acme_.id, 0, 100);
  for (const storage::Seal& seal : *seals) {
    const auto path =
        ProveConsistency(*tx, acme_.id, seal.head.tree_size, head.tree_size);
    ASSERT_THAT(path, IsOk());
    EXPECT_TRUE(VerifyConsistency({.old_size = seal.head.tree_size,
                                   .old_root = seal.head.root_hash,
                                   .new_size = head.tree_size,
                                   .new_root = head.root_hash},
                                  *path));
  }
  Insert(1);
  EXPECT_THAT(ProveInclusion(*tx, acme_.id, IdAt(written_ - 1)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(ProveInclusion(*tx, acme_.id, acme_.id),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace sgl::engine
