-- Locks the budgets of these tenants and categories and reads what they have
-- left at $3 (lock_budgets() of 0042), in one round trip. One row at least: the
-- time comes back where there is no budget, too.
SELECT now_micros, tenant_id, category, remaining_micros, limit_micros
FROM lock_budgets($1::uuid[], $2::text[], from_micros($3::bigint))
