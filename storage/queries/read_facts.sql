-- Agents and tenants by primary key, and the database's clock, in one round
-- trip: the first column says which.
SELECT 'agent', a.id, a.tenant_id, a.name, a.role, a.status, a.tier, a.labels,
       NULL::bigint
FROM agent_registry AS a
WHERE a.id = ANY ($1::uuid[])
UNION ALL
SELECT 'tenant', t.id, NULL, t.slug, t.seat::text, NULL, NULL, NULL, NULL
FROM tenants AS t
WHERE t.id = ANY ($2::uuid[])
UNION ALL
SELECT 'now', NULL, NULL, NULL, NULL, NULL, NULL, NULL, to_micros(engine_now())
