-- By primary key; unlocked.
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
WHERE r.id = ANY ($1::uuid[])
