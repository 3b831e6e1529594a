-- Which of the awaited (tenant, job type) have jobs that are due, by two looks
-- into an index each (jobs_due_idx, jobs_retry_idx), whose first row says it:
-- their order has the planner take them.
SELECT w.tenant_id, w.job_type
FROM unnest($1::uuid[], $2::text[]) AS w (tenant_id, job_type)
WHERE (SELECT true FROM jobs AS j
       WHERE j.tenant_id = w.tenant_id AND j.job_type = w.job_type
         AND j.status = 'queued' AND j.next_retry_at IS NULL
         AND j.intent_id IS NOT NULL
       ORDER BY j.priority DESC, j.created_at, j.id
       LIMIT 1)
  OR (SELECT j.next_retry_at FROM jobs AS j
      WHERE j.tenant_id = w.tenant_id AND j.job_type = w.job_type
        AND j.status = 'queued' AND j.next_retry_at IS NOT NULL
        AND j.intent_id IS NOT NULL
      ORDER BY j.next_retry_at
      LIMIT 1) <= engine_now()
