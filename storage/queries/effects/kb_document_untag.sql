-- Takes a tag, found by its name, off a document, found by its id.
DELETE FROM kb_tag_on_document AS l
USING effect_inputs($1::uuid[], $2::text[]) AS i, kb_tags AS t
WHERE t.tenant_id = i.tenant_id AND t.name = i.payload ->> 'tag'
  AND l.tenant_id = i.tenant_id
  AND l.document_id = uuid_or_null(i.payload ->> 'document_id')
  AND l.tag_id = t.id
RETURNING i.intent_id::text, jsonb_build_object('tag_id', t.id)::text
