SELECT set_member_roles($1::uuid, $2::uuid, $3, $4::text[], $5::uuid, $6)
