-- The intent's own tenant has another name. Several of one tenant are done one
-- by one, each by itself.
WITH input AS (
  SELECT i.*, count(*) OVER (PARTITION BY i.tenant_id) AS of_tenant
  FROM effect_inputs($1::uuid[], $2::text[]) AS i
)
UPDATE tenants AS t
SET name = i.payload ->> 'name'
FROM input AS i
WHERE t.id = i.tenant_id AND i.of_tenant = 1
RETURNING i.intent_id::text, jsonb_build_object('tenant_id', t.id)::text
