-- Wakes those who wait for these intents, at commit.
SELECT pg_notify('intent_settled', $1)
