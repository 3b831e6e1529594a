-- One page, newest first (crm_segments_list_idx), or the one of a name
-- (crm_segments_name_key).
SELECT id, tenant_id, name, description, filters, to_micros(created_at),
       to_micros(updated_at)
FROM crm_segments
WHERE tenant_id = $1::uuid
  AND ($2::text IS NULL OR name = $2)
  AND ($3::bigint IS NULL OR (created_at, id) < (from_micros($3), $4::uuid))
ORDER BY created_at DESC, id DESC
LIMIT $5::integer
