-- The rule and its audit entry, in one statement.
WITH rule AS (
  INSERT INTO escalation_rules (tenant_id, from_role, to_role, after_seconds)
  VALUES ($1::uuid, $2, $3, $4::bigint)
  ON CONFLICT (tenant_id, from_role, to_role)
    DO UPDATE SET after_seconds = EXCLUDED.after_seconds
  RETURNING tenant_id, from_role, to_role, after_seconds
), entry AS (
  INSERT INTO audit_log (tenant_id, actor_external_id, level, action,
                         entity_type, entity_id, meta)
  SELECT r.tenant_id, 'sql:' || session_user, 'security', 'ESCALATION_RULE_SET', 'tenant', r.tenant_id,
         jsonb_build_object('from_role', r.from_role, 'to_role', r.to_role,
                            'after_seconds', r.after_seconds)
  FROM rule AS r
)
SELECT after_seconds FROM rule
