-- The active layers of the transaction's tenants (0013).
SELECT tenant_id, tenant_slug, digest, names, texts
FROM active_layers($1::text[])
