-- An entry of anything but an intent.
INSERT INTO audit_log
  (tenant_id, actor_user_id, actor_external_id, actor_type, level, action,
   entity_type, entity_id, meta)
VALUES
  ($1::uuid, $2::uuid, $3,
   CASE WHEN $2::uuid IS NULL THEN 'system' ELSE 'user' END,
   $4::"AuditLevel", $5, $6, $7::uuid, $8::jsonb)
