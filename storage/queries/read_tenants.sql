-- By primary key.
SELECT id, slug, seat FROM tenants WHERE id = ANY ($1::uuid[])
