#include "bench/raw_calls.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>
#include <glob.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/check.h"

namespace sgl::bench {
namespace {

constexpr char kLearn[] = R"sql(
CREATE TABLE bench_intent AS SELECT * FROM intents WHERE id = '$ID';
CREATE TABLE bench_story AS
  SELECT * FROM audit_log WHERE entity_id = '$ID';
GRANT SELECT ON bench_intent, bench_story TO intent_runtime;
ANALYZE bench_intent, bench_story;
)sql";

// pgbench takes a statement a line, or up to a semicolon.
constexpr char kScript[] = R"sql(
WITH fresh AS (SELECT gen_random_uuid() AS id, gen_random_uuid() AS request_id),
request AS (
  INSERT INTO intent_requests
    (tenant_id, principal_id, request_id, body_sha256, intent_id)
  SELECT b.tenant_id, b.agent_id, f.request_id::text, b.payload_sha256, f.id
  FROM bench_intent AS b, fresh AS f ON CONFLICT DO NOTHING
), intent AS (
  INSERT INTO intents
    (id, tenant_id, agent_id, intent_type, payload, payload_raw, payload_sha256,
     spend_micros_usd, data_class, requested_by, title, rationale, request_id,
     submitted_by_token, status, decision, sgl_result, policy_digest, output,
     transition_number)
  SELECT f.id, b.tenant_id, b.agent_id, b.intent_type, b.payload, b.payload_raw,
         b.payload_sha256, b.spend_micros_usd, b.data_class, b.requested_by,
         b.title, b.rationale, f.request_id::text, b.submitted_by_token,
         b.status, b.decision, b.sgl_result, b.policy_digest, b.output,
         b.transition_number
  FROM bench_intent AS b, fresh AS f
)
INSERT INTO audit_log
  (tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
   entity_type, entity_id, meta, transition_number)
SELECT e.tenant_id, e.actor_user_id, e.actor_external_id, e.actor_type, e.level,
       e.action, e.entity_type, f.id, e.meta, e.transition_number
FROM bench_story AS e, fresh AS f;
)sql";

// Of the newest version, as the server's.
std::string PgbenchPath() {
  glob_t found = {};
  SGL_CHECK_EQ(glob("/usr/lib/postgresql/*/bin/pgbench", 0, nullptr, &found), 0)
      << "pgbench is missing; it comes with the package postgresql";
  const std::string path = found.gl_pathv[found.gl_pathc - 1];
  globfree(&found);
  return path;
}

}  // namespace

RawCalls::RawCalls(Backlog* backlog, const std::string& intent_id)
    : backlog_(backlog) {
  MustRun(backlog_->super(), absl::StrReplaceAll(kLearn, {{"$ID", intent_id}}));
  tenant_id_ = backlog_->super().Value("SELECT tenant_id FROM bench_intent");
  SGL_CHECK_EQ(backlog_->super().Value("SELECT count(*) FROM bench_story"),
               "3");
  const char* folder = std::getenv("TEST_TMPDIR");
  script_ = absl::StrCat(folder == nullptr ? "/tmp" : folder, "/raw_calls.",
                         getpid(), ".sql");
  std::ofstream(script_) << kScript;
}

double RawCalls::Rate(const Options& options) {
  const std::string command =
      absl::StrCat("PGOPTIONS='-c intent.tenants={", tenant_id_, "}' ",
                   PgbenchPath(), " -n -M prepared -c ", options.clients,
                   " -j ", options.clients > 1 ? 2 : 1, " -T ",
                   absl::ToInt64Seconds(options.duration), " -f ", script_,
                   " '", backlog_->database().runtime_url(), "' 2>&1");
  std::FILE* output = popen(command.c_str(), "r");
  SGL_CHECK(output != nullptr);
  std::string text;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof buffer, output)) {
    text.append(buffer, size);
  }
  const int status = pclose(output);
  const size_t at = text.find("tps = ");
  double rate = 0;
  SGL_CHECK(status == 0 && at != std::string::npos &&
            absl::SimpleAtod(
                text.substr(at + 6, text.find(' ', at + 6) - at - 6), &rate))
      << text;
  return rate;
}

}  // namespace sgl::bench
