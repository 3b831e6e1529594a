-- One page, newest first; columns as in get_memos.sql. The page is found first
-- (decision_memos_list_idx, decision_memos_open_idx), and what else is shown is
-- read for its rows alone: a join would read all memos and intents of the
-- tenant. The intent's type is asked for as a value, since a subquery with
-- EXISTS might be answered by reading all intents.
WITH page AS MATERIALIZED (
  SELECT m.tenant_id, m.id
  FROM decision_memos AS m
  WHERE m.tenant_id = $1::uuid
    AND m.intent_id IS NOT NULL
    AND ($2::text IS NULL OR m.status = $2)
    AND ($3::uuid IS NULL OR m.intent_id = $3)
    AND ($4::text IS NULL
         OR (SELECT i.intent_type FROM intents AS i
             WHERE i.tenant_id = m.tenant_id AND i.id = m.intent_id) = $4)
    AND ($5::bigint IS NULL
         OR (m.created_at, m.id) < (from_micros($5), $6::uuid))
  ORDER BY m.created_at DESC, m.id DESC
  LIMIT $7::integer
)
SELECT
  (SELECT coalesce(json_agg(json_build_object(
            'from', e.from_role, 'to', e.to_role,
            'at', to_micros(e.created_at))
            ORDER BY e.created_at, e.from_role, e.to_role), '[]')
   FROM memo_escalations AS e
   WHERE e.tenant_id = r.tenant_id AND e.memo_id = r.id
     AND e.revision = r.revision),
  (SELECT i.edited_by FROM intents AS i
   WHERE i.tenant_id = r.tenant_id AND i.id = r.intent_id),
  r.*
FROM page AS p
CROSS JOIN LATERAL (
  SELECT * FROM memo_rows AS v
  WHERE v.tenant_id = p.tenant_id AND v.id = p.id
  LIMIT 1
) AS r
ORDER BY r.created_at DESC, r.id DESC
