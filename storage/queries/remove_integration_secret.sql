-- The tokens of an integration (integration_secrets_pkey).
DELETE FROM integration_secrets
WHERE tenant_id = $1::uuid AND integration_id = $2::uuid
RETURNING integration_id
