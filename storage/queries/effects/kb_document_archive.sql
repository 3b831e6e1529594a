-- A document, found by its primary key, becomes archived, whatever it was.
UPDATE kb_documents AS d
SET status = 'archived'
FROM effect_inputs($1::uuid[], $2::text[]) AS i
WHERE d.tenant_id = i.tenant_id
  AND d.id = uuid_or_null(i.payload ->> 'document_id')
RETURNING i.intent_id::text, jsonb_build_object('document_id', d.id)::text
