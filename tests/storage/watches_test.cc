// Proves that a watch misses no change: late commits, changes in the middle
// of a round, pages; and that it gives no other tenant's rows and takes no
// forged place.

#include "storage/watches.h"

#include <absl/strings/str_cat.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "storage/uuid.h"
#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::StatusIs;
using ::sgl::testing::TestDatabase;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class WatchesTest : public ::testing::Test {
 protected:
  Transaction Begin(std::vector<std::string> tenants) {
    auto tx = database_->runtime().Begin({.tenants = std::move(tenants)});
    EXPECT_THAT(tx, IsOk());
    return *std::move(tx);
  }

  static std::string InsertSql(const std::string& tenant_id,
                               const std::string& type) {
    return absl::StrCat("INSERT INTO intents (tenant_id, intent_type) VALUES ",
                        "('", tenant_id, "', '", type, "') RETURNING id");
  }
  std::string Insert(const SeededTenant& tenant,
                     const std::string& type = "POST") {
    return database_->Super().Value(InsertSql(tenant.id, type));
  }

  Changes Look(const WatchPosition& position, int limit = 100,
               const IntentFilter& filter = {}) {
    Transaction tx = Begin({acme_.id});
    auto changes = ChangedIntents(tx, filter, position, limit);
    EXPECT_THAT(changes, IsOk());
    return *std::move(changes);
  }

  static std::vector<std::string> IdsOf(const Changes& changes) {
    std::vector<std::string> ids;
    for (const Changes::Row& row : changes.rows) ids.push_back(row.id);
    return ids;
  }

  std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  SeededTenant acme_ = database_->Seed("acme");
  SeededTenant bolt_ = database_->Seed("bolt");
};

TEST_F(WatchesTest, StartsWithWhatComes) {
  Insert(acme_);
  const Changes start = Look({});
  EXPECT_THAT(start.rows, IsEmpty());
  EXPECT_FALSE(start.position.since.empty());
  const std::string id = Insert(acme_);
  EXPECT_THAT(IdsOf(Look(start.position)), ElementsAre(id));
}

TEST_F(WatchesTest, StartsWithAllThereIsWhereAsked) {
  const std::string first = Insert(acme_);
  const std::string second = Insert(acme_);
  const Changes all = Look({.since = kSinceEver});
  EXPECT_THAT(IdsOf(all), ElementsAre(first, second));
  EXPECT_THAT(Look(all.position).rows, IsEmpty());
}

TEST_F(WatchesTest, AnEarlierTransactionThatCommitsLaterIsNotMissed) {
  const Changes start = Look({});
  SqlConnection slow(database_->superuser_url());
  slow.Run("BEGIN");
  const std::string late = slow.Value(InsertSql(acme_.id, "POST"));
  const std::string early = Insert(acme_);
  const Changes first = Look(start.position);
  EXPECT_THAT(IdsOf(first), ElementsAre(early));
  slow.Run("COMMIT");
  EXPECT_THAT(IdsOf(Look(first.position)), ElementsAre(late));
}

TEST_F(WatchesTest, PagesGiveEachRowOnce) {
  std::vector<std::string> inserted;
  const Changes start = Look({});
  for (int i = 0; i < 5; ++i) inserted.push_back(Insert(acme_));
  std::vector<std::string> seen;
  WatchPosition position = start.position;
  for (int page = 0; page < 3; ++page) {
    const Changes changes = Look(position, 2);
    EXPECT_EQ(changes.has_more, page < 2);
    for (const std::string& id : IdsOf(changes)) seen.push_back(id);
    position = changes.position;
  }
  EXPECT_EQ(seen, inserted);
  EXPECT_THAT(Look(position).rows, IsEmpty());
}

TEST_F(WatchesTest, EachRowsPlaceResumesAfterIt) {
  std::vector<std::string> inserted;
  const Changes start = Look({});
  for (int i = 0; i < 4; ++i) inserted.push_back(Insert(acme_));
  const Changes all = Look(start.position);
  ASSERT_EQ(all.rows.size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_THAT(
        IdsOf(Look(all.rows[i].position)),
        ::testing::ElementsAreArray(
            inserted.begin() + static_cast<ptrdiff_t>(i) + 1, inserted.end()));
  }
}

TEST_F(WatchesTest, WhatChangesDuringARoundComesAgainInTheNext) {
  const Changes start = Look({});
  const std::string first = Insert(acme_);
  const std::string second = Insert(acme_);
  const Changes page = Look(start.position, 1);
  EXPECT_THAT(IdsOf(page), ElementsAre(first));
  database_->Super().Run(
      absl::StrCat("UPDATE intents SET title = 'x' WHERE id IN ('", first,
                   "', '", second, "')"));
  const std::string third = Insert(acme_);
  // The round's end is older than the update: it has nothing left.
  const Changes rest = Look(page.position, 1);
  EXPECT_THAT(rest.rows, IsEmpty());
  EXPECT_THAT(IdsOf(Look(rest.position)),
              UnorderedElementsAre(first, second, third));
}

TEST_F(WatchesTest, FilterRestricts) {
  const Changes start = Look({});
  Insert(acme_, "POST");
  const std::string wire = Insert(acme_, "WIRE");
  EXPECT_THAT(IdsOf(Look(start.position, 100, {.intent_type = "WIRE"})),
              ElementsAre(wire));
  EXPECT_THAT(
      Look(start.position, 100, {.status = IntentStatus::kExecuted}).rows,
      IsEmpty());
  EXPECT_THAT(Look(start.position, 100, {.agent_id = "no uuid"}).rows,
              IsEmpty());
}

TEST_F(WatchesTest, OtherTenantsRowsDontShow) {
  const Changes start = Look({});
  Insert(bolt_);
  EXPECT_THAT(Look(start.position).rows, IsEmpty());
  EXPECT_THAT(IdsOf(Look({.since = kSinceEver})), IsEmpty());
}

TEST_F(WatchesTest, SaysWhichTenantsChanged) {
  std::string snapshot;
  {
    Transaction tx = Begin({acme_.id, bolt_.id});
    const auto first = TenantsChangedSince(tx, "");
    ASSERT_THAT(first, IsOk());
    EXPECT_THAT(first->tenant_ids, UnorderedElementsAre(acme_.id, bolt_.id));
    snapshot = first->snapshot;
  }
  Insert(bolt_);
  Transaction tx = Begin({acme_.id, bolt_.id});
  const auto changed = TenantsChangedSince(tx, snapshot);
  ASSERT_THAT(changed, IsOk());
  EXPECT_THAT(changed->tenant_ids, ElementsAre(bolt_.id));
  const auto none = TenantsChangedSince(tx, changed->snapshot);
  ASSERT_THAT(none, IsOk());
  EXPECT_THAT(none->tenant_ids, IsEmpty());
  EXPECT_FALSE(none->snapshot.empty());
}

TEST_F(WatchesTest, AVoteChangesItsMemo) {
  const std::string intent = Insert(acme_);
  const std::string memo = database_->Super().Value(absl::StrCat(
      "INSERT INTO decision_memos (tenant_id, intent_id, payload_sha256) ",
      "VALUES ('", acme_.id, "', '", intent, "', repeat('0', 64)) ",
      "RETURNING id"));
  Transaction before = Begin({acme_.id});
  const auto start = ChangedMemos(before, {}, {}, 10);
  ASSERT_THAT(start, IsOk());
  ASSERT_THAT(before.Commit(), IsOk());
  {
    Transaction tx = Begin({acme_.id});
    ASSERT_THAT(LockMemo(tx, memo), IsOk());
    ASSERT_THAT(InsertVote(tx, {.memo_id = memo, .approved_by = acme_.carol}),
                IsOk());
    ASSERT_THAT(tx.Commit(), IsOk());
  }
  Transaction tx = Begin({acme_.id});
  const auto changed = ChangedMemos(tx, {}, start->position, 10);
  ASSERT_THAT(changed, IsOk());
  EXPECT_THAT(IdsOf(*changed), ElementsAre(memo));
  const auto memos = GetMemos(tx, IdsOf(*changed));
  ASSERT_THAT(memos, IsOk());
  ASSERT_EQ(memos->size(), 1u);
  EXPECT_EQ((*memos)[0].votes.size(), 1u);
  EXPECT_THAT(
      ChangedMemos(tx, {.intent_type = "OTHER"}, start->position, 10)->rows,
      IsEmpty());
}

TEST_F(WatchesTest, RefusesPlacesThatNoWatchGave) {
  const std::string id = NewUuid();
  const std::vector<WatchPosition> bad = {
      {.since = "x"},
      {.since = "5:4:"},
      {.since = "0:4:"},
      {.since = "5:9:7,6"},
      {.since = "5:9:9"},
      {.since = "5:9"},
      {.since = "5:9:'; DROP TABLE intents; --"},
      {.since = "99999999999999999999:99999999999999999999:"},
      {.since = "5:9:", .until = "9:9:", .after_transaction = "7"},
      {.since = "5:9:", .until = "9:9:", .after_id = id},
      {.since = "5:9:", .after_transaction = "7", .after_id = id},
      {.until = "9:9:", .after_transaction = "7", .after_id = id},
      {.since = "5:9:",
       .until = "9:9:",
       .after_transaction = "7",
       .after_id = "nobody"},
      {.since = std::string(kSnapshotBytesMax + 1, '1')},
  };
  for (const WatchPosition& position : bad) {
    SCOPED_TRACE(position.since.substr(0, 40));
    Transaction tx = Begin({acme_.id});
    EXPECT_THAT(ChangedIntents(tx, {}, position, 10),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(WatchesTest, RefusesAPlaceOfAnotherDatabase) {
  Transaction tx = Begin({acme_.id});
  const auto changes =
      ChangedIntents(tx, {}, {.since = "900000000000000:900000000000000:"}, 10);
  EXPECT_THAT(changes, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(changes.status().message(), HasSubstr("another database"));
}

// A watch of a large table reads what changed, not the table: as the runtime
// role, under row level security.
TEST_F(WatchesTest, TheIndexGivesTheChanges) {
  database_->Super().Run(
      absl::StrCat("INSERT INTO intents (tenant_id, intent_type) SELECT '",
                   acme_.id, "', 'POST' FROM generate_series(1, 20000)"));
  database_->Super().Run("ANALYZE intents");
  const Changes start = Look({});
  SqlConnection runtime(database_->runtime_url());
  runtime.Run("BEGIN");
  runtime.Run(absl::StrCat("SELECT set_config('intent.tenants', '{", acme_.id,
                           "}', true)"));
  const auto plan = runtime.Run(absl::StrCat(
      "EXPLAIN SELECT i.id FROM intents AS i WHERE i.tenant_id = '", acme_.id,
      "' AND i.xact_id >= pg_snapshot_xmin('", start.position.since,
      "'::pg_snapshot) AND NOT pg_visible_in_snapshot(i.xact_id, '",
      start.position.since,
      "'::pg_snapshot) ORDER BY i.xact_id, i.id LIMIT 10"));
  ASSERT_TRUE(plan.ok()) << plan.error;
  std::string text;
  for (const auto& row : plan.rows) absl::StrAppend(&text, row[0], "\n");
  EXPECT_THAT(text, HasSubstr("intents_watch_idx"));
}

}  // namespace
}  // namespace sgl::storage
