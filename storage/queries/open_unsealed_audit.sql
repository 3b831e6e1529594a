-- Takes the sealers' lock and the head of the queue (audit_unsealed_waiting_idx,
-- audit_log_list_idx), to be read in parts: PostgreSQL keeps a large one on
-- disk.
DECLARE unsealed_audit NO SCROLL CURSOR FOR
SELECT queue_position, id, tenant_id, actor_user_id, actor_external_id,
       actor_type, level, action, entity_type, entity_id, meta, created_micros,
       transition_number, xact_id
FROM claim_unsealed_audit($1)
