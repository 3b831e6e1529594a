-- app_users_email_key, then the membership.
SELECT u.id
FROM app_users AS u
JOIN tenant_members AS m ON m.tenant_id = $1::uuid AND m.user_id = u.id
WHERE u.tenant_id = $1::uuid AND lower(u.email) = lower($2)
  AND m.removed_at IS NULL
