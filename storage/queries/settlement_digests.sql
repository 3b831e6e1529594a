-- Shares the policy locks of the transaction's tenants, then reads what is
-- active (0013; no id: the platform's) and whether one of the intents is
-- switched off by now (0009).
SELECT 'policy', d.tenant_id::text, d.digest
FROM settlement_policy_digests() AS d
UNION ALL
SELECT 'switched_off', o.intent_id::text, o.level
FROM settlement_switched_off($1::uuid[]) AS o
