-- One page, newest first (jobs_list_idx).
SELECT * FROM job_rows
WHERE tenant_id = $1::uuid
  AND ($2::text IS NULL OR status = $2)
  AND ($3::text IS NULL OR job_type = $3)
  AND ($4::uuid IS NULL OR intent_id = $4)
  AND ($5::bigint IS NULL OR (created_at, id) < (from_micros($5), $6::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $7::integer
