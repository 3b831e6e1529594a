-- By the hash's unique key, within the tenant.
SELECT id FROM api_tokens WHERE tenant_id = $1::uuid AND token_sha256 = $2
