-- Locks expired memos and their intents across tenants
-- (decision_memos_due_idx); answers the memos, and whose they are.
WITH due AS MATERIALIZED (SELECT id FROM due_memos($1::integer) AS id)
SELECT due.id, current_setting('intent.tenants') FROM due
