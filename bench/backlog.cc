#include "bench/backlog.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_replace.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "engine/policies.h"
#include "engine/policy_files.h"

namespace sgl::bench {
namespace {

using ::sgl::testing::SeededTenant;
using ::sgl::testing::SqlConnection;
using ::sgl::testing::SqlResult;
using ::sgl::testing::TestDatabase;

constexpr char kPolicy[] = "policy/library/atlas.sgl";

// The log and the seals refuse to be emptied, so triggers are off meanwhile.
constexpr char kWipe[] = R"sql(
SET session_replication_role = replica;
TRUNCATE intents, intent_requests, decision_memos, audit_log, audit_unsealed,
         audit_seals CASCADE;
SET session_replication_role = origin;
)sql";

// What SubmitIntent leaves: the exact text, its hash, the request's id and one
// accounted entry. One statement for all; the claim's order is theirs.
constexpr char kFill[] = R"sql(
INSERT INTO intents
  (tenant_id, agent_id, intent_type, payload, payload_raw, payload_sha256,
   spend_micros_usd, data_class, requested_by, request_id, submitted_by_token,
   transition_number, created_at)
SELECT t.tenant_id, t.agent_id, d.intent_type, d.text::jsonb, d.text,
       encode(sha256(convert_to(d.text, 'UTF8')), 'hex'),
       CASE d.intent_type WHEN 'SOCIAL_POST' THEN 300000000 ELSE 1500000 END,
       'NONE', 'ann@example.com', 'bench-' || n, t.token_id, 1,
       engine_now() - interval '1 hour' + n * interval '1 microsecond'
FROM generate_series(1, $COUNT) AS n
JOIN bench_tenants AS t ON t.place = n % (SELECT count(*) FROM bench_tenants)
CROSS JOIN LATERAL (
  SELECT CASE n / (SELECT count(*) FROM bench_tenants) % 10
           WHEN 0 THEN 'SOCIAL_POST' WHEN 1 THEN 'BROWSER_TASK'
           ELSE 'EMAIL_SEND' END) AS k (intent_type)
CROSS JOIN LATERAL (
  SELECT k.intent_type,
    CASE k.intent_type
      WHEN 'SOCIAL_POST' THEN
        format('{"channel": "linkedin", "text": "We are live, take %s."}', n)
      WHEN 'BROWSER_TASK' THEN
        format('{"url": "https://www.paypal.com/pay/%s", "actions": []}', n)
      ELSE format(
        '{"to": ["ann%s@example.com"], "subject": "Your order %s", "body": '
        '"Dear Ann, your order has left our house and will be with you in '
        'three days. Yours, the shop."}', n, n)
    END) AS d (intent_type, text);
)sql";

int64_t Number(const std::string& text) {
  int64_t number = 0;
  SGL_CHECK(absl::SimpleAtoi(text, &number)) << text;
  return number;
}

// User and system time of a process, fields 14 and 15, counted behind the
// command's closing parenthesis. Zero where it is gone.
double ProcessSeconds(const std::string& pid) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/stat"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) return 0;
  const std::vector<std::string> fields =
      absl::StrSplit(text.substr(text.rfind(')') + 2), ' ');
  return static_cast<double>(Number(fields[11]) + Number(fields[12])) /
         static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

double OwnSeconds() {
  rusage usage = {};
  SGL_CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

SqlResult MustRun(SqlConnection& connection, const std::string& sql) {
  SqlResult result = connection.Run(sql);
  SGL_CHECK(result.ok()) << result.error << " of: " << sql;
  return result;
}

Backlog::Backlog(const Options& options) {
  // Small for a server, and enough that no run waits for a checkpoint.
  std::vector<std::string> settings = {
      "shared_buffers=512MB", "max_wal_size=8GB", "checkpoint_timeout=1h"};
  if (options.counts_statements) {
    settings.insert(settings.end(),
                    {"shared_preload_libraries=pg_stat_statements",
                     "pg_stat_statements.track=all"});
  }
  testing::ConfigureServer({.durable = true, .settings = std::move(settings)});
  database_ = TestDatabase::Make();
  if (options.counts_statements) {
    MustRun(super(), "CREATE EXTENSION pg_stat_statements");
  }
  MustRun(super(),
          "CREATE TABLE bench_tenants (place integer, tenant_id uuid, "
          "agent_id uuid, token_id uuid)");
  std::vector<std::string> ids;
  for (int i = 0; i < options.tenants; ++i) {
    const SeededTenant tenant = database_->Seed(absl::StrCat("bench-", i));
    MustRun(super(), absl::StrCat("INSERT INTO bench_tenants VALUES (", i,
                                  ", '", tenant.id, "', '", tenant.agent,
                                  "', '", tenant.agent_token, "')"));
    ids.push_back(tenant.id);
  }
  tenant_setting_ = absl::StrCat("{", absl::StrJoin(ids, ","), "}");
  // The policy's own name for who may execute.
  MustRun(super(), "UPDATE agent_registry SET name = 'Atlas'");
  const auto sources = engine::ReadPolicyFiles({kPolicy});
  SGL_CHECK(sources.ok()) << sources.status().ToString();
  const absl::Status installed = engine::InstallPolicy(
      database_->direct(), *sources, engine::OnOtherPolicy::kRefuse);
  SGL_CHECK(installed.ok()) << installed.ToString();
}

void Backlog::Fill(int count) {
  MustRun(super(), kWipe);
  MustRun(super(),
          absl::StrReplaceAll(kFill, {{"$COUNT", absl::StrCat(count)}}));
  MustRun(super(), "VACUUM ANALYZE");
  MustRun(super(), "CHECKPOINT");
}

WrittenRows Backlog::Written() {
  const std::vector<std::string> row =
      MustRun(super(),
              "SELECT (SELECT count(*) FROM intents WHERE status <> 'DRAFT'), "
              "(SELECT count(*) FROM decision_memos), "
              "(SELECT count(*) FROM audit_log), "
              "(SELECT coalesce(sum(length(meta::text)), 0) FROM audit_log), "
              "(SELECT coalesce(sum(length(decision::text)), 0) FROM intents)")
          .rows[0];
  return {.settled = Number(row[0]),
          .memos = Number(row[1]),
          .entries = Number(row[2]),
          .entry_bytes = Number(row[3]),
          .decision_bytes = Number(row[4])};
}

double Backlog::BackendSeconds() {
  double seconds = 0;
  for (const std::vector<std::string>& row :
       MustRun(super(),
               "SELECT pid FROM pg_stat_activity WHERE usename = "
               "'intent_login' AND datname = current_database()")
           .rows) {
    seconds += ProcessSeconds(row[0]);
  }
  return seconds;
}

void Backlog::PrintStatements() {
  for (const std::vector<std::string>& row :
       MustRun(super(),
               "SELECT round(total_exec_time + total_plan_time), calls, rows, "
               "left(regexp_replace(query, '\\s+', ' ', 'g'), 90) "
               "FROM pg_stat_statements AS s JOIN pg_roles AS r "
               "ON r.oid = s.userid "
               "WHERE r.rolname IN ('intent_login', 'intent_definer') "
               "ORDER BY 1 DESC LIMIT 25")
           .rows) {
    std::cout << absl::StreamFormat("%8s ms %7s calls %8s rows  %s\n", row[0],
                                    row[1], row[2], row[3]);
  }
}

absl::Duration Backlog::CommitTime() {
  constexpr int kCommits = 101;
  MustRun(super(), "CREATE TABLE IF NOT EXISTS bench_commits (n integer)");
  std::vector<absl::Duration> times;
  for (int i = 0; i < kCommits; ++i) {
    MustRun(super(), "BEGIN; INSERT INTO bench_commits VALUES (1)");
    const absl::Time start = absl::Now();
    MustRun(super(), "COMMIT");
    times.push_back(absl::Now() - start);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace sgl::bench
