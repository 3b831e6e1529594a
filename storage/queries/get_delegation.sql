-- By primary key.
SELECT d.id, d.tenant_id, d.from_user_id, d.to_user_id, d.roles,
       to_micros(d.starts_at), to_micros(d.ends_at), d.reason,
       to_micros(d.created_at), to_micros(d.revoked_at),
       d.revoked_at IS NULL AND d.starts_at <= engine_now()
         AND d.ends_at > engine_now()
FROM approval_delegations AS d
WHERE d.id = $1::uuid
