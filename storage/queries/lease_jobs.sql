-- Leases what is due of one tenant's; the function says how (jobs_due_idx,
-- jobs_running_idx). Answers the jobs with their tokens, in the order in which
-- they were due.
SELECT (l.job).*, l.lease_token
FROM lease_jobs($1::uuid, $2::text[], $3::integer[], $4::integer, $5::bigint,
                $6::bigint, $7::text) AS l
