-- Locks a batch across tenants; the function says how (intents_draft_idx).
SELECT r.*, current_setting('intent.tenants')
FROM claim_draft_intents($1::integer, $2::uuid[]) AS r
