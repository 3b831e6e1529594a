-- All that deciding the submissions of a group takes, in one round trip: the
-- first column says what a row is. Shares the policy locks of the transaction's
-- tenants and reads what is active (0013; no id: the platform's) and what is
-- switched off (0027) after it has them, then agents and tenants by primary
-- key, budgets by category, and the database's clock. What follows `kind`, `id` is as in
-- read_facts.sql.
SELECT 'policy', d.tenant_id, NULL::uuid, d.digest, NULL, NULL, NULL::integer,
       NULL::text[], NULL::bigint
FROM settlement_policy_digests() AS d
UNION ALL
SELECT 'off', s.agent_id, s.tenant_id, NULL, NULL, NULL, NULL, NULL, NULL
FROM submission_switches($1::uuid[]) AS s
UNION ALL
SELECT 'agent', a.id, a.tenant_id, a.name, a.role, a.status, a.tier, a.labels,
       NULL
FROM agent_registry AS a
WHERE a.id = ANY ($1::uuid[])
UNION ALL
SELECT 'tenant', t.id, NULL, t.slug, t.seat::text, NULL, NULL,
       ARRAY(SELECT g.provider FROM integrations AS g
             WHERE g.tenant_id = t.id AND g.connected
             ORDER BY g.provider LIMIT 200), NULL
FROM tenants AS t
WHERE t.id = ANY (NULLIF(current_setting('intent.tenants', true), '')::uuid[])
UNION ALL
SELECT 'budget', NULL, b.tenant_id, b.category, b.remaining_micros::text,
       b.limit_micros::text, NULL, NULL, NULL
FROM tightest_budgets($2::uuid[], $3::text[], engine_now()) AS b
UNION ALL
SELECT 'now', NULL, NULL, NULL, NULL, NULL, NULL, NULL, to_micros(engine_now())
