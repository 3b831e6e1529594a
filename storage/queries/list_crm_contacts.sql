-- One page, newest first (crm_contacts_list_idx), or those of an e-mail, as it
-- is given or in small letters (crm_contacts_email_idx), or the one of an id
-- (crm_contacts_tenant_id_key).
SELECT id, tenant_id, first_name, last_name, email, phone, company, source,
       tags, notes, to_micros(created_at), to_micros(updated_at)
FROM crm_contacts
WHERE tenant_id = $1::uuid
  AND ($2::uuid IS NULL OR id = $2)
  AND ($3::text IS NULL OR email = ANY (ARRAY[$3, lower($3)]))
  AND ($4::bigint IS NULL OR (created_at, id) < (from_micros($4), $5::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $6::integer
