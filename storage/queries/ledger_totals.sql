-- By category, what a tenant's intents spend and where that stands, in micros,
-- and how many of the sums that budgets are read from are not those of the
-- spends.
-- An operator's question: it reads all of the tenant's spends and entries.
WITH spend AS (
  SELECT s.category,
         count(*) FILTER (WHERE i.status IN ('EXECUTED', 'VALIDATING'))
           AS intents,
         sum(i.spend_micros_usd)
           FILTER (WHERE i.status IN ('EXECUTED', 'VALIDATING')) AS intent_micros,
         sum(s.spend_micros_usd) FILTER (WHERE s.status = 'reserved')
           AS reserved,
         sum(s.spend_micros_usd) FILTER (WHERE s.status = 'committed')
           AS committed
  FROM intent_spends AS s
  LEFT JOIN intents AS i ON i.tenant_id = s.tenant_id AND i.id = s.intent_id
  WHERE s.tenant_id = $1::uuid
  GROUP BY s.category
), entry AS (
  SELECT l.category::text AS category, count(*) AS entries,
         sum(l.spend_micros_usd) AS micros, sum(l.amount_cents) AS cents
  FROM ledger_entries AS l
  WHERE l.tenant_id = $1::uuid AND l.spend_micros_usd IS NOT NULL
  GROUP BY l.category
), uneven AS (
  SELECT coalesce(q.category, s.category) AS category, count(*) AS sums
  FROM (SELECT m.category, spend_sum_start(m.counted_at) AS starts_at,
               sum(m.spend_micros_usd) AS micros
        FROM intent_spends AS m
        WHERE m.tenant_id = $1::uuid AND m.is_summed
        GROUP BY 1, 2) AS s
  FULL JOIN (SELECT * FROM spend_sums AS a WHERE a.tenant_id = $1::uuid) AS q
    ON q.category = s.category AND q.starts_at = s.starts_at
  WHERE s.micros IS DISTINCT FROM q.committed_micros
  GROUP BY 1
)
SELECT coalesce(s.category, e.category, u.category), coalesce(s.intents, 0),
       least(coalesce(s.intent_micros, 0), 9e18)::bigint,
       least(coalesce(s.reserved, 0), 9e18)::bigint,
       least(coalesce(s.committed, 0), 9e18)::bigint, coalesce(e.entries, 0),
       least(coalesce(e.micros, 0), 9e18)::bigint,
       least(coalesce(e.cents, 0), 9e18)::bigint, coalesce(u.sums, 0)
FROM spend AS s
FULL JOIN entry AS e ON e.category = s.category
FULL JOIN uneven AS u ON u.category = coalesce(s.category, e.category)
ORDER BY 1
