-- One tenant's integration with a provider (integrations_provider_key), held
-- until the transaction ends, so that it isn't disconnected meanwhile.
SELECT id, tenant_id, connected
FROM integrations
WHERE tenant_id = $1::uuid AND provider = $2
FOR UPDATE
