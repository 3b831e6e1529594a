INSERT INTO agent_registry
  (tenant_id, name, role, status, tier, labels, owner_user_id)
VALUES ($1::uuid, $2, $3, $4, $5::integer, $6::text[], $7::uuid)
RETURNING id
