-- Some entries of a log in the order of their times (audit_log_list_idx, read
-- backwards), each with whether it waits to be sealed and whether a seal of
-- about its time holds it (audit_seals_time_idx). One statement: an entry that
-- is sealed meanwhile is seen either way.
WITH page AS MATERIALIZED (
  SELECT a.id, a.created_at, a.action
  FROM audit_log AS a
  WHERE (a.tenant_id = $1::uuid OR ($1::uuid IS NULL AND a.tenant_id IS NULL))
    AND (a.created_at, a.id) > ($3::timestamptz, $4::uuid)
  ORDER BY a.created_at, a.id
  LIMIT $5::integer
), near AS MATERIALIZED (
  SELECT unnest(s.entry_ids) AS id
  FROM audit_seals AS s
  WHERE s.log_id = $2::uuid
    AND s.sealed_at BETWEEN
      (SELECT min(p.created_at) FROM page AS p) - interval '5 seconds'
      AND (SELECT max(p.created_at) FROM page AS p) + interval '5 seconds'
)
SELECT p.id, p.created_at, p.action,
       p.id IN (SELECT n.id FROM near AS n),
       EXISTS (SELECT FROM audit_unsealed AS q
               WHERE q.entry_id = p.id AND q.missing_since IS NULL)
FROM page AS p
ORDER BY p.created_at, p.id
