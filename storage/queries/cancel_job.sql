-- Ends a job that is not over (primary key). The intent is locked already.
WITH canceled AS (
  UPDATE jobs
  SET status = 'canceled', lease_token = NULL, lease_expires_at = NULL,
      next_retry_at = NULL
  WHERE id = $1::uuid
    AND intent_id IS NOT NULL
    AND status IN ('queued', 'running')
  RETURNING tenant_id, job_type
)
SELECT notify_job(tenant_id, job_type) FROM canceled
