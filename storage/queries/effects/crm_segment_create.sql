-- A new segment: a name for the contacts that fit its filters.
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), made AS (
  INSERT INTO crm_segments (id, tenant_id, name, description, filters)
  SELECT i.new_id, i.tenant_id, i.payload ->> 'name',
         i.payload ->> 'description', i.payload -> 'filters'
  FROM input AS i
)
SELECT i.intent_id::text, jsonb_build_object('segment_id', i.new_id)::text
FROM input AS i
