-- Makes a lease end later, where it is in force still (primary key). Locks the
-- job alone: a heartbeat ends nothing.
UPDATE jobs
SET lease_expires_at = engine_now() + $3::bigint * interval '1 microsecond'
WHERE id = $1::uuid
  AND intent_id IS NOT NULL
  AND status = 'running'
  AND lease_token = $2::uuid
  AND lease_expires_at > engine_now()
RETURNING to_micros(lease_expires_at)
