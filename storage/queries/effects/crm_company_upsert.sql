-- The company with a domain, made where there is none
-- (crm_companies_domain_key); a field that is left out stays as it is.
WITH input AS (
  SELECT * FROM effect_inputs($1::uuid[], $2::text[])
), done AS (
  INSERT INTO crm_companies AS c
    (tenant_id, name, domain, industry, phone, website, notes)
  SELECT i.tenant_id, i.payload ->> 'name', i.payload ->> 'domain',
         i.payload ->> 'industry', i.payload ->> 'phone',
         i.payload ->> 'website', i.payload ->> 'notes'
  FROM input AS i
  ON CONFLICT (tenant_id, lower(domain)) DO UPDATE
    SET name = EXCLUDED.name,
        industry = coalesce(EXCLUDED.industry, c.industry),
        phone = coalesce(EXCLUDED.phone, c.phone),
        website = coalesce(EXCLUDED.website, c.website),
        notes = coalesce(EXCLUDED.notes, c.notes)
  RETURNING c.id, c.tenant_id, lower(c.domain) AS domain
)
SELECT i.intent_id::text, jsonb_build_object('company_id', d.id)::text
FROM input AS i
JOIN done AS d
  ON d.tenant_id = i.tenant_id AND d.domain = lower(i.payload ->> 'domain')
