-- Ends it now, once (primary key).
UPDATE approval_delegations
SET revoked_at = engine_now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND revoked_at IS NULL
  AND ends_at > engine_now()
RETURNING id
