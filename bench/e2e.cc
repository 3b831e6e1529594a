// How many intents a second does the engine claim, decide and settle, and how
// many would plain SQL that writes the same rows?
//
// Starts a PostgreSQL of its own whose commits wait for the disk, and drains
// equal backlogs in turns, round after round, so that what else the machine
// does meets all alike:
//
//   raw    claims and finishes without deciding (raw_drain.h)
//   ours   engine::Worker, under policy/library/atlas.sgl
//
// `+seal` means that engine::Sealer ran meanwhile, in this process, on a thread
// and a connection of its own, as it does beside every worker; the time is that
// until the last intent was settled, and `sealed` that until the last of their
// entries was sealed as well.
//
//   bazel run --config=opt //bench:e2e
//   bazel run --config=opt //bench:e2e -- --count 100000 --rounds 3

#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "bench/backlog.h"
#include "bench/raw_drain.h"
#include "engine/audit_key.h"
#include "engine/executors.h"
#include "engine/policies.h"
#include "engine/sealer.h"
#include "engine/waiters.h"
#include "engine/wake_signal.h"
#include "engine/worker.h"

namespace sgl::bench {
namespace {

// Between two looks at whether all is sealed.
constexpr absl::Duration kLook = absl::Milliseconds(20);

struct Flags {
  int count = 20'000;
  int rounds = 3;
  int tenants = 4;
  // Only contenders whose name contains this.
  std::string only;
  bool has_old_snapshot = false;
  bool shows_statements = false;
  bool has_peers = false;
};

struct Contender {
  std::string name;
  bool is_ours = false;
  // Workers of ours, connections of raw.
  int lanes = 1;
  // Of raw; the engine finds its own.
  int batch = 1000;
  bool seals = false;
  // The contender that it is compared with; empty for none.
  std::string bound = {};
  // A job queue of others (bench/peers/queues.mjs); empty for none.
  std::string queue = {};
  // Its jobs write the audit entries that one of ours has; else nothing.
  bool is_audited = false;
};

std::vector<Contender> Contenders() {
  return {
      {.name = "raw, 1 connection, by 500", .batch = 500},
      {.name = "raw, 1 connection, by 1000"},
      {.name = "raw, 1 connection, by 1000 +seal", .seals = true},
      {.name = "raw, 2 connections, by 1000", .lanes = 2},
      {.name = "raw, 2 connections, by 1000 +seal", .lanes = 2, .seals = true},
      {.name = "ours, 1 worker",
       .is_ours = true,
       .bound = "raw, 1 connection, by 1000"},
      {.name = "ours, 1 worker +seal",
       .is_ours = true,
       .seals = true,
       .bound = "raw, 1 connection, by 1000 +seal"},
      {.name = "ours, 2 workers",
       .is_ours = true,
       .lanes = 2,
       .bound = "raw, 2 connections, by 1000"},
      {.name = "ours, 2 workers +seal",
       .is_ours = true,
       .lanes = 2,
       .seals = true,
       .bound = "raw, 2 connections, by 1000 +seal"},
  };
}

std::vector<Contender> Peers() {
  return {
      {.name = "graphile-worker, same entries",
       .queue = "graphile-worker",
       .is_audited = true},
      {.name = "graphile-worker, none", .queue = "graphile-worker"},
      {.name = "pg-boss, same entries", .queue = "pg-boss", .is_audited = true},
      {.name = "pg-boss, none", .queue = "pg-boss"},
  };
}

// Of one drain, a second or an intent.
struct Figures {
  double rate = 0;
  double sealed_rate = 0;
  // Processor time of an intent, here and in PostgreSQL's backends, sealing
  // included.
  double own_micros = 0;
  double backend_micros = 0;
};

double MedianOf(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Bench {
 public:
  explicit Bench(const Flags& flags)
      : flags_(flags),
        backlog_({.tenants = flags.tenants,
                  .counts_statements = flags.shows_statements}),
        policies_(&runtime()),
        executors_(engine::ExecutorRegistry::RecordAllBut({})),
        waiters_(
            [](const auto&) { return std::vector<storage::IntentRow>(); }) {
    SGL_CHECK(policies_.Reload().ok());
    // What raw SQL is to write is what the engine writes.
    backlog_.Fill(200);
    DrainOurs(1);
    raw_ = std::make_unique<RawDrain>(&backlog_);
  }

  void Run() {
    std::vector<Contender> contenders;
    std::vector<Contender> all = Contenders();
    if (flags_.has_peers) {
      for (const Contender& peer : Peers()) all.push_back(peer);
    }
    for (const Contender& contender : all) {
      if (absl::StrContains(contender.name, flags_.only)) {
        contenders.push_back(contender);
      }
    }
    figures_.resize(contenders.size());
    if (flags_.has_old_snapshot) HoldSnapshot();
    std::cout << absl::StreamFormat(
        "%d intents of %d tenants, %d rounds%s; a commit takes %.2f ms\n",
        flags_.count, flags_.tenants, flags_.rounds,
        flags_.has_old_snapshot ? ", an old snapshot held open" : "",
        absl::ToDoubleMilliseconds(backlog_.CommitTime()));
    for (int round = 0; round < flags_.rounds; ++round) {
      // Each begins a round once in a while.
      for (size_t i = 0; i < contenders.size(); ++i) {
        const size_t place =
            (i + static_cast<size_t>(round)) % contenders.size();
        figures_[place].push_back(Measure(contenders[place]));
      }
    }
    Print(contenders);
    if (flags_.shows_statements) backlog_.PrintStatements();
  }

 private:
  storage::Database& runtime() { return backlog_.database().runtime(); }

  // A transaction that sees the database as it is now, to the end.
  void HoldSnapshot() {
    snapshot_ = std::make_unique<testing::SqlConnection>(
        backlog_.database().superuser_url());
    MustRun(*snapshot_,
            "BEGIN ISOLATION LEVEL REPEATABLE READ; "
            "SELECT count(*) FROM tenants");
  }

  void DrainOurs(int workers) {
    std::vector<std::unique_ptr<engine::Worker>> own;
    std::vector<std::thread> threads;
    for (int i = 0; i < workers; ++i) {
      own.push_back(std::make_unique<engine::Worker>(
          &runtime(), &policies_, &executors_, &waiters_,
          engine::Worker::Options()));
    }
    for (const auto& worker : own) {
      threads.emplace_back([&worker] {
        const absl::StatusOr<int> settled = worker->SettleDrafts();
        SGL_CHECK(settled.ok()) << settled.status().ToString();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  void AwaitSealed() {
    while (backlog_.super().Value("SELECT count(*) FROM audit_unsealed") !=
           "0") {
      never_.Wait(kLook);
    }
  }

  // Drains as many jobs as there would be intents; returns jobs a second.
  double DrainQueue(const Contender& contender) {
    const std::string command =
        absl::StrCat("node bench/peers/queues.mjs ", contender.queue, " '",
                     backlog_.database().superuser_url(), "' ", flags_.count,
                     contender.is_audited ? " audited" : "");
    std::FILE* output = popen(command.c_str(), "r");
    SGL_CHECK(output != nullptr) << command;
    // Its last line is the rate; warnings may come before.
    char line[256] = {};
    double rate = 0;
    bool has_rate = false;
    while (std::fgets(line, sizeof line, output) != nullptr) {
      has_rate = absl::SimpleAtod(line, &rate);
    }
    SGL_CHECK(pclose(output) == 0 && has_rate)
        << command << "; install it: npm install --no-save --prefix "
        << "bench/peers --ignore-scripts";
    return rate;
  }

  Figures Measure(const Contender& contender) {
    if (!contender.queue.empty()) return {.rate = DrainQueue(contender)};
    backlog_.Fill(flags_.count);
    std::unique_ptr<engine::Sealer> sealer;
    if (contender.seals) {
      sealer = std::make_unique<engine::Sealer>(
          &runtime(), engine::Sealer::Options{.key = key_});
      sealer->Start();
    }
    const double own = OwnSeconds();
    const double backend = backlog_.BackendSeconds();
    const absl::Time start = absl::Now();
    if (contender.is_ours) {
      DrainOurs(contender.lanes);
    } else {
      raw_->Drain({.batch = contender.batch, .connections = contender.lanes});
    }
    const double settled = absl::ToDoubleSeconds(absl::Now() - start);
    if (sealer != nullptr) AwaitSealed();
    const double sealed = absl::ToDoubleSeconds(absl::Now() - start);
    const double micros = 1e6 / flags_.count;
    const Figures figures = {
        .rate = flags_.count / settled,
        .sealed_rate = sealer == nullptr ? 0 : flags_.count / sealed,
        .own_micros = (OwnSeconds() - own) * micros,
        .backend_micros = (backlog_.BackendSeconds() - backend) * micros};
    if (sealer != nullptr) sealer->Stop();
    CheckWritten(contender);
    return figures;
  }

  // All contenders must have done the same work, or the figures mean nothing.
  void CheckWritten(const Contender& contender) {
    const WrittenRows rows = backlog_.Written();
    SGL_CHECK_EQ(rows.settled, flags_.count) << contender.name;
    if (expected_.settled == 0) expected_ = rows;
    SGL_CHECK_EQ(rows.memos, expected_.memos) << contender.name;
    SGL_CHECK_EQ(rows.entries, expected_.entries) << contender.name;
    const auto is_near = [](int64_t bytes, int64_t expected) {
      return bytes > expected * 99 / 100 && bytes < expected * 101 / 100;
    };
    SGL_CHECK(is_near(rows.entry_bytes, expected_.entry_bytes))
        << contender.name << rows.entry_bytes << expected_.entry_bytes;
    SGL_CHECK(is_near(rows.decision_bytes, expected_.decision_bytes))
        << contender.name;
  }

  void Print(const std::vector<Contender>& contenders) {
    std::cout << absl::StreamFormat(
        "%d memos, %d entries of %d bytes on average\n"
        "%-34s %10s %17s %10s %10s %9s %9s\n",
        expected_.memos, expected_.entries,
        expected_.entry_bytes / std::max<int64_t>(expected_.entries, 1), "",
        "intents/s", "least..most", "sealed/s", "ours/raw", "us here",
        "us in PG");
    for (size_t i = 0; i < contenders.size(); ++i) {
      const std::vector<double> rates = Column(i, &Figures::rate);
      std::cout << absl::StreamFormat(
          "%-34s %10.0f %8.0f..%7.0f %10.0f %10.2f %9.1f %9.1f\n",
          contenders[i].name, MedianOf(rates),
          *std::min_element(rates.begin(), rates.end()),
          *std::max_element(rates.begin(), rates.end()),
          MedianOf(Column(i, &Figures::sealed_rate)), RatioOf(contenders, i),
          MedianOf(Column(i, &Figures::own_micros)),
          MedianOf(Column(i, &Figures::backend_micros)));
    }
    std::cout.flush();
  }

  std::vector<double> Column(size_t contender, double Figures::*field) const {
    std::vector<double> values;
    for (const Figures& one : figures_[contender]) values.push_back(one.*field);
    return values;
  }

  // The median over the rounds of ours by its bound's rate in that round.
  double RatioOf(const std::vector<Contender>& contenders,
                 size_t contender) const {
    for (size_t bound = 0; bound < contenders.size(); ++bound) {
      if (contenders[bound].name != contenders[contender].bound) continue;
      std::vector<double> ratios;
      for (size_t round = 0; round < figures_[bound].size(); ++round) {
        ratios.push_back(figures_[contender][round].rate /
                         figures_[bound][round].rate);
      }
      return MedianOf(ratios);
    }
    return 0;
  }

  const Flags flags_;
  Backlog backlog_;
  engine::Policies policies_;
  const engine::ExecutorRegistry executors_;
  engine::Waiters waiters_;
  const engine::AuditKey key_ = engine::AuditKey::Generate();
  std::unique_ptr<RawDrain> raw_;
  std::unique_ptr<testing::SqlConnection> snapshot_;
  WrittenRows expected_;
  // By contender and round.
  std::vector<std::vector<Figures>> figures_;
  // Nobody sets it off: waits on it take their time.
  engine::WakeSignal never_;
};

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("How fast a backlog is decided, beside plain SQL.");
  app.add_option("--count", flags.count, "intents a drain")
      ->capture_default_str();
  app.add_option("--rounds", flags.rounds, "drains of each contender")
      ->capture_default_str();
  app.add_option("--tenants", flags.tenants, "tenants that share the backlog")
      ->capture_default_str();
  app.add_option("--only", flags.only,
                 "only contenders whose name contains this");
  app.add_flag("--old-snapshot", flags.has_old_snapshot,
               "hold a snapshot open, so that no dead row is cleaned up");
  app.add_flag("--peers", flags.has_peers,
               "set job queues that npm carries beside ours; from the "
               "checkout's top, once they are installed");
  app.add_flag("--statements", flags.shows_statements,
               "say which statements took PostgreSQL how long");
  CLI11_PARSE(app, argc, argv);
  Bench(flags).Run();
  return 0;
}

}  // namespace
}  // namespace sgl::bench

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return sgl::bench::Main(argc, argv);
}
