-- audit_log_entity_idx.
SELECT id, tenant_id, entity_type, entity_id, action, level, actor_user_id,
       actor_external_id, meta, transition_number, to_micros(created_at)
FROM audit_log
WHERE tenant_id = $1::uuid AND entity_type = $2 AND entity_id = $3::uuid
ORDER BY transition_number, created_at, id
LIMIT 1000
