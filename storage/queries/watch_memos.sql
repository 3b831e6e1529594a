-- The same as watch_intents.sql for memos (decision_memos_watch_idx).
SELECT
  round.until_snapshot::text,
  pg_snapshot_xmax(round.since_snapshot)
    <= pg_snapshot_xmax(pg_current_snapshot()) AS is_known,
  changed.id,
  changed.xact_id::text
FROM (
  SELECT coalesce($2::pg_snapshot, pg_current_snapshot()) AS since_snapshot,
         coalesce($3::pg_snapshot, pg_current_snapshot()) AS until_snapshot
) AS round
LEFT JOIN LATERAL (
  SELECT found.id, found.xact_id
  FROM (
    SELECT unseen.xid AS first_xid, unseen.xid AS last_xid
    FROM pg_snapshot_xip(round.since_snapshot) AS unseen (xid)
    UNION ALL
    SELECT pg_snapshot_xmax(round.since_snapshot),
           pg_snapshot_xmax(round.until_snapshot)
  ) AS span
  CROSS JOIN LATERAL (
    SELECT m.id, m.xact_id
    FROM decision_memos AS m
    JOIN intents AS i ON i.tenant_id = m.tenant_id AND i.id = m.intent_id
    WHERE m.tenant_id = $1::uuid
      AND m.xact_id BETWEEN greatest(span.first_xid, $4::xid8)
        AND span.last_xid
      AND ($4::xid8 IS NULL OR (m.xact_id, m.id) > ($4::xid8, $5::uuid))
      AND pg_visible_in_snapshot(m.xact_id, round.until_snapshot)
      AND ($6::text IS NULL OR m.status = $6)
      AND ($7::uuid IS NULL OR m.intent_id = $7)
      AND ($8::text IS NULL OR i.intent_type = $8)
    ORDER BY m.xact_id, m.id
    LIMIT $9::integer
  ) AS found
  ORDER BY found.xact_id, found.id
  LIMIT $9::integer
) AS changed ON true
ORDER BY changed.xact_id, changed.id
