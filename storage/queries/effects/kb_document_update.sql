-- Other words of a document, which is found by its primary key; a field that
-- is left out stays as it is.
UPDATE kb_documents AS d
SET title = coalesce(i.payload ->> 'title', d.title),
    slug = coalesce(i.payload ->> 'slug', d.slug),
    body = coalesce(i.payload ->> 'body', d.body)
FROM effect_inputs($1::uuid[], $2::text[]) AS i
WHERE d.tenant_id = i.tenant_id
  AND d.id = uuid_or_null(i.payload ->> 'document_id')
RETURNING i.intent_id::text, jsonb_build_object('document_id', d.id)::text
