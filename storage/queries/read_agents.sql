-- By primary key.
SELECT id, tenant_id, name, role, status, tier, labels
FROM agent_registry
WHERE id = ANY ($1::uuid[])
