-- Locks jobs whose lease has ended, and their intents, across tenants
-- (jobs_lease_idx); answers the jobs, and whose they are.
WITH expired AS MATERIALIZED (SELECT id FROM expired_jobs($1::integer) AS id)
SELECT expired.id, current_setting('intent.tenants') FROM expired
