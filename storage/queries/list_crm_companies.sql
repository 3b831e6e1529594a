-- One page, newest first (crm_companies_list_idx), or those of a domain, as it
-- is given or in small letters (crm_companies_domain_idx).
SELECT id, tenant_id, name, domain, industry, phone, website, notes,
       to_micros(created_at), to_micros(updated_at)
FROM crm_companies
WHERE tenant_id = $1::uuid
  AND ($2::text IS NULL OR domain = ANY (ARRAY[$2, lower($2)]))
  AND ($3::bigint IS NULL OR (created_at, id) < (from_micros($3), $4::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $5::integer
