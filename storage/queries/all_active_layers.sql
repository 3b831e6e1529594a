-- One page of the active layers of all tenants, by tenant (0013).
SELECT tenant_id, tenant_slug, digest, names, texts
FROM all_active_layers($1::uuid, $2::integer)
