-- A try that failed: by its worker, under a lease that is in force ($2), or by
-- the clock where no token is given and the lease has ended. The job waits for
-- its next retry, or is over where $4 forbids one or it has none left (primary
-- key). The intent is locked already.
WITH failed AS (
  UPDATE jobs AS j
  SET status = CASE WHEN $4::boolean AND j.retry_count < j.max_retries
                    THEN 'queued' ELSE 'failed' END::job_status,
      retry_count = j.retry_count
        + CASE WHEN $4::boolean AND j.retry_count < j.max_retries
               THEN 1 ELSE 0 END,
      next_retry_at = CASE WHEN $4::boolean AND j.retry_count < j.max_retries
                           THEN job_retry_time(j.retry_count) END,
      error = $3::jsonb || jsonb_build_object('attempt', j.retry_count + 1),
      lease_token = NULL,
      lease_expires_at = NULL
  WHERE j.id = $1::uuid
    AND j.intent_id IS NOT NULL
    AND j.status = 'running'
    AND CASE WHEN $2::uuid IS NULL THEN j.lease_expires_at <= engine_now()
             ELSE j.lease_token = $2::uuid
                  AND j.lease_expires_at > engine_now() END
  RETURNING j.id, j.tenant_id, j.job_type
), notified AS (
  SELECT notify_job(tenant_id, job_type) FROM failed
)
SELECT failed.id FROM failed, notified
