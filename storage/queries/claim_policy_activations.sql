-- Locks a batch of the system tenant's (0013, intents_draft_idx).
SELECT r.*, current_setting('intent.tenants')
FROM claim_policy_activations($1::integer) AS r
