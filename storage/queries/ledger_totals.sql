-- By category, what a tenant's intents spend and where that stands, in micros.
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
)
SELECT coalesce(s.category, e.category), coalesce(s.intents, 0),
       least(coalesce(s.intent_micros, 0), 9e18)::bigint, least(coalesce(s.reserved, 0), 9e18)::bigint,
       least(coalesce(s.committed, 0), 9e18)::bigint, coalesce(e.entries, 0),
       least(coalesce(e.micros, 0), 9e18)::bigint, least(coalesce(e.cents, 0), 9e18)::bigint
FROM spend AS s
FULL JOIN entry AS e ON e.category = s.category
ORDER BY 1
