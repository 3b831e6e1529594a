-- The first intents of a tenant whose spend doesn't fit what became of them, or
-- the ledger. An operator's question: it reads all of the tenant's spends and
-- entries, and of intents that spent and have no row the entry of their
-- decision, which says whether their type had a category.
WITH entry AS (
  SELECT l.intent_id, count(*) AS entries, min(l.category::text) AS category,
         sum(l.spend_micros_usd) AS micros,
         bool_and(l.amount_cents = ceil(l.spend_micros_usd / 10000.0)) AS rounded
  FROM ledger_entries AS l
  WHERE l.tenant_id = $1::uuid AND l.spend_micros_usd IS NOT NULL
  GROUP BY l.intent_id
), problem AS (
  SELECT s.intent_id,
         format('its spend is %s while it is %s', s.status, i.status) AS what
  FROM intent_spends AS s
  JOIN intents AS i ON i.tenant_id = s.tenant_id AND i.id = s.intent_id
  WHERE s.tenant_id = $1::uuid
    AND s.status <> CASE i.status WHEN 'EXECUTED' THEN 'committed'
                                  WHEN 'VALIDATING' THEN 'reserved'
                                  ELSE 'released' END
  UNION ALL
  SELECT s.intent_id,
         format('it spends %s micros and %s are on record',
                coalesce(i.spend_micros_usd, 0), s.spend_micros_usd)
  FROM intent_spends AS s
  JOIN intents AS i ON i.tenant_id = s.tenant_id AND i.id = s.intent_id
  WHERE s.tenant_id = $1::uuid
    AND s.spend_micros_usd IS DISTINCT FROM i.spend_micros_usd
  UNION ALL
  SELECT coalesce(s.intent_id, e.intent_id),
         CASE
           WHEN s.intent_id IS NULL THEN 'the ledger has its spend, which is '
             'not committed'
           WHEN e.intent_id IS NULL THEN 'its committed spend is not in the '
             'ledger'
           WHEN e.entries > 1 THEN format('the ledger has its spend %s times',
                                          e.entries)
           WHEN NOT e.rounded THEN 'the cents of its entry are not its micros '
             'rounded up'
           ELSE format('the ledger has %s micros of %s for %s micros of %s',
                       e.micros, e.category, s.spend_micros_usd, s.category)
         END
  FROM (SELECT * FROM intent_spends AS c
        WHERE c.tenant_id = $1::uuid AND c.status = 'committed') AS s
  FULL JOIN entry AS e ON e.intent_id = s.intent_id
  WHERE s.intent_id IS NULL OR e.intent_id IS NULL OR e.entries > 1
     OR NOT e.rounded OR e.micros <> s.spend_micros_usd
     OR e.category <> s.category
  UNION ALL
  SELECT i.id,
         format('it is %s and its spend of category %s is not on record',
                i.status, d.category)
  FROM intents AS i
  CROSS JOIN LATERAL (
    SELECT a.meta #>> '{facts,budget,category}' AS category
    FROM audit_log AS a
    WHERE a.tenant_id = i.tenant_id AND a.entity_type = 'intent'
      AND a.entity_id = i.id AND a.action = 'SGL_EVALUATED'
    ORDER BY a.transition_number DESC
    LIMIT 1) AS d
  WHERE i.tenant_id = $1::uuid AND i.status IN ('EXECUTED', 'VALIDATING')
    AND i.spend_micros_usd > 0 AND d.category IS NOT NULL
    AND NOT EXISTS (SELECT FROM intent_spends AS s
                    WHERE s.tenant_id = i.tenant_id AND s.intent_id = i.id)
)
SELECT p.intent_id, p.what FROM problem AS p
ORDER BY p.intent_id, p.what
LIMIT $2::integer
