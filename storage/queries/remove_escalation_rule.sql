-- The rule's end and its audit entry, in one statement (primary key).
WITH rule AS (
  DELETE FROM escalation_rules
  WHERE tenant_id = $1::uuid AND from_role = $2 AND to_role = $3
  RETURNING tenant_id, from_role, to_role, after_seconds
), entry AS (
  INSERT INTO audit_log (tenant_id, actor_external_id, level, action,
                         entity_type, entity_id, meta)
  SELECT r.tenant_id, 'sql:' || session_user, 'security', 'ESCALATION_RULE_REMOVED', 'tenant',
         r.tenant_id,
         jsonb_build_object('from_role', r.from_role, 'to_role', r.to_role,
                            'after_seconds', r.after_seconds)
  FROM rule AS r
)
SELECT after_seconds FROM rule
