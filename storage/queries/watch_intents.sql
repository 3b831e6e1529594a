-- One page of a watch's round: intents whose last writer $2 did not see and $3
-- does, from the place ($4, $5) on (intents_watch_idx). A round without an end
-- yet ends with what this statement sees; a watch without a start starts there
-- as well. What $2 did not see are the transactions that were under way, each
-- looked up by itself, and all that began after it. One row at least comes back, for the round's end.
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
    SELECT i.id, i.xact_id
    FROM intents AS i
    WHERE i.tenant_id = $1::uuid
      AND i.xact_id BETWEEN greatest(span.first_xid, $4::xid8)
        AND span.last_xid
      AND ($4::xid8 IS NULL OR (i.xact_id, i.id) > ($4::xid8, $5::uuid))
      AND pg_visible_in_snapshot(i.xact_id, round.until_snapshot)
      AND ($6::text IS NULL OR i.status = $6)
      AND ($7::text IS NULL OR i.intent_type = $7)
      AND ($8::uuid IS NULL OR i.agent_id = $8)
    ORDER BY i.xact_id, i.id
    LIMIT $9::integer
  ) AS found
  ORDER BY found.xact_id, found.id
  LIMIT $9::integer
) AS changed ON true
ORDER BY changed.xact_id, changed.id
