#include "bench/raw_drain.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_replace.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"

namespace sgl::bench {
namespace {

using ::sgl::testing::SqlConnection;

// One settled intent of each type, its memo and its entries.
constexpr char kLearn[] = R"sql(
CREATE TABLE bench_shapes AS
  SELECT DISTINCT ON (i.intent_type)
         i.intent_type, i.id, i.status, i.decision, i.sgl_result,
         i.policy_digest, i.decision_memo_id,
         i.transition_number - 1 AS entry_count
  FROM intents AS i WHERE i.status <> 'DRAFT' ORDER BY i.intent_type, i.id;
CREATE TABLE bench_memos AS
  SELECT s.intent_type, m.*
  FROM bench_shapes AS s JOIN decision_memos AS m ON m.intent_id = s.id;
CREATE TABLE bench_entries AS
  SELECT s.intent_type, a.*
  FROM bench_shapes AS s JOIN audit_log AS a ON a.entity_id = s.id;
GRANT SELECT ON bench_shapes, bench_memos, bench_entries TO intent_runtime;
ANALYZE bench_shapes, bench_memos, bench_entries;
)sql";

constexpr char kClaim[] = R"sql(
BEGIN;
SELECT set_config('intent.tenants', '$TENANTS', true);
SELECT id, tenant_id, agent_id, intent_type, payload_raw, payload_sha256,
       spend_micros_usd, data_class, requested_by, created_at
FROM intents
WHERE id = ANY (ARRAY(
  SELECT i.id FROM intents AS i
  WHERE i.status = 'DRAFT'
    AND i.tenant_id = ANY ('$TENANTS'::uuid[])
  ORDER BY i.tenant_id, i.created_at, i.id
  LIMIT $BATCH
  FOR UPDATE SKIP LOCKED))
)sql";

constexpr char kFinish[] = R"sql(
WITH settled AS (
  UPDATE intents AS i
  SET status = s.status, decision = s.decision, sgl_result = s.sgl_result,
      policy_digest = s.policy_digest,
      decision_memo_id = CASE WHEN s.decision_memo_id IS NOT NULL
                              THEN gen_random_uuid() END,
      transition_number = i.transition_number + s.entry_count
  FROM bench_shapes AS s
  WHERE i.id = ANY ('{$IDS}'::uuid[]) AND s.intent_type = i.intent_type
  RETURNING i.id, i.tenant_id, i.intent_type, i.decision_memo_id, i.revision,
            i.payload_sha256, i.transition_number - s.entry_count AS base
), opened AS (
  INSERT INTO decision_memos
    (id, tenant_id, intent_id, agent, title, rationale,
     estimated_cost_micros_usd, estimated_cost_usd, risk_tier, demands,
     reasons, revision, payload_sha256, policy_digest, expires_at)
  SELECT t.decision_memo_id, t.tenant_id, t.id, m.agent, m.title, m.rationale,
         m.estimated_cost_micros_usd, m.estimated_cost_usd, m.risk_tier,
         m.demands, m.reasons, t.revision, t.payload_sha256, m.policy_digest,
         m.expires_at
  FROM settled AS t JOIN bench_memos AS m ON m.intent_type = t.intent_type
), entry AS (
  INSERT INTO audit_log
    (tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
     entity_type, entity_id, meta, transition_number)
  SELECT t.tenant_id, e.actor_user_id, e.actor_external_id, e.actor_type,
         e.level, e.action, 'intent', t.id, e.meta,
         t.base + e.transition_number - 1
  FROM settled AS t JOIN bench_entries AS e ON e.intent_type = t.intent_type
)
SELECT count(*) FROM settled;
COMMIT
)sql";

}  // namespace

RawDrain::RawDrain(Backlog* backlog) : backlog_(backlog) {
  MustRun(backlog_->super(), kLearn);
  SGL_CHECK_EQ(backlog_->super().Value("SELECT count(*) FROM bench_shapes"),
               "3");
}

void RawDrain::DrainOn(SqlConnection& connection, int batch) {
  const std::string claim =
      absl::StrReplaceAll(kClaim, {{"$TENANTS", backlog_->tenant_setting()},
                                   {"$BATCH", absl::StrCat(batch)}});
  while (true) {
    const testing::SqlResult claimed = MustRun(connection, claim);
    std::string ids;
    for (const std::vector<std::string>& row : claimed.rows) {
      absl::StrAppend(&ids, ids.empty() ? "" : ",", row[0]);
    }
    MustRun(connection, ids.empty()
                            ? "ROLLBACK"
                            : absl::StrReplaceAll(kFinish, {{"$IDS", ids}}));
    if (ids.empty()) return;
  }
}

void RawDrain::Drain(const Options& options) {
  const size_t count = static_cast<size_t>(options.connections);
  while (connections_.size() < count) {
    connections_.push_back(
        std::make_unique<SqlConnection>(backlog_->database().runtime_url()));
  }
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i) {
    threads.emplace_back([&, i] { DrainOn(*connections_[i], options.batch); });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace sgl::bench
