-- A new member, or one who was removed and comes back (create_member() of 0016,
-- which writes its audit entry).
SELECT i.intent_id::text,
       jsonb_build_object('user_id', create_member(
         i.tenant_id, i.payload ->> 'email', i.payload ->> 'name',
         i.payload ->> 'role', i.payload ->> 'seat_type', '{}', NULL,
         i.actor))::text
FROM effect_inputs($1::uuid[], $2::text[]) AS i
