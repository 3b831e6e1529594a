-- A new draft of the knowledge base.
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), made AS (
  INSERT INTO kb_documents (id, tenant_id, title, slug, body)
  SELECT i.new_id, i.tenant_id, i.payload ->> 'title', i.payload ->> 'slug',
         i.payload ->> 'body'
  FROM input AS i
)
SELECT i.intent_id::text, jsonb_build_object('document_id', i.new_id)::text
FROM input AS i
