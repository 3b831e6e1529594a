// How long does a caller wait for a decision that is stored for good, and how
// many callers can an engine serve?
//
// Starts a PostgreSQL of its own whose commits wait for the disk, and one
// engine under policy/library/atlas.sgl that is called over gRPC on loopback;
// callers share its processor. Each call is the whole story: submitted,
// decided, settled, its three audit entries written, committed. Beside it, in
// the same run and in turns: the same rows written by plain SQL one by one
// (pgbench), an empty call, and intents that are inserted by SQL at an even
// pace.
//
//   bazel run --config=opt //bench:calls
//   bazel run --config=opt //bench:calls -- --seconds 10 --rounds 3

#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "bench/backlog.h"
#include "bench/call_load.h"
#include "bench/raw_calls.h"
#include "engine/api_token.h"
#include "engine/audit_key.h"
#include "engine/engine.h"
#include "engine/server.h"
#include "engine/wake_signal.h"
#include "storage/identity.h"
#include "storage/listener.h"
#include "storage/uuid.h"

namespace sgl::bench {
namespace {

struct Flags {
  int seconds = 5;
  int rounds = 3;
  bool shows_statements = false;
  // Of kParts; empty: all.
  std::vector<std::string> only = {};
};

// What `--only` names.
const char* const kParts[] = {"empty", "raw",  "one", "some",
                              "many",  "half", "sql"};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double Millis(absl::Duration duration) {
  return absl::ToDoubleMilliseconds(duration);
}

// Of one line of the table, a value a round.
struct Line {
  std::string name;
  std::vector<double> rate = {};
  std::vector<double> p50 = {};
  std::vector<double> p99 = {};
  // Processor time of an answer, here (callers included) and in PostgreSQL's
  // backends.
  std::vector<double> own_micros = {};
  std::vector<double> backend_micros = {};

  void Add(const Latencies& latencies) {
    rate.push_back(latencies.rate);
    p50.push_back(Millis(latencies.At(0.5)));
    p99.push_back(Millis(latencies.At(0.99)));
  }
};

void Print(const Line& line) {
  std::cout << absl::StreamFormat("%-34s %9.0f", line.name, Median(line.rate));
  if (!line.p50.empty()) {
    std::cout << absl::StreamFormat(
        " %9.2f %9.2f %9.0f %9.0f", Median(line.p50), Median(line.p99),
        Median(line.own_micros), Median(line.backend_micros));
  }
  std::cout << std::endl;
}

class Bench {
 public:
  explicit Bench(const Flags& flags)
      : flags_(flags),
        duration_(absl::Seconds(flags.seconds)),
        backlog_({.counts_statements = flags.shows_statements}) {
    const std::string tenant =
        backlog_.super().Value("SELECT tenant_id FROM bench_tenants LIMIT 1");
    const std::string agent = backlog_.super().Value(absl::StrCat(
        "SELECT agent_id FROM bench_tenants WHERE tenant_id = '", tenant, "'"));
    absl::StatusOr<std::unique_ptr<engine::Engine>> engine =
        engine::Engine::Create(
            {.database_url = backlog_.database().runtime_url(),
             .direct_url = backlog_.database().direct_url(),
             .sealer = {.key = key_}});
    SGL_CHECK(engine.ok()) << engine.status().ToString();
    engine_ = *std::move(engine);
    engine_->Load();
    engine_->Start();
    absl::StatusOr<std::unique_ptr<engine::Server>> server =
        engine::Server::Start(engine_.get(), {.listen = "127.0.0.1:0"});
    SGL_CHECK(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    load_ =
        std::make_unique<CallLoad>(server_->address(), TokenOf(tenant, agent));
    raw_ = std::make_unique<RawCalls>(&backlog_, load_->SubmitOne());
    tenant_ = tenant;
    agent_ = agent;
  }

  ~Bench() { server_->Drain(absl::Seconds(10)); }

  void Run() {
    Line empty_one = {.name = "an empty call, 1 in flight"};
    Line empty_many = {.name = "an empty call, 64 in flight"};
    Line raw_one = {.name = "plain SQL, 1 client"};
    Line raw_many = {.name = "plain SQL, 16 clients"};
    Line one = {.name = "ours, 1 in flight"};
    Line some = {.name = "ours, 16 in flight"};
    Line many = {.name = "ours, 64 in flight"};
    Line half = {.name = "ours, at half of that rate"};
    Line by_sql = {.name = "inserted by SQL, 200 a second"};
    std::vector<double> commits;
    for (int round = 0; round < flags_.rounds; ++round) {
      commits.push_back(Millis(backlog_.CommitTime()));
      const auto closed = [this](int in_flight, bool is_empty) {
        return load_->Closed({.in_flight = in_flight,
                              .duration = duration_,
                              .is_empty = is_empty});
      };
      if (Wants("empty")) {
        Measure(&empty_one, [&] { return closed(1, true); });
        Measure(&empty_many, [&] { return closed(64, true); });
      }
      if (Wants("raw")) {
        raw_one.rate.push_back(raw_->Rate({.duration = duration_}));
        raw_many.rate.push_back(
            raw_->Rate({.clients = 16, .duration = duration_}));
      }
      if (Wants("one")) Measure(&one, [&] { return closed(1, false); });
      if (Wants("some")) Measure(&some, [&] { return closed(16, false); });
      if (Wants("many")) Measure(&many, [&] { return closed(64, false); });
      if (Wants("half") && Wants("many")) {
        Measure(&half, [&] {
          return load_->Open(
              {.per_second = many.rate.back() / 2, .duration = duration_});
        });
      }
      if (Wants("sql")) Measure(&by_sql, [&] { return InsertBySql(200); });
    }
    const double commit = Median(commits);
    std::cout << absl::StreamFormat(
        "%d rounds of %d s; a commit takes %.2f ms\n"
        "%-34s %9s %9s %9s %9s %9s\n",
        flags_.rounds, flags_.seconds, commit, "", "a second", "p50 ms",
        "p99 ms", "us here", "us in PG");
    for (const Line* line : {&empty_one, &empty_many, &raw_one, &raw_many, &one,
                             &some, &many, &half, &by_sql}) {
      if (!line->rate.empty()) Print(*line);
    }
    PrintRatios(commit, empty_one, raw_many, one, many);
    if (flags_.shows_statements) backlog_.PrintStatements();
  }

 private:
  bool Wants(const std::string& part) const {
    return flags_.only.empty() ||
           std::find(flags_.only.begin(), flags_.only.end(), part) !=
               flags_.only.end();
  }

  static void PrintRatios(double commit, const Line& empty_one,
                          const Line& raw_many, const Line& one,
                          const Line& many) {
    if (!many.rate.empty() && !raw_many.rate.empty()) {
      std::vector<double> ratios;
      for (size_t i = 0; i < many.rate.size(); ++i) {
        ratios.push_back(many.rate[i] / raw_many.rate[i]);
      }
      std::cout << absl::StreamFormat(
          "64 in flight by plain SQL's 16 clients: %.2f\n", Median(ratios));
    }
    if (!one.p50.empty() && !empty_one.p50.empty()) {
      const double allowed = 2.5 * commit + Median(empty_one.p50);
      std::cout << absl::StreamFormat(
          "one in flight by 2.5 commits and an empty call (%.2f ms): %.2f\n",
          allowed, Median(one.p50) / allowed);
    }
    std::cout << absl::StreamFormat(
        "the largest that this process was: %d MiB\n", PeakMebibytes());
  }

  void Measure(Line* line, const std::function<Latencies()>& run) {
    const double own = OwnSeconds();
    const double backend = backlog_.BackendSeconds();
    const Latencies latencies = run();
    const double micros = 1e6 / static_cast<double>(latencies.sorted.size());
    line->Add(latencies);
    line->own_micros.push_back((OwnSeconds() - own) * micros);
    line->backend_micros.push_back((backlog_.BackendSeconds() - backend) *
                                   micros);
  }

  std::string TokenOf(const std::string& tenant, const std::string& agent) {
    const std::string token = engine::NewApiToken();
    absl::StatusOr<storage::Transaction> tx =
        backlog_.database().direct().Begin({});
    SGL_CHECK(tx.ok());
    const absl::StatusOr<std::string> id = storage::CreateToken(
        *tx, {.tenant_id = tenant,
              .kind = storage::PrincipalKind::kAgent,
              .principal_id = agent,
              .name = "bench",
              .token_sha256 = engine::HashApiToken(token)});
    SGL_CHECK(id.ok() && tx->Commit().ok());
    return token;
  }

  // Inserts as an existing system does, at an even pace; the time from before
  // each insert until its settlement is heard of.
  Latencies InsertBySql(int per_second) {
    absl::StatusOr<std::unique_ptr<storage::Listener>> listener =
        storage::Listener::Create(backlog_.database().direct_url(),
                                  {storage::kSettledChannel});
    SGL_CHECK(listener.ok() && (*listener)->Wait(absl::Seconds(1)).ok());
    const auto count = static_cast<size_t>(per_second * flags_.seconds);
    std::vector<std::string> ids;
    for (size_t i = 0; i < count; ++i) ids.push_back(storage::NewUuid());
    std::vector<absl::Time> heard(count, absl::InfiniteFuture());
    std::thread hearing([&] {
      for (size_t left = count; left > 0;) {
        const absl::StatusOr<storage::Wakeup> wakeup =
            (*listener)->Wait(absl::Seconds(10));
        SGL_CHECK(wakeup.ok() && !wakeup->notifications.empty());
        const absl::Time now = absl::Now();
        for (const storage::Notification& one : wakeup->notifications) {
          for (absl::string_view id : absl::StrSplit(one.payload, ',')) {
            const auto found = std::find(ids.begin(), ids.end(), id);
            if (found == ids.end()) continue;
            heard[static_cast<size_t>(found - ids.begin())] = now;
            --left;
          }
        }
      }
    });
    testing::SqlConnection& writer = backlog_.database().Owner();
    std::vector<absl::Time> begun;
    const absl::Time start = absl::Now();
    for (size_t i = 0; i < count; ++i) {
      never_.Wait(start + i * absl::Seconds(1) / per_second - absl::Now());
      begun.push_back(absl::Now());
      MustRun(writer,
              absl::StrCat("INSERT INTO intents (id, tenant_id, agent_id, "
                           "intent_type, payload) VALUES ('",
                           ids[i], "', '", tenant_, "', '", agent_,
                           "', 'EMAIL_SEND', '{\"to\": [\"a@example.com\"], "
                           "\"subject\": \"Hi\", \"body\": \"Hello\"}')"));
    }
    hearing.join();
    std::vector<absl::Duration> taken;
    for (size_t i = 0; i < count; ++i) taken.push_back(heard[i] - begun[i]);
    return LatenciesOf(std::move(taken), absl::Now() - start);
  }

  static int64_t PeakMebibytes() {
    std::ifstream status("/proc/self/status");
    std::string word;
    int64_t kibibytes = 0;
    while (status >> word) {
      if (word == "VmHWM:") status >> kibibytes;
    }
    return kibibytes / 1024;
  }

  const Flags flags_;
  const absl::Duration duration_;
  Backlog backlog_;
  const engine::AuditKey key_ = engine::AuditKey::Generate();
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<engine::Server> server_;
  std::unique_ptr<CallLoad> load_;
  std::unique_ptr<RawCalls> raw_;
  std::string tenant_;
  std::string agent_;
  // Nobody sets it off: waits on it take their time.
  engine::WakeSignal never_;
};

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("How long a caller waits for a decision, beside plain SQL.");
  app.add_option("--seconds", flags.seconds, "of each part")
      ->capture_default_str()
      ->check(CLI::Range(1, 3600));
  app.add_option("--rounds", flags.rounds, "of all parts")
      ->capture_default_str()
      ->check(CLI::Range(1, 100));
  app.add_option("--only", flags.only, "some parts; may be repeated")
      ->check(CLI::IsMember(
          std::vector<std::string>(std::begin(kParts), std::end(kParts))));
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
