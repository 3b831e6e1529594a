-- One page, newest first (decision_memos_list_idx); columns as in get_memos.sql.
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
FROM memo_rows AS r
WHERE r.tenant_id = $1::uuid
  AND ($2::text IS NULL OR r.status = $2)
  AND ($3::uuid IS NULL OR r.intent_id = $3)
  AND ($4::text IS NULL OR r.intent_type = $4)
  AND ($5::bigint IS NULL OR (r.created_at, r.id) < (from_micros($5), $6::uuid))
ORDER BY r.created_at DESC, r.id DESC
LIMIT $7::integer
