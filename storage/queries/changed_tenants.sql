-- Which of these tenants have intents or memos that a transaction wrote which
-- $2 did not see (intents_watch_idx, decision_memos_watch_idx); all of them
-- where there is no $2. Those are the transactions that began after it and the
-- few that were under way: one that stays open for long, in whatever database,
-- makes nobody read again what came after it. Each row carries this
-- statement's own snapshot, for the next time, and one comes back in any case.
SELECT now.snapshot::text, changed.tenant_id
FROM (SELECT pg_current_snapshot() AS snapshot) AS now
LEFT JOIN LATERAL (
  SELECT t.tenant_id
  FROM unnest($1::uuid[]) AS t (tenant_id)
  WHERE $2::pg_snapshot IS NULL
     OR EXISTS (
       SELECT
       FROM (
         SELECT unseen.xid AS first_xid, unseen.xid AS last_xid
         FROM pg_snapshot_xip($2::pg_snapshot) AS unseen (xid)
         UNION ALL
         SELECT pg_snapshot_xmax($2::pg_snapshot),
                '18446744073709551615'::xid8
       ) AS span
       CROSS JOIN LATERAL (
         -- In the order of the index, or a planner might read the table.
         (SELECT i.id FROM intents AS i
          WHERE i.tenant_id = t.tenant_id
            AND i.xact_id BETWEEN span.first_xid AND span.last_xid
          ORDER BY i.xact_id, i.id
          LIMIT 1)
         UNION ALL
         (SELECT m.id FROM decision_memos AS m
          WHERE m.tenant_id = t.tenant_id
            AND m.xact_id BETWEEN span.first_xid AND span.last_xid
          ORDER BY m.xact_id, m.id
          LIMIT 1)
       ) AS written)
) AS changed ON true
