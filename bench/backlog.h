// A backlog of DRAFTs under the shipped policy, as agents submit them: what
// bench/e2e.cc drains, once and again.
//
//   Backlog backlog({.tenants = 4});
//   backlog.Fill(20'000);
//   ... drain it ...
//   SGL_CHECK_EQ(backlog.Written().settled, 20'000);
//
// Eight of ten are mails that are allowed, one is a post that a human must
// approve, one a browser task that is blocked.

#ifndef BENCH_BACKLOG_H_
#define BENCH_BACKLOG_H_

#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/database.h"

namespace sgl::bench {

// What a drain left behind. Two drains of equal backlogs that did the same
// work are equal, but for a few bytes of text.
struct WrittenRows {
  int64_t settled = 0;
  int64_t memos = 0;
  int64_t entries = 0;
  // Of the entries' `meta`, and of the intents' `decision`, as text.
  int64_t entry_bytes = 0;
  int64_t decision_bytes = 0;
};

// Owns the database. Confined to one thread.
class Backlog {
 public:
  struct Options {
    int tenants = 4;
    // Has the server count what each statement takes (pg_stat_statements).
    bool counts_statements = false;
  };

  // Starts a server whose commits wait for the disk, and installs the policy.
  explicit Backlog(const Options& options);

  // Leaves the database with nothing but `count` DRAFTs, spread evenly over
  // the tenants, and in the state that it is in whenever this returns: rows
  // fresh, statistics known, nothing left to write out.
  void Fill(int count);

  WrittenRows Written();
  // Processor seconds that the server's processes for the engine's role spent
  // so far. They count as long as their connections are open.
  double BackendSeconds();
  // Says what PostgreSQL spent on each of the engine's statements, functions'
  // bodies included. REQUIRES: counts_statements.
  void PrintStatements();
  // The median time of a commit that wrote a row.
  absl::Duration CommitTime();

  testing::TestDatabase& database() { return *database_; }
  testing::SqlConnection& super() { return database_->Super(); }
  // In the form of `intent.tenants`.
  const std::string& tenant_setting() const { return tenant_setting_; }

 private:
  std::unique_ptr<testing::TestDatabase> database_;
  std::string tenant_setting_;
};

// Processor seconds that this process spent so far.
double OwnSeconds();

// Runs statements that must succeed.
testing::SqlResult MustRun(testing::SqlConnection& connection,
                           const std::string& sql);

}  // namespace sgl::bench

#endif  // BENCH_BACKLOG_H_
