-- Shares the settlement lock, then reads the active digest (0004, 0006) and
-- whether one of the intents is switched off by now (0009).
SELECT settlement_policy_digest(), o.intent_id, o.level
FROM (SELECT) AS always
LEFT JOIN settlement_switched_off($1::uuid[]) AS o ON true
