-- Marks a provider's integration, found by integrations_provider_key, as not
-- connected, and drops the tokens that the engine held for it
-- (integration_secrets_pkey); what other writers put into its own columns stays
-- with them.
WITH done AS (
  UPDATE integrations AS g
  SET connected = false
  FROM effect_inputs($1::uuid[], $2::text[]) AS i
  WHERE g.tenant_id = i.tenant_id AND g.provider = i.payload ->> 'provider'
  RETURNING i.intent_id, g.tenant_id, g.id
), dropped AS (
  DELETE FROM integration_secrets AS s
  USING done AS d
  WHERE s.tenant_id = d.tenant_id AND s.integration_id = d.id
)
SELECT d.intent_id::text, jsonb_build_object('integration_id', d.id)::text
FROM done AS d
