-- The budget of a name, made where there is none (budgets_name_key). All of it
-- is given, so nothing of an older one stays.
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), done AS (
  INSERT INTO budgets AS b
    (tenant_id, name, category, limit_cents, period_days, alert_at,
     period_starts_at)
  SELECT i.tenant_id, i.payload ->> 'name', i.payload ->> 'category',
         (i.payload ->> 'limit_cents')::numeric::bigint,
         (i.payload ->> 'period_days')::numeric::integer,
         (i.payload ->> 'alert_at')::numeric,
         (i.payload ->> 'period_starts_at')::timestamptz
  FROM input AS i
  ON CONFLICT (tenant_id, name) DO UPDATE
    SET category = EXCLUDED.category,
        limit_cents = EXCLUDED.limit_cents,
        period_days = EXCLUDED.period_days,
        alert_at = EXCLUDED.alert_at,
        period_starts_at = EXCLUDED.period_starts_at
  RETURNING b.id, b.tenant_id, b.name
)
SELECT i.intent_id::text, jsonb_build_object('budget_id', d.id)::text
FROM input AS i
JOIN done AS d
  ON d.tenant_id = i.tenant_id AND d.name = i.payload ->> 'name'
