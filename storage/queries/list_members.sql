-- One page, newest first; or the one of an id or an email. A member who is at
-- home in another tenant shows no email here.
SELECT m.user_id, m.tenant_id, u.email, u.name, m.role,
       ARRAY(SELECT r.role FROM member_roles AS r
             WHERE r.tenant_id = m.tenant_id AND r.user_id = m.user_id
             ORDER BY 1),
       m.seat_type, to_micros(m.created_at)
FROM tenant_members AS m
LEFT JOIN app_users AS u ON u.id = m.user_id
WHERE m.tenant_id = $1::uuid AND m.removed_at IS NULL
  AND ($2::uuid IS NULL OR m.user_id = $2)
  AND ($3::text IS NULL OR lower(u.email) = lower($3))
  AND ($4::bigint IS NULL
       OR (m.created_at, m.user_id) < (from_micros($4), $5::uuid))
ORDER BY m.created_at DESC, m.user_id DESC
LIMIT $6::integer
