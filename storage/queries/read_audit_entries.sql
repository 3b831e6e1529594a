-- Entries by id (audit_log_pkey of each partition). $1 null: the platform's log.
SELECT id, tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
       entity_type, entity_id, meta, created_micros, transition_number, xact_id
FROM audit_rows
WHERE id = ANY ($2::uuid[])
  AND (tenant_id = $1::uuid OR ($1::uuid IS NULL AND tenant_id IS NULL))
