-- Who was removed from a tenant holds nothing there, and so lends nothing.
CREATE OR REPLACE VIEW held_roles WITH (security_invoker = true) AS
SELECT m.tenant_id, m.user_id, m.role FROM tenant_members AS m
WHERE m.removed_at IS NULL
UNION
SELECT r.tenant_id, r.user_id, r.role
FROM member_roles AS r
JOIN tenant_members AS m ON m.tenant_id = r.tenant_id AND m.user_id = r.user_id
WHERE m.removed_at IS NULL;
