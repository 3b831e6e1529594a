-- A tenant's budgets by name (budgets_name_key), each as it stands in the
-- period that holds the database's now. One of no category that anything can
-- draw on stands at nothing.
WITH page AS (
  SELECT b.id, b.tenant_id, b.name, b.category, b.limit_cents, b.alert_at,
         b.period_days, budget_period_start(
           coalesce(b.period_starts_at, b.created_at), b.period_days,
           engine_now()) AS period_start
  FROM budgets AS b
  WHERE b.tenant_id = $1::uuid AND b.name > $2
  ORDER BY b.name
  LIMIT $3::integer
)
SELECT p.id, p.name, p.category,
       least(p.limit_cents::numeric * 10000, 4e18)::bigint,
       least(coalesce(s.committed_micros, 0), 9e18)::bigint,
       least(coalesce(s.reserved_micros, 0), 9e18)::bigint,
       p.alert_at::text, to_micros(p.period_start),
       to_micros(p.period_start + p.period_days * interval '24 hours')
FROM page AS p
LEFT JOIN LATERAL budget_states(ARRAY[p.tenant_id], ARRAY[p.category],
                                engine_now()) AS s ON s.id = p.id
ORDER BY p.name
