-- A tenant's tokens that another key than the current one sealed, held for the
-- statement that seals them anew (integration_secrets_pkey; a tenant has one
-- row a provider).
SELECT s.tenant_id, s.integration_id, g.provider, s.key_id,
       encode(s.access_token, 'hex'), encode(s.refresh_token, 'hex'),
       to_micros(s.token_expires_at)
FROM integration_secrets AS s
JOIN integrations AS g
  ON g.tenant_id = s.tenant_id AND g.id = s.integration_id
WHERE s.tenant_id = $1::uuid AND s.key_id <> $2
ORDER BY s.integration_id
LIMIT $3::integer
FOR UPDATE OF s
