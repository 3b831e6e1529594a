-- A new asset, without metrics yet.
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), made AS (
  INSERT INTO assets (id, tenant_id, type, name, url, platform)
  SELECT i.new_id, i.tenant_id, i.payload ->> 'type', i.payload ->> 'name',
         i.payload ->> 'url', i.payload ->> 'platform'
  FROM input AS i
)
SELECT i.intent_id::text, jsonb_build_object('asset_id', i.new_id)::text
FROM input AS i
