-- One page, newest first; or those of a name, or the one of an id
-- (agent_registry_tenant_id_key, agent_registry_name_idx).
SELECT id, tenant_id, name, role, status, tier, labels, owner_user_id,
       to_micros(created_at)
FROM agent_registry
WHERE tenant_id = $1::uuid
  AND ($2::uuid IS NULL OR id = $2)
  AND ($3::text IS NULL OR name = $3)
  AND ($4::bigint IS NULL OR (created_at, id) < (from_micros($4), $5::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $6::integer
