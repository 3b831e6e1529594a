-- The contact with an e-mail, made where there is none
-- (crm_contacts_email_key); a field that is left out stays as it is.
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), done AS (
  INSERT INTO crm_contacts AS c
    (tenant_id, first_name, last_name, email, phone, company, source, tags,
     notes)
  SELECT i.tenant_id, i.payload ->> 'first_name', i.payload ->> 'last_name',
         i.payload ->> 'email', i.payload ->> 'phone',
         i.payload ->> 'company', i.payload ->> 'source',
         coalesce(texts_or_null(i.payload -> 'tags'), '{}'),
         i.payload ->> 'notes'
  FROM input AS i
  ON CONFLICT (tenant_id, lower(email)) DO UPDATE
    SET first_name = coalesce(EXCLUDED.first_name, c.first_name),
        last_name = coalesce(EXCLUDED.last_name, c.last_name),
        phone = coalesce(EXCLUDED.phone, c.phone),
        company = coalesce(EXCLUDED.company, c.company),
        source = coalesce(EXCLUDED.source, c.source),
        tags = CASE WHEN cardinality(EXCLUDED.tags) = 0 THEN c.tags
                    ELSE EXCLUDED.tags END,
        notes = coalesce(EXCLUDED.notes, c.notes)
  RETURNING c.id, c.tenant_id, lower(c.email) AS email
)
SELECT i.intent_id::text, jsonb_build_object('contact_id', d.id)::text
FROM input AS i
JOIN done AS d
  ON d.tenant_id = i.tenant_id AND d.email = lower(i.payload ->> 'email')
