// Proves what counters of limits promise, against a real server: whoever waited
// for one sees what was counted meanwhile; both edges of a window are exact, as
// are sums; locks are taken in one order; what is past its window is pruned in
// steps that no total shows; and nobody reaches another tenant's counters.

#include "storage/limits.h"

#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/database.h"
#include "tests/support/status_matchers.h"

namespace sgl::storage {
namespace {

using ::sgl::testing::IsOk;
using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::SqlResult;
using ::sgl::testing::TestDatabase;

constexpr absl::Duration kWindow = absl::Seconds(60);

class LimitsTest : public ::testing::Test {
 protected:
  void SetUp() override { SetClock("0"); }

  void SetClock(const std::string& interval) {
    const SqlResult set = database_->Super().Run(absl::StrCat(
        "CREATE OR REPLACE FUNCTION engine_now() RETURNS timestamptz LANGUAGE "
        "sql VOLATILE PARALLEL SAFE AS $$ SELECT timestamptz '2030-01-01 "
        "00:00:00Z' + interval '",
        interval, "' $$"));
    ASSERT_TRUE(set.ok()) << set.error;
  }

  LimitKey KeyOf(const std::string& key) const {
    return {.key = key, .tenant_id = acme_.id, .window = kWindow};
  }

  // Begins a transaction of the tenant and locks a counter.
  static std::string LockSql(const std::string& tenant,
                             const std::string& key) {
    return absl::StrCat("SELECT total FROM lock_limits('{", key, "}', '{",
                        tenant, "}', '{60000000}')");
  }
  void Begin(SqlConnection& connection) const {
    ASSERT_TRUE(connection
                    .Run(absl::StrCat("BEGIN; SET LOCAL intent.tenants = '{",
                                      acme_.id, "}'"))
                    .ok());
  }
  // Counts at the database's time; the counter must be locked.
  std::string CountSql(const std::string& key, const std::string& amount,
                       const std::string& at = "engine_now()") const {
    return absl::StrCat("SELECT count_limits('{", key, "}', '{", acme_.id,
                        "}', ARRAY[to_micros(", at, ")], '{60000000}', '{",
                        amount, "}')");
  }
  // A whole settlement.
  void Count(const std::string& key, const std::string& amount) {
    SqlConnection connection(database_->runtime_url());
    Begin(connection);
    connection.Value(LockSql(acme_.id, key));
    const SqlResult counted = connection.Run(CountSql(key, amount));
    ASSERT_TRUE(counted.ok()) << counted.error;
    ASSERT_TRUE(connection.Run("COMMIT").ok());
  }

  std::optional<int64_t> TotalOf(const std::string& key) {
    absl::StatusOr<Transaction> tx =
        database_->runtime().Begin({.tenants = {acme_.id}});
    EXPECT_THAT(tx, IsOk());
    const std::vector<LimitKey> keys = {KeyOf(key)};
    const absl::StatusOr<LimitReading> reading = ReadLimits(*tx, keys);
    EXPECT_THAT(reading, IsOk());
    if (!reading.ok()) return -1;
    return reading->by_key.at(key);
  }

  int64_t Prune(int count_max) {
    absl::StatusOr<Transaction> tx = database_->runtime().Begin({});
    EXPECT_THAT(tx, IsOk());
    const absl::StatusOr<int64_t> pruned = PruneLimits(*tx, count_max);
    EXPECT_THAT(pruned, IsOk());
    EXPECT_THAT(tx->Commit(), IsOk());
    return pruned.value_or(-1);
  }

  std::string Value(const std::string& sql) {
    return database_->Super().Value(sql);
  }

  // One locks the counter and reads `first_sees`, and counts one more while
  // another waits for it, who then reads `second_sees`.
  void ExpectWaiterSees(const std::string& first_sees,
                        const std::string& second_sees) {
    SqlConnection first(database_->runtime_url());
    Begin(first);
    EXPECT_EQ(first.Value(LockSql(acme_.id, "k")), first_sees);
    std::string seen;
    std::thread other([&] {
      SqlConnection second(database_->runtime_url());
      Begin(second);
      seen = second.Value(LockSql(acme_.id, "k"));
      second.Run("COMMIT");
    });
    while (Value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") {
    }
    EXPECT_TRUE(first.Run(CountSql("k", "1")).ok());
    EXPECT_TRUE(first.Run("COMMIT").ok());
    other.join();
    EXPECT_EQ(seen, second_sees);
  }

  const std::unique_ptr<TestDatabase> database_ = TestDatabase::Make();
  const SeededTenant acme_ = database_->Seed("acme");
  const SeededTenant bolt_ = database_->Seed("bolt");
};

TEST_F(LimitsTest, WhoeverWaitedSeesWhatWasCountedMeanwhile) {
  Count("k", "1");
  ExpectWaiterSees("1", "2");
}

TEST_F(LimitsTest, TwoThatMakeACounterMeetInIt) { ExpectWaiterSees("0", "1"); }

TEST_F(LimitsTest, BothEdgesOfTheWindowAreExact) {
  Count("k", "1");
  EXPECT_EQ(TotalOf("k"), 1);
  SetClock("59.999999 seconds");
  EXPECT_EQ(TotalOf("k"), 1);
  SetClock("60 seconds");
  EXPECT_EQ(TotalOf("k"), 0);
}

TEST_F(LimitsTest, NoReadingIsBeforeWhatWasCountedLast) {
  SetClock("1 hour");
  Count("k", "1");
  SetClock("0");
  absl::StatusOr<Transaction> tx =
      database_->runtime().Begin({.tenants = {acme_.id}});
  ASSERT_THAT(tx, IsOk());
  const std::vector<LimitKey> keys = {KeyOf("k"), KeyOf("other")};
  const absl::StatusOr<LimitReading> reading = LockLimits(*tx, keys);
  ASSERT_THAT(reading, IsOk());
  EXPECT_EQ(reading->now, absl::FromCivil(absl::CivilHour(2030, 1, 1, 1),
                                          absl::UTCTimeZone()));
  EXPECT_EQ(reading->by_key.at("k"), 1);
  EXPECT_EQ(reading->by_key.at("other"), 0);
}

TEST_F(LimitsTest, ASumBeyondInt64IsNone) {
  Count("k", "9223372036854775807");
  EXPECT_EQ(TotalOf("k"), 9223372036854775807);
  SetClock("1 second");
  Count("k", "9223372036854775807");
  EXPECT_EQ(TotalOf("k"), std::nullopt);
  SetClock("60 seconds");
  EXPECT_EQ(TotalOf("k"), 9223372036854775807);
}

TEST_F(LimitsTest, LocksAreTakenInTheOrderOfTheKeys) {
  Count("a", "1");
  Count("b", "1");
  // Whoever holds `a` waits for nobody who holds `b` and wants `a`.
  SqlConnection first(database_->runtime_url());
  Begin(first);
  first.Value(LockSql(acme_.id, "a"));
  std::thread other([&] {
    SqlConnection second(database_->runtime_url());
    Begin(second);
    const SqlResult locked = second.Run(
        absl::StrCat("SELECT total FROM lock_limits('{b,a}', '{", acme_.id, ",",
                     acme_.id, "}', '{60000000,60000000}')"));
    EXPECT_TRUE(locked.ok()) << locked.error;
    second.Run("COMMIT");
  });
  while (Value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") {
  }
  EXPECT_EQ(first.Value(LockSql(acme_.id, "b")), "1");
  EXPECT_TRUE(first.Run("COMMIT").ok());
  other.join();
}

TEST_F(LimitsTest, PruningGoesInStepsThatNoTotalShows) {
  for (const char* at : {"0", "1 second", "2 seconds", "3 seconds"}) {
    SetClock(at);
    Count("k", "10");
  }
  Count("late", "5");
  SetClock("62 seconds");
  EXPECT_EQ(TotalOf("k"), 10);
  EXPECT_EQ(Prune(2), 2);
  EXPECT_EQ(TotalOf("k"), 10);
  EXPECT_EQ(Value("SELECT total FROM limit_counters WHERE key = 'k'"), "20");
  EXPECT_EQ(Prune(2), 1);
  EXPECT_EQ(TotalOf("k"), 10);
  EXPECT_EQ(Value("SELECT total FROM limit_counters WHERE key = 'k'"), "10");
  EXPECT_EQ(Prune(2), 0);
  EXPECT_EQ(TotalOf("late"), 5);
  // What is pruned stays out, though the clock be set back.
  SetClock("10 seconds");
  EXPECT_EQ(TotalOf("k"), 10);
}

TEST_F(LimitsTest, OnlyIdleCountersAreForgotten) {
  Count("idle", "1");
  SetClock("1 day");
  Count("busy", "1");
  Prune(10);
  const auto forget = [&] {
    absl::StatusOr<Transaction> tx = database_->runtime().Begin({});
    EXPECT_THAT(tx, IsOk());
    const absl::StatusOr<int64_t> forgotten = ForgetLimits(*tx, 10);
    EXPECT_THAT(forgotten, IsOk());
    EXPECT_THAT(tx->Commit(), IsOk());
    return forgotten.value_or(-1);
  };
  // Pruned just now: it counted until then.
  EXPECT_EQ(forget(), 0);
  SetClock("3 days");
  EXPECT_EQ(forget(), 1);
  EXPECT_EQ(Value("SELECT key FROM limit_counters"), "busy");
}

TEST_F(LimitsTest, NothingIsCountedThatWasNotLockedOrBeforeItsTime) {
  SqlConnection connection(database_->runtime_url());
  Begin(connection);
  EXPECT_EQ(connection.Run(CountSql("new", "1")).sqlstate, "23514");
  connection.Run("ROLLBACK");
  Count("k", "1");
  Begin(connection);
  connection.Value(LockSql(acme_.id, "k"));
  EXPECT_EQ(
      connection.Run(CountSql("k", "1", "engine_now() - interval '1 second'"))
          .sqlstate,
      "23514");
}

TEST_F(LimitsTest, NobodyReachesAnotherTenantsCounters) {
  Count("k", "1");
  SqlConnection connection(database_->runtime_url());
  for (const std::string& setting :
       {std::string("BEGIN"),
        absl::StrCat("BEGIN; SET LOCAL intent.tenants = '{", bolt_.id, "}'")}) {
    for (const std::string& sql :
         {LockSql(acme_.id, "k"), CountSql("k", "1"),
          absl::StrCat("SELECT * FROM limit_totals('{k}', '{", acme_.id,
                       "}', '{60000000}')"),
          std::string("SELECT * FROM limit_counters"),
          std::string("DELETE FROM limit_entries")}) {
      SCOPED_TRACE(absl::StrCat(setting, " / ", sql));
      ASSERT_TRUE(connection.Run(setting).ok());
      EXPECT_EQ(connection.Run(sql).sqlstate, "42501");
      connection.Run("ROLLBACK");
    }
  }
  // Nor by saying that it is one's own, or the platform's.
  Begin(connection);
  connection.Run(absl::StrCat("SET LOCAL intent.tenants = '{", bolt_.id, "}'"));
  EXPECT_EQ(
      connection.Value(absl::StrCat("SELECT total FROM limit_totals('{k}', '{",
                                    bolt_.id, "}', '{60000000}')")),
      "0");
  EXPECT_EQ(connection.Value("SELECT total FROM limit_totals('{k}', "
                             "'{NULL}', '{60000000}')"),
            "0");
  EXPECT_EQ(connection.Run(LockSql(bolt_.id, "k")).sqlstate, "40001");
}

}  // namespace
}  // namespace sgl::storage
