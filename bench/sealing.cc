// Does sealing the audit log keep up with peak load? Two questions, each for
// entries of one tenant and of many:
//
//   alone   a backlog is sealed with nothing else at work: entries a second,
//           and the processor time that 100,000 cost, the sealer's own and
//           that of its PostgreSQL backend;
//   load    writers insert at a given rate, or as fast as they can, while the
//           sealer runs: the longest that a committed entry waited.
//
// Starts a PostgreSQL of its own. Its figures mean something on a machine that
// does nothing else.
//
//   bazel run --config=opt //bench:sealing -- --rate 60000

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "engine/sealer.h"
#include "engine/wake_signal.h"
#include "tests/support/database.h"

namespace sgl {
namespace {

using ::sgl::testing::SqlConnection;
using ::sgl::testing::TestDatabase;

// Entries a statement, as a settlement of a full batch writes them.
constexpr int kBatch = 500;
// Between two looks at how long the oldest entry has waited.
constexpr absl::Duration kLook = absl::Milliseconds(20);

struct Flags {
  int backlog = 300'000;
  int seconds = 10;
  int writers = 1;
  // Entries a second that all writers insert; 0: as fast as they can.
  int rate = 0;
  std::vector<int> tenants{1, 20, 1000};
};

void MustRun(SqlConnection& connection, const std::string& sql) {
  const testing::SqlResult result = connection.Run(sql);
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.error.c_str());
  SGL_CHECK(result.ok());
}

// Entries of the size that a decision's has, spread over the tenants.
std::string BatchOf(int number) {
  const int first = number * kBatch;
  return absl::StrCat(
      "INSERT INTO audit_log (tenant_id, action, entity_type, entity_id, meta, "
      "transition_number) SELECT t.id, 'SGL_EVALUATED', 'intent', "
      "gen_random_uuid(), jsonb_build_object('decision', 'ALLOW', 'reasons', "
      "'[]'::jsonb, 'facts', repeat('x', 400)), 2 "
      "FROM generate_series(",
      first, ", ", first + kBatch - 1,
      ") AS n JOIN bench_tenants AS t ON t.place = n % (SELECT count(*) FROM "
      "bench_tenants)");
}

double ThreadSeconds() {
  timespec now{};
  SGL_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / 1e9;
}

// Processor time of the PostgreSQL backends that the engine's role logged in
// to, which are the sealer's alone here.
double BackendSeconds(SqlConnection& super) {
  double seconds = 0;
  for (const std::vector<std::string>& row :
       super
           .Run("SELECT pid FROM pg_stat_activity WHERE usename = "
                "'intent_login' AND datname = current_database()")
           .rows) {
    std::ifstream file(absl::StrCat("/proc/", row[0], "/stat"));
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    // Fields 14 and 15, counted behind the command's closing parenthesis.
    const std::vector<std::string> fields =
        absl::StrSplit(text.substr(text.rfind(')') + 2), ' ');
    int64_t user = 0;
    int64_t system = 0;
    SGL_CHECK(absl::SimpleAtoi(fields[11], &user) &&
              absl::SimpleAtoi(fields[12], &system));
    seconds += static_cast<double>(user + system) /
               static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return seconds;
}

class Bench {
 public:
  Bench(const Flags& flags, int tenant_count)
      : flags_(flags),
        database_(TestDatabase::Make()),
        tenant_count_(tenant_count) {
    SqlConnection& super = database_->Super();
    MustRun(super, absl::StrCat(
                       "INSERT INTO tenants (slug, name) SELECT 't' || n, 'T' "
                       "FROM generate_series(1, ",
                       tenant_count, ") AS n"));
    MustRun(super,
            "CREATE TABLE bench_tenants AS SELECT row_number() OVER () - 1 AS "
            "place, id FROM tenants WHERE slug LIKE 't%'; "
            "ANALYZE bench_tenants");
    // Once for all: the entries that seeding wrote.
    SGL_CHECK(
        engine::Sealer(&database_->runtime(), {.key = key_}).SealAll().ok());
  }

  void Alone() {
    SqlConnection& super = database_->Super();
    for (int n = 0; n < flags_.backlog / kBatch; ++n) {
      MustRun(super, BatchOf(n));
    }
    engine::Sealer sealer(&database_->runtime(), {.key = key_});
    const double own = ThreadSeconds();
    const double backend = BackendSeconds(super);
    const absl::Time start = absl::Now();
    const absl::StatusOr<int> sealed = sealer.SealAll();
    const double wall = absl::ToDoubleSeconds(absl::Now() - start);
    SGL_CHECK(sealed.ok() && *sealed == flags_.backlog / kBatch * kBatch);
    const double per_100k = 1e5 / *sealed;
    const double own_cost = (ThreadSeconds() - own) * per_100k;
    const double backend_cost = (BackendSeconds(super) - backend) * per_100k;
    std::printf(
        "alone, %d tenants: %d entries at %.0f/s; processor seconds per "
        "100,000: %.2f sealer + %.2f PostgreSQL\n",
        tenant_count_, *sealed, *sealed / wall, own_cost, backend_cost);
  }

  void UnderLoad() {
    engine::Sealer sealer(&database_->runtime(), {.key = key_});
    sealer.Start();
    std::atomic<bool> is_over = false;
    std::atomic<int64_t> inserted = 0;
    const absl::Time start = absl::Now();
    std::vector<std::thread> threads;
    for (int writer = 0; writer < flags_.writers; ++writer) {
      threads.emplace_back([&, writer] { Write(writer, start, inserted); });
    }
    std::thread clock([&] {
      for (std::thread& thread : threads) thread.join();
      is_over = true;
    });
    const double longest = LongestWait(is_over);
    clock.join();
    const double written = absl::ToDoubleSeconds(absl::Now() - start);
    SqlConnection& super = database_->Super();
    const std::string waiting =
        super.Value("SELECT count(*) FROM audit_unsealed");
    sealer.Stop();
    std::printf(
        "load, %d tenants: %.0f entries/s inserted and sealed at the same "
        "time, %s waiting at the end; longest wait %.2f s\n",
        tenant_count_, static_cast<double>(inserted.load()) / written,
        waiting.c_str(), longest);
  }

 private:
  // Inserts until the time is over, no faster than its part of the rate.
  void Write(int writer, absl::Time start, std::atomic<int64_t>& inserted) {
    SqlConnection connection(database_->superuser_url());
    const absl::Time end = start + absl::Seconds(flags_.seconds);
    for (int n = 0; absl::Now() < end; ++n) {
      if (flags_.rate > 0) {
        const absl::Time due = start + absl::Seconds(1) * n * kBatch *
                                           flags_.writers /
                                           static_cast<double>(flags_.rate);
        never_.Wait(due - absl::Now());
      }
      MustRun(connection, BatchOf(n * flags_.writers + writer));
      inserted += kBatch;
    }
  }

  // Looks at the head of the queue until the end, and until it is empty.
  double LongestWait(const std::atomic<bool>& is_over) {
    SqlConnection connection(database_->superuser_url());
    double longest = 0;
    while (true) {
      const bool is_last = is_over;
      const testing::SqlResult result = connection.Run(
          "SELECT extract(epoch FROM engine_now() - created_at) "
          "FROM audit_unsealed ORDER BY queue_position LIMIT 1");
      double waited = 0;
      if (!result.rows.empty() &&
          absl::SimpleAtod(result.rows[0][0], &waited)) {
        longest = std::max(longest, waited);
      }
      if (is_last) return longest;
      never_.Wait(kLook);
    }
  }

  const Flags flags_;
  std::unique_ptr<TestDatabase> database_;
  const engine::AuditKey key_ = engine::AuditKey::Generate();
  const int tenant_count_;
  // Nobody sets it off: waits on it take their time.
  engine::WakeSignal never_;
};

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("How fast the audit log is sealed.");
  app.add_option("--backlog", flags.backlog, "entries that `alone` seals")
      ->capture_default_str();
  app.add_option("--seconds", flags.seconds, "how long `load` inserts")
      ->capture_default_str();
  app.add_option("--writers", flags.writers, "connections that insert")
      ->capture_default_str();
  app.add_option("--rate", flags.rate,
                 "entries a second that they insert; 0: as fast as they can")
      ->capture_default_str();
  app.add_option("--tenants", flags.tenants, "numbers of tenants to try")
      ->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  for (const int count : flags.tenants) {
    Bench bench(flags, count);
    if (flags.backlog > 0) bench.Alone();
    if (flags.seconds > 0) bench.UnderLoad();
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace sgl

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return sgl::Main(argc, argv);
}
