// How many recorded decisions a second does a version get tried on, and where
// does the time go: in PostgreSQL, which reads, or here, where they are decoded
// and decided?
//
// Replays N decisions (100,000, or the first argument) of a PostgreSQL of its
// own, three times, and prints the rate and the CPU seconds of both sides.

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_replace.h>
#include <absl/time/clock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "engine/built_in.h"
#include "engine/call_scope.h"
#include "engine/executors.h"
#include "engine/policies.h"
#include "engine/policy_replay.h"
#include "engine/policy_versions.h"
#include "policy/policy.h"
#include "storage/policies.h"
#include "tests/support/database.h"

namespace sgl::bench {
namespace {

using engine::PolicyReplay;
using testing::TestDatabase;

constexpr char kRules[] = R"sgl(
policy bench.replay version 1
default allow

intent BANK_TRANSFER {
  to_account: string
  amount: usd
  currency: string
  memo: string?
  country: string
  lines: list<{ sku: string, qty: int }>
}

block UNKNOWN_AGENTS when not agent.known
block NO_HEALTH on BANK_TRANSFER when intent.data_class == PHI
block SANCTIONED on BANK_TRANSFER when payload.country in {"KP", "IR"}
block OTHER_CURRENCY on BANK_TRANSFER when payload.currency != "USD"
block LARGE_LINES on BANK_TRANSFER when
  any line in payload.lines : line.qty > 100
review LARGE on BANK_TRANSFER when payload.amount >= $8900
  approvals 1 from owner
review NO_MEMO on BANK_TRANSFER when payload.memo ?? "" == ""
review JUNIOR on BANK_TRANSFER when agent.tier < 1
)sgl";

// What the candidate has beside these.
constexpr char kNewRule[] =
    "block ODD_AMOUNTS on BANK_TRANSFER when payload.amount == $17\n";

// One tenant's decisions, as the engine records them.
constexpr char kFill[] = R"sql(
SET session_replication_role = replica;
CREATE TEMP TABLE made AS
  SELECT gen_random_uuid() AS id, n FROM generate_series(1, $COUNT) AS n;
INSERT INTO intents (id, tenant_id, agent_id, intent_type, payload_raw,
                     payload_sha256, spend_micros_usd, data_class)
SELECT id, '$TENANT', '$AGENT', 'BANK_TRANSFER',
       format('{"to_account": "US%s", "amount": %s, "currency": "USD", '
              '"memo": "invoice %s for services in march", "country": "US", '
              '"lines": [{"sku": "a", "qty": 2}, {"sku": "b", "qty": 1}]}',
              n, n % 8900, n),
       repeat('a', 64), 0, 'NONE'
FROM made;
INSERT INTO audit_log (tenant_id, action, entity_type, entity_id, meta,
                       transition_number, created_at)
SELECT '$TENANT', e.action, 'intent', m.id,
       CASE e.action WHEN 'SGL_EVALUATED' THEN format(
         '{"decision": "ALLOW", "reasons": [], "risk": 0, "demands": [], '
         '"policy_digest": "$DIGEST", "platform_digest": "$DIGEST", '
         '"layer_digest": "", "tzdata": "2026f", "within": "", '
         '"payload_sha256": "%s", "revision": 1, "facts": {'
         '"now": "2026-11-01T10:00:00.123456Z", "intent": {'
         '"type": "BANK_TRANSFER", "revision": 1, "spend_micros_usd": 0, '
         '"data_class": "NONE", "requested_by": "ann", '
         '"created_at": "2026-11-01T10:00:00.012345Z"}, "agent": {'
         '"known": true, "id": "$AGENT", "name": "ATLAS", '
         '"role": "assistant", "status": "active", "tier": 2, '
         '"labels": ["finance", "eu"]}, "tenant": {"id": "$TENANT", '
         '"slug": "acme", "seat": "pro"}, "integrations": [], '
         '"budget": {"exists": false}, "limits": []}}',
         repeat('a', 64))::jsonb
       ELSE jsonb_build_object('payload_sha256', repeat('a', 64)) END,
       e.place, engine_now() - interval '1 hour'
                + (m.n * 3 + e.place) * interval '1 microsecond'
FROM made AS m,
     (VALUES ('INTENT_SUBMITTED', 1), ('SGL_EVALUATED', 2),
             ('ENGINE_EXECUTED_INTENT', 3)) AS e (action, place)
ORDER BY m.n, e.place;
SET session_replication_role = origin;
)sql";

double OwnCpuSeconds() {
  rusage usage = {};
  SGL_CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// User and system time of a process of PostgreSQL.
double CpuSecondsOf(const std::string& process) {
  std::ifstream file(absl::StrCat("/proc/", process, "/stat"));
  std::string field;
  double ticks = 0;
  // utime and stime are fields 14 and 15; its name holds two blanks at most.
  std::string line;
  std::getline(file, line);
  const std::string rest = line.substr(line.rfind(')') + 2);
  size_t at = 0;
  for (int number = 3; number <= 15; ++number) {
    const size_t end = rest.find(' ', at);
    double value = 0;
    if (number >= 14) {
      SGL_CHECK(absl::SimpleAtod(rest.substr(at, end - at), &value));
      ticks += value;
    }
    at = end + 1;
  }
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

engine::CallScope ScopeOfOperator() {
  storage::Principal principal;
  principal.tenant_id = engine::kSystemTenant;
  principal.kind = storage::PrincipalKind::kOperator;
  return engine::CallScope(std::make_shared<engine::CallState>(), principal,
                           absl::InfiniteFuture());
}

std::string Propose(storage::Database& db, const std::string& text) {
  const std::vector<SourceFile> sources = {{"bench.sgl", text}};
  const std::string digest = SetDigest(sources);
  auto tx = db.Begin({.tenants = {engine::kSystemTenant}});
  SGL_CHECK(tx.ok()) << tx.status();
  const absl::Status stored =
      storage::StorePolicy(*tx, engine::SetOf(digest, sources), "bench");
  SGL_CHECK(stored.ok()) << stored;
  const absl::Status committed = tx->Commit();
  SGL_CHECK(committed.ok()) << committed;
  return digest;
}

void Fill(TestDatabase& test, int count, const std::string& digest) {
  const testing::SeededTenant tenant = test.Seed("acme");
  const auto filled = test.Super().Run(
      absl::StrReplaceAll(kFill, {{"$COUNT", absl::StrCat(count)},
                                  {"$TENANT", tenant.id},
                                  {"$AGENT", tenant.agent},
                                  {"$DIGEST", digest}}));
  SGL_CHECK(filled.ok()) << filled.error;
  SGL_CHECK(test.Super().Run("ANALYZE").ok());
}

void Run(int count) {
  const std::unique_ptr<TestDatabase> test = TestDatabase::Make();
  // One connection, so that one process of PostgreSQL does all the reading.
  auto db =
      storage::Database::Create(test->runtime_url(), {.connections_max = 1});
  SGL_CHECK(db.ok()) << db.status();
  const std::string digest = Propose(**db, kRules);
  const std::string candidate = Propose(**db, absl::StrCat(kRules, kNewRule));
  Fill(*test, count, digest);
  engine::Policies policies(db->get());
  const engine::ExecutorRegistry executors =
      engine::ExecutorRegistry::RecordAllBut({});
  engine::PolicyVersions versions(db->get(), &policies, &executors);
  engine::PolicyReplays replays(db->get(), &policies, &versions);
  const engine::CallScope scope = ScopeOfOperator();
  const std::string process = test->Super().Value(
      "SELECT pid FROM pg_stat_activity WHERE application_name = "
      "'intent-engine' AND datname = current_database() LIMIT 1");
  std::cout << absl::StreamFormat(
      "%d decisions; CPU seconds per 100,000\n%12s %12s %12s %12s\n", count,
      "decisions/s", "engine", "PostgreSQL", "changed");
  for (int round = 0; round < 3; ++round) {
    auto replay = replays.Begin(
        scope, {.name = {.digest = candidate}, .start = absl::UnixEpoch()});
    SGL_CHECK(replay.ok()) << replay.status();
    const absl::Time begun = absl::Now();
    const double own = OwnCpuSeconds();
    const double theirs = CpuSecondsOf(process);
    absl::StatusOr<engine::ReplayProgress> progress;
    do {
      progress = (*replay)->Step(scope);
      SGL_CHECK(progress.ok()) << progress.status();
    } while (!progress->is_caught_up);
    const auto& tally = (*replay)->tally();
    SGL_CHECK_EQ(tally.compared(), count);
    SGL_CHECK_EQ(tally.skipped(), 0);
    const double share = 100'000.0 / count;
    std::cout << absl::StreamFormat(
        "%12.0f %12.2f %12.2f %12d\n",
        count / absl::ToDoubleSeconds(absl::Now() - begun),
        (OwnCpuSeconds() - own) * share,
        (CpuSecondsOf(process) - theirs) * share,
        tally.compared() - tally.same());
  }
}

}  // namespace
}  // namespace sgl::bench

int main(int argc, char** argv) {
  int count = 100'000;
  if (argc > 1 && (!absl::SimpleAtoi(argv[1], &count) || count < 1)) {
    std::cerr << "usage: replay_bench [DECISIONS]\n";
    return 2;
  }
  sgl::bench::Run(count);
  return 0;
}
