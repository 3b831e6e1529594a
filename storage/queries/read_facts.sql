-- Agents and tenants by primary key, and the database's clock, in one round
-- trip: the first column says which. A tenant comes with the providers that it
-- is connected to, 200 at most: entries of the log hold them all. $3 and $4 are
-- the tenants and categories whose budgets are asked for; what those have left
-- and their limit come as texts.
SELECT 'agent', a.id, a.tenant_id, a.name, a.role, a.status, a.tier, a.labels,
       NULL::bigint
FROM agent_registry AS a
WHERE a.id = ANY ($1::uuid[])
UNION ALL
SELECT 'tenant', t.id, NULL, t.slug, t.seat::text, NULL, NULL,
       ARRAY(SELECT g.provider FROM integrations AS g
             WHERE g.tenant_id = t.id AND g.connected
             ORDER BY g.provider LIMIT 200), NULL
FROM tenants AS t
WHERE t.id = ANY ($2::uuid[])
UNION ALL
SELECT 'budget', NULL, b.tenant_id, b.category, b.remaining_micros::text,
       b.limit_micros::text, NULL, NULL, NULL
FROM tightest_budgets($3::uuid[], $4::text[], engine_now()) AS b
UNION ALL
SELECT 'now', NULL, NULL, NULL, NULL, NULL, NULL, NULL, to_micros(engine_now())
