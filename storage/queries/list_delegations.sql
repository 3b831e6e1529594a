-- One page, newest first (approval_delegations_list_idx).
SELECT d.id, d.tenant_id, d.from_user_id, d.to_user_id, d.roles,
       to_micros(d.starts_at), to_micros(d.ends_at), d.reason,
       to_micros(d.created_at), to_micros(d.revoked_at),
       d.revoked_at IS NULL AND d.starts_at <= engine_now()
         AND d.ends_at > engine_now()
FROM approval_delegations AS d
WHERE d.tenant_id = $1::uuid
  AND ($2::uuid IS NULL OR d.from_user_id = $2 OR d.to_user_id = $2)
  AND (NOT $3::boolean
       OR (d.revoked_at IS NULL AND d.starts_at <= engine_now()
           AND d.ends_at > engine_now()))
  AND ($4::bigint IS NULL OR (d.created_at, d.id) < (from_micros($4), $5::uuid))
ORDER BY d.created_at DESC, d.id DESC
LIMIT $6::integer
