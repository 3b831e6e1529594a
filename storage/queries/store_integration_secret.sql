-- The tokens of an integration, in place of those that there were
-- (integration_secrets_pkey).
INSERT INTO integration_secrets
  (tenant_id, integration_id, key_id, access_token, refresh_token,
   token_expires_at)
VALUES ($1::uuid, $2::uuid, $3, decode($4, 'hex'), decode($5, 'hex'),
        from_micros($6::bigint))
ON CONFLICT (tenant_id, integration_id) DO UPDATE
  SET key_id = EXCLUDED.key_id,
      access_token = EXCLUDED.access_token,
      refresh_token = EXCLUDED.refresh_token,
      token_expires_at = EXCLUDED.token_expires_at
