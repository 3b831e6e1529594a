-- Takes the policy locks of the transaction's tenants, as settlement_digests.sql
-- will: no effect may hold its rows while it waits for them.
SELECT count(*) FROM settlement_policy_digests()
