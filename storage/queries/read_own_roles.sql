-- Whether somebody is a member, and the roles that they hold themselves.
SELECT EXISTS (SELECT FROM tenant_members AS m
               WHERE m.tenant_id = $1::uuid AND m.user_id = $2::uuid
                 AND m.removed_at IS NULL),
       ARRAY(SELECT h.role FROM held_roles AS h
             WHERE h.tenant_id = $1::uuid AND h.user_id = $2::uuid
             ORDER BY h.role)
