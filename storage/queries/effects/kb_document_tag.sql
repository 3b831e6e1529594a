-- A tag on a document, which is found by its primary key. The tag is made where
-- the tenant has none of that name; a document that has it already keeps it.
WITH input AS (
  SELECT i.intent_id, i.tenant_id, d.id AS document_id,
         i.payload ->> 'tag' AS tag
  FROM effect_inputs($1::uuid[], $2::text[]) AS i
  JOIN kb_documents AS d
    ON d.tenant_id = i.tenant_id
    AND d.id = uuid_or_null(i.payload ->> 'document_id')
), tagged AS (
  INSERT INTO kb_tags AS t (tenant_id, name)
  SELECT DISTINCT i.tenant_id, i.tag FROM input AS i
  -- To be answered also where another transaction has just made it.
  ON CONFLICT (tenant_id, name) DO UPDATE SET name = EXCLUDED.name
  RETURNING t.id, t.tenant_id, t.name
), linked AS (
  INSERT INTO kb_tag_on_document (tenant_id, document_id, tag_id)
  SELECT DISTINCT i.tenant_id, i.document_id, t.id
  FROM input AS i
  JOIN tagged AS t ON t.tenant_id = i.tenant_id AND t.name = i.tag
  ON CONFLICT DO NOTHING
)
SELECT i.intent_id::text, jsonb_build_object('tag_id', t.id)::text
FROM input AS i
JOIN tagged AS t ON t.tenant_id = i.tenant_id AND t.name = i.tag
