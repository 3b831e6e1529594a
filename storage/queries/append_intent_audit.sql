-- An entry of an intent, numbered from its counter, which locks the intent.
WITH numbered AS (
  UPDATE intents
  SET transition_number = transition_number + 1
  WHERE tenant_id = $1::uuid AND id = $6::uuid
  RETURNING tenant_id, id, transition_number
), entry AS (
  INSERT INTO audit_log
    (tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
     entity_type, entity_id, meta, transition_number)
  SELECT n.tenant_id, $2::uuid, $3,
         CASE WHEN $2::uuid IS NULL THEN 'system' ELSE 'user' END,
         $4::"AuditLevel", $5, 'intent', n.id, $7::jsonb, n.transition_number
  FROM numbered AS n
)
SELECT id FROM numbered
