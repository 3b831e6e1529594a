-- Agents, tenants, the budgets of these tenants and categories, and the
-- database's clock, in one round trip (read_facts() of 0049): the first column
-- says what a row is.
SELECT kind, id, tenant_id, name, role, status, tier, labels, micros
FROM read_facts($1::uuid[], $2::uuid[], $3::uuid[], $4::text[])
