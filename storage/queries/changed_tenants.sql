-- Which of these tenants have intents or memos that a transaction wrote which
-- $2 did not see (intents_watch_idx, decision_memos_watch_idx); all of them
-- where there is no $2. Each row carries this statement's own snapshot, for
-- the next time, and one comes back in any case.
SELECT now.snapshot::text, changed.tenant_id
FROM (SELECT pg_current_snapshot() AS snapshot) AS now
LEFT JOIN LATERAL (
  SELECT t.tenant_id
  FROM unnest($1::uuid[]) AS t (tenant_id)
  WHERE $2::pg_snapshot IS NULL
     OR EXISTS (
       SELECT FROM intents AS i
       WHERE i.tenant_id = t.tenant_id
         AND i.xact_id >= pg_snapshot_xmin($2::pg_snapshot)
         AND NOT pg_visible_in_snapshot(i.xact_id, $2::pg_snapshot))
     OR EXISTS (
       SELECT FROM decision_memos AS m
       WHERE m.tenant_id = t.tenant_id
         AND m.xact_id >= pg_snapshot_xmin($2::pg_snapshot)
         AND NOT pg_visible_in_snapshot(m.xact_id, $2::pg_snapshot))
) AS changed ON true
