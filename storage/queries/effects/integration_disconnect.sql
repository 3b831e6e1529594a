-- Marks a provider's integration, found by integrations_provider_key, as not
-- connected; what secrets it has stay with who wrote them.
UPDATE integrations AS g
SET connected = false
FROM effect_inputs($1::uuid[], $2::text[]) AS i
WHERE g.tenant_id = i.tenant_id AND g.provider = i.payload ->> 'provider'
RETURNING i.intent_id::text, jsonb_build_object('integration_id', g.id)::text
