-- One page, or one tenant, for the system tenant.
SELECT id, slug, name, seat, to_micros(created_at)
FROM list_tenants($1, from_micros($2::bigint), $3::uuid, $4::integer)
