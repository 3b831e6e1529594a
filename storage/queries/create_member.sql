-- The person, the membership and the further roles.
SELECT create_member($1::uuid, $2, $3, $4, $5, $6::text[], $7::uuid, $8)
