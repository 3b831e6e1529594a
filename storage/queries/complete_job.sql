-- Ends a job by a lease that is in force (primary key); a place is free for
-- others at the commit. The intent is locked already. The token stays, to know
-- a repeat by.
WITH done AS (
  UPDATE jobs
  SET status = 'succeeded', output = $3::jsonb
  WHERE id = $1::uuid
    AND intent_id IS NOT NULL
    AND status = 'running'
    AND lease_token = $2::uuid
    AND lease_expires_at > engine_now()
  RETURNING tenant_id, job_type
)
SELECT notify_job(tenant_id, job_type) FROM done
