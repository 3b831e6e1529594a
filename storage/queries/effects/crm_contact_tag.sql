-- Further tags on a contact, which is found by its primary key; those that it
-- has already stay once.
UPDATE crm_contacts AS c
SET tags = c.tags || ARRAY(
  SELECT DISTINCT n.tag
  FROM unnest(texts_or_null(i.payload -> 'tags')) AS n (tag)
  WHERE n.tag <> ALL (c.tags)
  ORDER BY n.tag)
FROM effect_inputs($1::uuid[], $2::text[]) AS i
WHERE c.tenant_id = i.tenant_id
  AND c.id = uuid_or_null(i.payload ->> 'contact_id')
RETURNING i.intent_id::text, jsonb_build_object('contact_id', c.id)::text
