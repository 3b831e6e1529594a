-- agent_registry_name_idx.
SELECT id FROM agent_registry
WHERE tenant_id = $1::uuid AND name = $2
ORDER BY created_at, id
LIMIT 1
