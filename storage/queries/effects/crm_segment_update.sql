-- Another name, description or filters of a segment, which is found by its
-- primary key; a field that is left out stays as it is.
UPDATE crm_segments AS s
SET name = coalesce(i.payload ->> 'name', s.name),
    description = coalesce(i.payload ->> 'description', s.description),
    filters = coalesce(NULLIF(i.payload -> 'filters', 'null'), s.filters)
FROM effect_inputs($1::uuid[], $2::text[]) AS i
WHERE s.tenant_id = i.tenant_id
  AND s.id = uuid_or_null(i.payload ->> 'segment_id')
RETURNING i.intent_id::text, jsonb_build_object('segment_id', s.id)::text
