-- One page of a log, newest first (audit_log_list_idx; audit_log_entity_idx
-- where an entity is asked for). $1 null: the platform's log.
SELECT id, tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
       entity_type, entity_id, meta, created_micros, transition_number, xact_id
FROM audit_rows
WHERE (tenant_id = $1::uuid OR ($1::uuid IS NULL AND tenant_id IS NULL))
  AND ($2::text IS NULL OR entity_type = $2)
  AND ($3::uuid IS NULL OR entity_id = $3)
  AND ($4::text IS NULL OR action = $4)
  AND ($5::text IS NULL OR level::text = $5)
  AND ($6::bigint IS NULL OR created_at >= from_micros($6))
  AND ($7::bigint IS NULL OR created_at < from_micros($7))
  AND ($8::bigint IS NULL OR (created_at, id) < (from_micros($8), $9::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $10::integer
