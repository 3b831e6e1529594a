-- Marks a provider's integration as connected, with the scopes that it has; no
-- token is written here. Made where there is none (integrations_provider_key).
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), done AS (
  INSERT INTO integrations AS g (tenant_id, provider, connected, scopes)
  SELECT i.tenant_id, i.payload ->> 'provider', true, i.payload -> 'scopes'
  FROM input AS i
  ON CONFLICT (tenant_id, provider) DO UPDATE
    SET connected = true, scopes = EXCLUDED.scopes
  RETURNING g.id, g.tenant_id, g.provider
)
SELECT i.intent_id::text, jsonb_build_object('integration_id', d.id)::text
FROM input AS i
JOIN done AS d
  ON d.tenant_id = i.tenant_id AND d.provider = i.payload ->> 'provider'
