-- Another role of a member (set_member_roles() of 0016, which writes its audit
-- entry); the roles that they hold beside it stay.
SELECT i.intent_id::text, jsonb_build_object('user_id', m.user_id)::text
FROM effect_inputs($1::uuid[], $2::text[]) AS i
JOIN tenant_members AS m
  ON m.tenant_id = i.tenant_id
  AND m.user_id = uuid_or_null(i.payload ->> 'user_id')
WHERE set_member_roles(
  m.tenant_id, m.user_id, i.payload ->> 'role',
  ARRAY(SELECT r.role FROM member_roles AS r
        WHERE r.tenant_id = m.tenant_id AND r.user_id = m.user_id),
  NULL, i.actor)
