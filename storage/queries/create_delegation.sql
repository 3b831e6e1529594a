-- Nothing where either side has too many already that are not over
-- (approval_delegations_to_idx for the one, a tenant's few rows for the other).
INSERT INTO approval_delegations AS d
  (tenant_id, from_user_id, to_user_id, roles, starts_at, ends_at, reason,
   created_by)
SELECT $1::uuid, $2::uuid, $3::uuid, $4::text[], from_micros($5),
       from_micros($6), $7, $2::uuid
WHERE (SELECT greatest(count(*) FILTER (WHERE o.from_user_id = $2::uuid),
                       count(*) FILTER (WHERE o.to_user_id = $3::uuid))
       FROM approval_delegations AS o
       WHERE o.tenant_id = $1::uuid
         AND (o.from_user_id = $2::uuid OR o.to_user_id = $3::uuid)
         AND o.revoked_at IS NULL
         AND o.ends_at > engine_now()) < $8::integer
RETURNING id
