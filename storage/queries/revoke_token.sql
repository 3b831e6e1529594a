UPDATE api_tokens
SET revoked_at = coalesce(revoked_at, engine_now())
WHERE tenant_id = $1::uuid AND id = $2::uuid
RETURNING id
