-- Metrics of an asset, which is found by its primary key: those given replace
-- those of the same names, the others stay.
UPDATE assets AS a
SET metrics = a.metrics || (i.payload -> 'metrics')
FROM effect_inputs($1::uuid[], $2::text[]) AS i
WHERE a.tenant_id = i.tenant_id
  AND a.id = uuid_or_null(i.payload ->> 'asset_id')
RETURNING i.intent_id::text, jsonb_build_object('asset_id', a.id)::text
